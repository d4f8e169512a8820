// Keeps `head`, the log's signed checkpoint, at most a second behind the entries. It is what must be there when the
// log is opened again (I6): shorter or other than its head, a log does not open. Nothing else signs checkpoints, and what
// it signs follows from a ledger that only grows: none contradicts another (I10).

import { AnnalsError } from '../errors.ts'
import { checkpointWaitMs, headDelayMs, headRetryMs } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import type { NoteSigner } from '../tree/note-key.ts'
import { signedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { Ledger } from './ledger.ts'

/** A checkpoint that is signed and durable. */
export interface SignedHead {
  /** The note, as it is stored and shown. */
  readonly note: string
  readonly size: number
}

/** What keeping a head needs. */
export interface HeadParts {
  readonly store: SegmentStore
  readonly ledger: Ledger
  readonly origin: string
  /** The keys that sign now. */
  readonly signers: () => readonly NoteSigner[]
  /** Seconds since the epoch, which the signatures state that state a time. */
  readonly seconds: () => number
  /** True once the log is read-only for good: then nothing is signed any more (I10). */
  readonly isShut?: () => boolean
  /** The head as it is stored; undefined where there is none, or none that is signed. */
  readonly stored: SignedHead | undefined
  /** How long somebody waits for a checkpoint. */
  readonly waitMs?: number
}

/** Writes the head behind the entries. */
export class HeadKeeper {
  readonly #parts: HeadParts
  readonly #failed: (what: string, error: unknown) => void
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #stored: SignedHead | undefined
  #failures = 0
  #isStopped = false

  constructor(parts: HeadParts, failed: (what: string, error: unknown) => void) {
    this.#parts = parts
    this.#stored = parts.stored
    this.#failed = failed
  }

  /** The latest signed checkpoint that is durable; undefined where there is none yet. */
  get checkpoint(): SignedHead | undefined {
    return this.#stored
  }

  /** The latest checkpoint, once it is of at least `size` entries. Throws UNAVAILABLE where that does not come in time. */
  covering(size: number): Promise<SignedHead> {
    const stored = this.#stored
    if (stored !== undefined && stored.size >= size) return Promise.resolve(stored)
    if (this.#isStopped) return Promise.reject(unavailable('the log is closed'))
    if (this.#isShut) return Promise.reject(unavailable('the log is read-only, and signs nothing'))
    this.touch()
    return new Promise((resolve, reject) => {
      const late = () => waiting.settle(() => reject(unavailable('there is no checkpoint of this entry yet')))
      const timer = setTimeout(late, this.#parts.waitMs ?? checkpointWaitMs)
      const settle = (how: () => void) => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        how()
      }
      const waiting: Waiting = { size, resolve, reject, settle }
      this.#waiting.add(waiting)
    })
  }

  /** Says that there are new entries. */
  touch(): void {
    if (this.#isStopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#tryFlush()
    }, this.#delayMs)
  }

  async #tryFlush(): Promise<void> {
    try {
      await this.flush()
      this.#failures = 0
    } catch (error) {
      this.#failed('the head', error)
      this.#failures += 1
      this.touch()
    }
  }

  // A disk that is full stays so for a while: each try waits twice as long as the one before.
  get #delayMs(): number {
    return Math.min(headDelayMs * 2 ** this.#failures, headRetryMs)
  }

  /** Writes the head now, where it is behind. Durable when it resolves. */
  async flush(): Promise<void> {
    const write = this.#writing.then(() => this.#write())
    this.#writing = write.catch(() => undefined)
    await write
  }

  /** Stops; what is not written is left to `flush`. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { settle, reject } of this.#waiting) settle(() => reject(unavailable('the log is closed')))
  }

  get #isShut(): boolean {
    return this.#parts.isShut?.() === true
  }

  async #write(): Promise<void> {
    if (this.#isShut) return
    // Both are taken at one moment, and only of entries that are durable.
    const { store, ledger, origin, signers, seconds } = this.#parts
    const { size, root } = ledger
    if (size === this.#stored?.size) return
    const note = signedCheckpoint({ origin, size, root }, signers(), seconds())
    await store.putHead(note)
    // Only what is durable is shown.
    const stored = { note, size }
    this.#stored = stored
    for (const { size: wanted, settle, resolve } of this.#waiting)
      if (wanted <= size) settle(() => resolve(stored))
  }
}

/** Somebody who waits for a checkpoint of a size. */
interface Waiting {
  readonly size: number
  readonly resolve: (head: SignedHead) => void
  readonly reject: (error: AnnalsError) => void
  /** Takes it from those who wait, and does that. */
  readonly settle: (how: () => void) => void
}

function unavailable(why: string): AnnalsError {
  return new AnnalsError('UNAVAILABLE', `${why}: try again later`, { retryAfterSeconds: 1 })
}
