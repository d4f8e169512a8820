// Sends what the spool holds, file after file. A file is deleted when the server has said of each of its events that it
// has it, or that it never will.

import { type Attempt, leftNoTrace, type Receipt, unmarkedAttempt } from './attempt.ts'
import { AuditTrailError, type ClientErrorCode } from './errors.ts'
import type { Item, Lane } from './lane.ts'
import { spoolBeatMs } from './limits.ts'
import type { Post } from './poster.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** What sending needs. */
export interface SpoolSenderParts {
  readonly spool: Pick<Spool, 'take' | 'isEmpty'>
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

  /** Begins to send, where there is something. */
  wake(): void {
    if (this.#isBusy || this.#isStopped || this.#parts.spool.isEmpty) return
    this.#isBusy = true
    clearTimeout(this.#later)
    this.#later = undefined
    void this.#sendAll()
  }

  /** Posts events of the file that is under way, whose name says whether one of them may have been recorded. */
  async post(items: readonly Item[], post: Post): Promise<Attempt> {
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

  // Never throws.
  async #sendAll(): Promise<void> {
    try {
      for (let isDone = true; isDone && !this.#isStopped;) {
        const file = await this.#parts.spool.take()
        if (file === undefined) break
        isDone = await this.#send(file)
        if (isDone) await file.done()
        this.#parts.moved()
      }
    } catch (error) {
      // Looked at again later: there may be nobody who adds anything.
      this.#later = setTimeout(() => this.wake(), spoolBeatMs).unref()
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

  // Whether all its events are settled; false where sending was stopped. Throws SPOOL_FAILED where it cannot be sent.
  #send(file: SpoolFile): Promise<boolean> {
    const { events, wasSent } = file
    ;[this.#file, this.#hasTrace, this.#failure] = [file, wasSent, undefined]
    return new Promise((resolve, reject) => {
      let [open, isDone] = [events.length, true]
      if (open === 0) resolve(true)
      const settle = (outcome: Receipt | AuditTrailError, { line }: Item): void => {
        if (isForGood(outcome)) this.#parts.settled(outcome, line)
        else isDone = false
        open -= 1
        if (open > 0) return
        if (this.#failure === undefined) resolve(isDone)
        else reject(this.#failure)
      }
      const sinceMs = this.#parts.monotonicMs()
      for (const event of events) this.#parts.lane.add({ ...event, sinceMs, wasSent, settle })
    })
  }
}

function isForGood(outcome: Receipt | AuditTrailError): boolean {
  return !(outcome instanceof AuditTrailError) || !keptCodes.has(outcome.code)
}

const keptCodes: ReadonlySet<string> = new Set<ClientErrorCode>(['GIVEN_UP', 'SPOOL_FAILED'])
