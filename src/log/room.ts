// Whether there is room to record (I9). Below the low mark recording is refused, before anything is damaged; above
// the high mark, or once an entry that says so could be written, it resumes. It counts what was refused. A log that others
// hold a later checkpoint of is shut: nothing is recorded in it any more.

import { AnnalsError } from '../errors.ts'
import type { Micros } from '../entry/event.ts'
import { minFreeBytes, roomCheckMs, roomLookMicros } from '../limits.ts'

/** What a room looks at. */
export interface RoomParts {
  readonly freeBytes: () => number
  readonly wallMicros: () => Micros
  readonly minFreeBytes?: number
  readonly checkMs?: number
}

/** The room on a log's disk. */
export class Room {
  readonly #parts: RoomParts
  readonly #low: number
  #looked = Number.NEGATIVE_INFINITY
  #refusing = false
  #since: Micros = 0
  #refused = 0
  #missedReads = 0
  #timer: NodeJS.Timeout | undefined
  #shut: string | undefined

  constructor(parts: RoomParts) {
    this.#parts = parts
    this.#low = parts.minFreeBytes ?? minFreeBytes
  }

  /** True while recording is refused. */
  get refusing(): boolean {
    return this.#refusing || this.isShut
  }

  /** True where recording is refused for good: even the log's own entries are. */
  get isShut(): boolean {
    return this.#shut !== undefined
  }

  /** Refuses for good; `why` is for whoever wants to record. */
  shut(why: string): void {
    this.#shut ??= why
    this.stop()
  }

  /** Since when it is. */
  get since(): Micros {
    return this.#since
  }

  /** What was refused and is not said yet; from now on it counts as said. */
  takeCounts(): { refused: number; missedReads: number } {
    const counts = { refused: this.#refused, missedReads: this.#missedReads }
    this.#refused = 0
    this.#missedReads = 0
    return counts
  }

  /** Counts that could not be said after all. */
  giveBack(counts: { readonly refused: number; readonly missedReads: number }): void {
    this.#refused += counts.refused
    this.#missedReads += counts.missedReads
  }

  /** Recording is accepted again. */
  accept(): void {
    this.#refusing = false
  }

  /** Looks at the disk: `filled` where recording is refused from now on. */
  check(): 'filled' | 'as before' {
    if (this.refusing) return 'as before'
    const now = this.#parts.wallMicros()
    if (Math.abs(now - this.#looked) < roomLookMicros) return 'as before'
    this.#looked = now
    if (this.#parts.freeBytes() >= this.#low) return 'as before'
    this.filled()
    return 'filled'
  }

  /** The disk has said itself that it is full. False where that was known. */
  filled(): boolean {
    if (this.#refusing) return false
    this.#refusing = true
    this.#since = this.#parts.wallMicros()
    return true
  }

  /** The refusal of an event, or of several together, counted. */
  refuse(events = 1): AnnalsError {
    this.#refused += events
    return this.#shut === undefined ? noRoom() : new AnnalsError('LOG_READ_ONLY', this.#shut)
  }

  /** Counts a read that could not be recorded. */
  missedRead(): void {
    this.#missedReads += 1
  }

  /** Looks for space until `resume` succeeds with twice the low mark free. */
  waitForSpace(resume: () => Promise<boolean>): void {
    clearTimeout(this.#timer)
    if (this.isShut) return
    this.#timer = setTimeout(() => {
      void this.#tryResume(resume)
    }, this.#parts.checkMs ?? roomCheckMs).unref()
  }

  /** Stops looking. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #tryResume(resume: () => Promise<boolean>): Promise<void> {
    const hasSpace = this.#parts.freeBytes() >= 2 * this.#low
    if (hasSpace && (await resume())) return
    if (this.#timer !== undefined) this.waitForSpace(resume)
  }
}

/** What the sender of an event is told. */
export function noRoom(): AnnalsError {
  return new AnnalsError(
    'STORAGE_FULL',
    'nothing can be recorded: the disk of the audit log is full. Nothing of this event was recorded; send it again later',
    { retryAfterSeconds: 60 },
  )
}
