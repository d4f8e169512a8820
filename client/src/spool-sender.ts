// Sends what the spool holds, file after file. A file is deleted when the server has said of each of its events that it
// has it, or that it never will. Events that may not be recorded are kept, until somebody has put that right, and the
// others do not wait for them.

import { type Attempt, leftNoTrace, type Receipt, unmarkedAttempt } from './attempt.ts'
import { AuditTrailError } from './errors.ts'
import { canBePutRight, type Item, type Lane } from './lane.ts'
import { spoolBeatMs } from './limits.ts'
import type { Post } from './poster.ts'
import type { Spool, SpoolableEvent, SpoolFile } from './spool.ts'

/** What sending needs. */
export interface SpoolSenderParts {
  readonly spool: Pick<Spool, 'take' | 'isEmpty' | 'isReady'>
  readonly lane: Pick<Lane, 'add'>
  readonly monotonicMs: () => number
  /** Told of each event that the server has, or refuses for good. */
  readonly settled: (outcome: Receipt | AuditTrailError, line: string) => void
  readonly failed: (error: AuditTrailError) => void
  /** Called when a file is done. */
  readonly moved: () => void
}

/** Sends a spool's files. */
export class SpoolSender {
  readonly #parts: SpoolSenderParts
  #isBusy = false
  #isStopped = false
  #later: NodeJS.Timeout | undefined
  // Of the file that is under way.
  #file: SpoolFile | undefined
  #requests = 0
  #hasTrace = false
  #failure: AuditTrailError | undefined

  constructor(parts: SpoolSenderParts) {
    this.#parts = parts
  }

  /** Whether all that was spooled is sent. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#parts.spool.isEmpty
  }

  /** Whether all that is left is kept for later. */
  get isResting(): boolean {
    return !this.#isBusy && !this.#parts.spool.isEmpty && !this.#parts.spool.isReady
  }

  /** Begins to send, where there is something. */
  wake(): void {
    if (this.#isBusy || this.#isStopped || this.#parts.spool.isEmpty) return
    if (!this.#parts.spool.isReady) return this.#lookLater()
    this.#isBusy = true
    clearTimeout(this.#later)
    this.#later = undefined
    void this.#sendAll()
  }

  /** Posts events of the file that is under way, whose name says whether one of them may have been recorded. */
  async post(items: readonly Item[], post: Post): Promise<Attempt> {
    if (this.#failure !== undefined) return unmarkedAttempt(this.#failure)
    this.#requests += 1
    const attempt = await post(items, () => this.#mark())
    this.#requests -= 1
    if (!leftNoTrace(attempt, items.length)) this.#hasTrace = true
    // Where that fails, its events get no other id, should they wait for too long.
    if (!this.#hasTrace && this.#requests === 0) await this.#file?.unmark().catch(() => undefined)
    return this.#failure === undefined ? attempt : unmarkedAttempt(this.#failure)
  }

  /** Begins no other file. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#later)
  }

  // There may be nobody who adds anything.
  #lookLater(): void {
    if (this.#isStopped) return
    this.#later ??= setTimeout(() => {
      this.#later = undefined
      this.wake()
    }, spoolBeatMs).unref()
  }

  // Never throws.
  async #sendAll(): Promise<void> {
    try {
      while (!this.#isStopped) {
        const file = await this.#parts.spool.take()
        const left = file && (await this.#send(file))
        if (file === undefined || left === undefined) break
        await (left.length === 0 ? file.done() : file.keep(left))
        this.#parts.moved()
      }
    } catch (error) {
      this.#lookLater()
      this.#parts.failed(error as AuditTrailError)
    }
    this.#isBusy = false
    this.#parts.moved()
    if (this.#later === undefined) this.wake()
  }

  async #mark(): Promise<void> {
    try {
      await this.#file?.mark()
    } catch (error) {
      this.#failure = error as AuditTrailError
      throw error
    }
  }

  // The events that are left when all others are settled; undefined where sending was stopped. Throws SPOOL_FAILED where
  // the file cannot be sent.
  #send(file: SpoolFile): Promise<readonly SpoolableEvent[] | undefined> {
    const { events, wasSent } = file
    ;[this.#file, this.#hasTrace, this.#failure] = [file, wasSent, undefined]
    return new Promise((resolve, reject) => {
      const left: SpoolableEvent[] = []
      let [open, isCutOff] = [events.length, false]
      let refusal: AuditTrailError | undefined
      if (open === 0) resolve(left)
      const settle = (outcome: Receipt | AuditTrailError, item: Item): void => {
        if (!(outcome instanceof AuditTrailError) || isFinal(outcome)) this.#parts.settled(outcome, item.line)
        else if (canBePutRight(outcome)) {
          left.push({ line: item.line, hasOwnId: item.hasOwnId && !item.wasSent })
          refusal = outcome
        } else isCutOff = true
        open -= 1
        if (open > 0) return
        if (this.#failure !== undefined) return reject(this.#failure)
        if (refusal !== undefined) this.#parts.failed(refusal)
        resolve(isCutOff ? undefined : left)
      }
      const sinceMs = this.#parts.monotonicMs()
      for (const event of events) this.#parts.lane.add({ ...event, sinceMs, wasSent, settle })
    })
  }
}

// Whether an event is refused for what it is.
function isFinal(error: AuditTrailError): boolean {
  return !canBePutRight(error) && error.code !== 'GIVEN_UP' && error.code !== 'SPOOL_FAILED'
}
