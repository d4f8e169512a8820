// Settings from a YAML file. Everything that is wrong with it is found in one pass, each thing with its line.

import { basename } from 'node:path'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
} from 'yaml'
import { type Assignment, listSeparator, type Problem } from './assignment.ts'
import { type Setting, settings } from './setting.ts'
import { didYouMean } from './suggest.ts'

/** What a configuration file says. `directory` is the file's own. */
export function readConfigurationFile(
  text: string,
  name: string,
  directory: string,
): { assignments: Assignment[]; problems: Problem[] } {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true })
  const reader = new Reader(basename(name), directory, lineCounter)
  for (const { message, pos } of document.errors) reader.report(pos[0], firstLine(message))
  if (document.errors.length === 0) reader.readMap('', document.contents)
  return reader
}

class Reader {
  readonly assignments: Assignment[] = []
  readonly problems: Problem[] = []
  readonly #name: string
  readonly #directory: string
  readonly #lines: LineCounter

  constructor(name: string, directory: string, lines: LineCounter) {
    this.#name = name
    this.#directory = directory
    this.#lines = lines
  }

  report(offset: number, message: string): void {
    this.problems.push({ origin: this.#origin(offset), message })
  }

  readMap(prefix: string, node: Node | null): void {
    if (node === null || (isScalar(node) && node.value === null)) return
    if (!isMap(node)) {
      const what = prefix === '' ? 'the file' : `"${prefix.slice(0, -1)}"`
      return this.report(offsetOf(node), `${what} is expected to be a map of keys and values`)
    }
    for (const pair of node.items) this.#readPair(prefix, pair as Pair<Node, Node | null>)
  }

  #readPair(prefix: string, { key, value }: Pair<Node, Node | null>): void {
    const path = prefix + (isScalar(key) ? String(key.value) : '?')
    const setting = settings.find((setting) => setting.key === path)
    if (setting === undefined) {
      if (settings.some((setting) => setting.key.startsWith(`${path}.`)))
        return this.readMap(`${path}.`, value)
      return this.report(offsetOf(key), unknownKey(path))
    }
    if (value === null || (isScalar(value) && value.value === null)) return
    const text = textOf(setting, value)
    if (text === undefined) {
      const expected = isAlias(value) ? 'a value of its own' : setting.expects
      return this.report(offsetOf(value), `"${path}" is expected to be ${expected}`)
    }
    this.assignments.push({
      setting,
      text,
      origin: this.#origin(offsetOf(value)),
      directory: this.#directory,
    })
  }

  #origin(offset: number): string {
    return `${this.#name}:${this.#lines.linePos(offset).line}`
  }
}

function textOf({ kind }: Setting, value: Node): string | undefined {
  if (isScalar(value)) return scalarText(value)
  if (kind !== 'list' || !isSeq(value) || value.items.length === 0) return undefined
  return value.items.every((item) => isScalar(item))
    ? value.items.map(scalarText).join(listSeparator)
    : undefined
}

// The text as it stands in the file: what YAML makes of `off`, `1_000` or `2026-01-01` is of no interest.
function scalarText({ type, source, value }: Scalar): string {
  return type === 'PLAIN' ? (source ?? String(value)) : String(value)
}

function unknownKey(path: string): string {
  const keys = settings.map(({ key }) => key)
  if (keys.includes(`${path}File`)) return `secrets are given in files: set "${path}File" to a path`
  return `unknown key "${path}"${didYouMean(path, keys)}`
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
