// Keeps `head`, the log's size and root, at most a second behind the entries. It is what must be there when the
// log is opened again (I6): shorter or other than its head, a log does not open.

import { headDelayMs, headRetryMs } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { formatCheckpoint } from '../tree/checkpoint.ts'
import type { Ledger } from './ledger.ts'

/** Writes the head behind the entries. */
export class HeadKeeper {
  readonly #store: SegmentStore
  readonly #ledger: Ledger
  readonly #origin: string
  readonly #failed: (what: string, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #size: number
  #failures = 0
  #isStopped = false

  /** `size` is that of the head as it is stored; -1 where there is none. */
  constructor(
    parts: { store: SegmentStore; ledger: Ledger; origin: string; size: number },
    failed: (what: string, error: unknown) => void,
  ) {
    this.#store = parts.store
    this.#ledger = parts.ledger
    this.#origin = parts.origin
    this.#size = parts.size
    this.#failed = failed
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
    const { size, root } = this.#ledger
    if (size === this.#size) return
    await this.#store.putHead(formatCheckpoint({ origin: this.#origin, size, root }))
    this.#size = size
  }
}
