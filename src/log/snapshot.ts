// A snapshot's bytes: a run of bytes of the log, which lies in one segment or in many.

import type { LogId, Micros, Position } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import type { SegmentReader, SegmentStore } from '../store/segment-store.ts'
import type { EntryRun, Snapshot, SnapshotReader } from './audit-log.ts'
import type { Ledger } from './ledger.ts'
import type { Edge } from './log-text.ts'

/** What a run is made of. */
export interface RunParts {
  readonly log: LogId
  readonly from: Edge
  readonly to: Edge
}

/** What a snapshot is made of. */
export interface SnapshotParts extends RunParts {
  readonly now: Micros
  readonly mark: Position | undefined
}

/** The snapshot of the entries between two edges. */
export function snapshotOf(store: SegmentStore, ledger: Ledger, parts: SnapshotParts): Snapshot {
  return { ...runOf(store, ledger, parts), now: parts.now, mark: parts.mark }
}

/** The entries between two edges. */
export function runOf(store: SegmentStore, ledger: Ledger, { log, from, to }: RunParts): EntryRun {
  const bytes = to.byte - from.byte
  return {
    log,
    from: from.position,
    to: to.position,
    bytes,
    open: () => new RunReader(store, ledger, from.byte, bytes),
  }
}

class RunReader implements SnapshotReader {
  readonly #store: SegmentStore
  readonly #ledger: Ledger
  readonly #start: number
  readonly #bytes: number
  #open: { base: number; end: number; reader: SegmentReader } | undefined

  constructor(store: SegmentStore, ledger: Ledger, start: number, bytes: number) {
    this.#store = store
    this.#ledger = ledger
    this.#start = start
    this.#bytes = bytes
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    const byte = this.#start + offset
    const { base, end, reader } = await this.#segmentWith(byte)
    const want = Math.min(target.length, end - byte, this.#bytes - offset)
    const read = await reader.read(want === target.length ? target : target.subarray(0, want), byte - base)
    if (read > 0 || want === 0) return read
    throw new AnnalsError(
      'LOG_DAMAGED',
      'the audit log is damaged: ask its administrator to run "annals check"',
      {
        detail: `the segment at byte ${base} ends before byte ${byte}`,
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.reader[Symbol.asyncDispose]()
  }

  async #segmentWith(byte: number): Promise<{ base: number; end: number; reader: SegmentReader }> {
    if (this.#open !== undefined && byte >= this.#open.base && byte < this.#open.end) return this.#open
    await this[Symbol.asyncDispose]()
    const { first, base, bytes } = this.#ledger.segmentAtByte(byte)
    this.#open = { base, end: base + bytes, reader: await this.#store.open(first) }
    return this.#open
  }
}
