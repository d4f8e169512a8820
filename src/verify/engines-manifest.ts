// What an answer about all engines is made of, as text. Its SHA-256 is in the portal's own entry of that read.
//
//   annals/engines-manifest@v1
//   registry <position>      in the portal's log, of the last change of its engines before they were asked; or `-`
//   engine <log id> <mark> <from>-<to> <bytes>      one for each engine, in the order of the answer

import type { Position } from '../entry/event.ts'

/** One engine's part of the answer. `mark` is the position of the read's own entry in the engine's log. */
export interface EnginePart {
  readonly log: string
  readonly mark: Position
  readonly from: Position
  readonly to: Position
  readonly bytes: number
}

/** What such a text says. */
export interface EnginesManifest {
  readonly registry: Position | undefined
  readonly engines: readonly EnginePart[]
}

const first = 'annals/engines-manifest@v1'

/** Renders a manifest. */
export function formatManifest({ registry, engines }: EnginesManifest): string {
  const lines = engines.map(
    ({ log, mark, from, to, bytes }) => `engine ${log} ${mark} ${from}-${to} ${bytes}\n`,
  )
  return `${first}\nregistry ${registry ?? '-'}\n${lines.join('')}`
}

/** Reads a manifest; undefined where it is none. */
export function parseManifest(text: string): EnginesManifest | undefined {
  const [head, registryLine = '', ...rest] = text.split('\n')
  const registry = /^registry (-|\d{1,15})$/.exec(registryLine)?.[1]
  if (head !== first || registry === undefined || rest.pop() !== '') return undefined
  const engines = rest.map(parsePart)
  if (!engines.every((engine) => engine !== undefined)) return undefined
  const manifest = { registry: registry === '-' ? undefined : Number(registry), engines }
  return formatManifest(manifest) === text ? manifest : undefined
}

function parsePart(line: string): EnginePart | undefined {
  const [, log, mark, from, to, bytes] =
    /^engine (\S{1,300}) (\d{1,15}) (\d{1,15})-(\d{1,15}) (\d{1,15})$/.exec(line) ?? []
  if (log === undefined) return undefined
  return { log, mark: Number(mark), from: Number(from), to: Number(to), bytes: Number(bytes) }
}
