// What answers about all engines were made of: their manifests, which the portal keeps for a while so that the answers can
// be proved. In memory: after a restart an answer has to be asked for again.

import { createHash } from 'node:crypto'
import type { Position } from '../entry/event.ts'
import type { EngineRun } from '../federation/engine-run.ts'
import { manifestsBytes } from '../limits.ts'
import { formatManifest } from '../verify/engines-manifest.ts'

/** The latest manifests, by the position of the portal's own entry of the read. */
export class Manifests {
  readonly #texts = new Map<Position, string>()
  #bytes = 0

  /** Keeps a manifest, and forgets the oldest ones where there is too much of them. */
  keep(mark: Position, manifest: string): void {
    this.#texts.set(mark, manifest)
    this.#bytes += manifest.length
    for (const [oldest, text] of this.#texts) {
      if (this.#bytes <= manifestsBytes || oldest === mark) break
      this.#texts.delete(oldest)
      this.#bytes -= text.length
    }
  }

  /** The manifest of a read; undefined where it is not known, or not any more. */
  at(mark: Position): string | undefined {
    return this.#texts.get(mark)
  }
}

/** The manifest of these runs. */
export function manifestOf(registry: Position | undefined, runs: readonly EngineRun[]): string {
  const engines = runs.map(({ log, mark, from, to, bytes }) => ({ log, mark: mark ?? 0, from, to, bytes }))
  return formatManifest({ registry, engines })
}

/** The SHA-256 of a text, in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
