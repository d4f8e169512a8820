// The snapshots of all engines as one: their bytes one after the other, in order of host name (A3), under one tag that is
// the same whenever all of them are the same (R4).

import { createHash } from 'node:crypto'
import { openAheadBytes, openAheadEngines, snapshotSets, snapshotSetsMs } from '../limits.ts'
import type { SnapshotReader } from '../log/audit-log.ts'
import type { EngineRun } from './engine-run.ts'
import type { Run } from './inner-api.ts'
import type { RunReader } from './run-reader.ts'

/** A run of each engine, fixed. */
export interface EngineSet {
  /** Names the logs and positions, in order: 128 bits of a SHA-256 over them. */
  readonly tag: string
  readonly bytes: number
  readonly runs: readonly EngineRun[]
  /** False where some engine could not record the read (I9). */
  readonly recorded: boolean
  /** Opens the bytes [start, end) of the whole. */
  open(start: number, end: number, signal: AbortSignal): SnapshotReader
}

/** The set of these runs, which are in the order of the answer. */
export function engineSetOf(runs: readonly EngineRun[]): EngineSet {
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0)
  return {
    tag: tagOf(runs),
    bytes,
    runs,
    recorded: runs.every(({ mark }) => mark !== undefined),
    open: (start, end, signal) => new SetReader(runs, start, end, signal),
  }
}

function tagOf(runs: readonly (Run & { readonly log: string })[]): string {
  const hash = createHash('sha256')
  for (const { log, from, to } of runs) hash.update(`${log} ${from} ${to}\n`)
  return `engines.${hash.digest('hex').slice(0, 32)}`
}

/** What is needed to fix a set again: which positions of which log. */
export interface RememberedRun extends Run {
  readonly hostName: string
  readonly log: string
}

/** The sets that were answered lately, by their tags. In memory: after a restart a download begins anew. */
export class SetMemory {
  readonly #sets = new Map<string, { readonly until: number; readonly runs: readonly RememberedRun[] }>()
  readonly #monotonicMs: () => number

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs
  }

  /** Keeps a set, as the youngest. */
  remember({ tag, runs }: Pick<EngineSet, 'tag' | 'runs'>): void {
    this.#sets.delete(tag)
    const kept = runs.map(({ hostName, log, from, to }) => ({ hostName, log, from, to }))
    this.#sets.set(tag, { until: this.#monotonicMs() + snapshotSetsMs, runs: kept })
    for (const [oldest, { until }] of this.#sets) {
      if (this.#sets.size <= snapshotSets && until > this.#monotonicMs()) break
      this.#sets.delete(oldest)
    }
  }

  /** The set of that tag, if it was remembered within the hour. */
  recall(tag: string): readonly RememberedRun[] | undefined {
    const set = this.#sets.get(tag)
    return set !== undefined && set.until > this.#monotonicMs() ? set.runs : undefined
  }
}

/** A run's part of what is read. */
interface Piece {
  /** Where the run begins in the whole. */
  readonly base: number
  readonly reader: RunReader
}

/** Reads run after run, in order. The next ones are opened a little ahead, so that no engine's delay adds up. */
class SetReader implements SnapshotReader {
  readonly #pieces: Iterator<Piece>
  readonly #open: Piece[] = []
  #isDry = false

  constructor(runs: readonly EngineRun[], start: number, end: number, signal: AbortSignal) {
    this.#pieces = piecesOf(runs, start, end, signal)
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    await this.#advance()
    const piece = this.#open[0]
    if (piece === undefined) throw new RangeError(`nothing is left to read at ${offset}`)
    return await piece.reader.read(target, offset - piece.base)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.splice(0).map(({ reader }) => reader[Symbol.asyncDispose]()))
  }

  async #advance(): Promise<void> {
    for (let first = this.#open[0]; first !== undefined && first.reader.left === 0; first = this.#open[0]) {
      this.#open.shift()
      await first.reader[Symbol.asyncDispose]()
    }
    while (!this.#isDry && this.#open.length < openAheadEngines && this.#leftOpen() < openAheadBytes) {
      const { value, done } = this.#pieces.next()
      if (done === true) this.#isDry = true
      else this.#openPiece(value)
    }
  }

  #openPiece(piece: Piece): void {
    piece.reader.openAhead()
    this.#open.push(piece)
  }

  #leftOpen(): number {
    return this.#open.reduce((sum, { reader }) => sum + reader.left, 0)
  }
}

function* piecesOf(
  runs: readonly EngineRun[],
  start: number,
  end: number,
  signal: AbortSignal,
): Generator<Piece> {
  let base = 0
  for (const run of runs) {
    const [from, to] = [Math.max(start, base), Math.min(end, base + run.bytes)]
    if (from < to) yield { base, reader: run.open(from - base, to - base, signal) }
    base += run.bytes
  }
}
