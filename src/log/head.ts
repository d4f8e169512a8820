// Keeps `head`, the log's signed checkpoint, at most a second behind the entries. It is what must be there when the
// log is opened again (I6): shorter or other than its head, a log does not open. Nothing else signs checkpoints, and what
// it signs follows from a ledger that only grows: none contradicts another (I10).

import { headDelayMs, headRetryMs } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import type { NoteSigner } from '../tree/note-key.ts'
import { signedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { Ledger } from './ledger.ts'

/** What keeping a head needs. */
export interface HeadParts {
  readonly store: SegmentStore
  readonly ledger: Ledger
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  /** Seconds since the epoch, which the signatures state that state a time. */
  readonly seconds: () => number
  /** The head as it is stored, and the size that it says; undefined where there is none, or none that is signed. */
  readonly stored: { readonly note: string; readonly size: number } | undefined
}

/** Writes the head behind the entries. */
export class HeadKeeper {
  readonly #parts: HeadParts
  readonly #failed: (what: string, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #stored: HeadParts['stored']
  #failures = 0
  #isStopped = false

  constructor(parts: HeadParts, failed: (what: string, error: unknown) => void) {
    this.#parts = parts
    this.#stored = parts.stored
    this.#failed = failed
  }

  /** The latest signed checkpoint that is durable; undefined where there is none yet. */
  get checkpoint(): string | undefined {
    return this.#stored?.note
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
  }

  async #write(): Promise<void> {
    // Both are taken at one moment, and only of entries that are durable.
    const { store, ledger, origin, signers, seconds } = this.#parts
    const { size, root } = ledger
    if (size === this.#stored?.size) return
    const note = signedCheckpoint({ origin, size, root }, signers, seconds())
    await store.putHead(note)
    // Only what is durable is shown.
    this.#stored = { note, size }
  }
}
