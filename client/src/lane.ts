// A queue of events and its way to the server: batches of what waits, one after the other, and tries again for as long as
// it may help. Events that must be tried again go back to the front, so with one request at a time they stay in order.

import { type Attempt, isReceipt, type Receipt, type Refusal } from './attempt.ts'
import { AuditTrailError } from './errors.ts'
import { type EncodedEvent, withId } from './event.ts'
import { pauseLookMs, refusedPauseMs, retryAfterSpread } from './limits.ts'
import type { Settings } from './options.ts'

/** An event that waits. */
export interface Item extends EncodedEvent {
  /** When it came, by the clock that never steps back. */
  readonly sinceMs: number
  /** Whether it may have reached the server under its id: then it must not get another. */
  readonly wasSent: boolean
  /** Told once what became of it. */
  settle(outcome: Receipt | AuditTrailError, item: Item): void
}

/** What a lane needs. */
export interface LaneParts {
  /** Sends a request's events. Never throws. */
  readonly post: (items: readonly Item[]) => Promise<Attempt>
  readonly settings: Pick<Settings, 'batch' | 'retry'>
  /** How long an event is tried. */
  readonly giveUpAfterMs: number
  /** Whether events are kept where a whole request is refused, as for wrong credentials, until somebody has put it right. */
  readonly isPatient: boolean
  /** Makes ids that do not say when: for events that the server takes to be too old by theirs. */
  readonly makeId: () => string
  readonly monotonicMs: () => number
  readonly random: () => number
  /** Called when something has come of a request, or of waiting. */
  readonly moved: () => void
  /** Called when a try has failed. */
  readonly failed: (refusal: Refusal) => void
}

/** Sends events. It is stopped by dropping what waits. */
export class Lane {
  readonly #parts: LaneParts
  #items: Item[] = []
  #head = 0
  #bytes = 0
  #underWay = 0
  #underWayEvents = 0
  #failures = 0
  #lastError: AuditTrailError | undefined
  #retries = 0
  #batchEvents: number
  // While it pauses: until when.
  #resumeMs: number | undefined
  #isStopped = false
  #turn: NodeJS.Immediate | undefined
  #lingering: NodeJS.Timeout | undefined
  #pausing: NodeJS.Timeout | undefined

  constructor(parts: LaneParts) {
    this.#parts = parts
    this.#batchEvents = parts.settings.batch.events
  }

  /** Events that wait or are under way. */
  get waiting(): number {
    return this.#items.length - this.#head + this.#underWayEvents
  }

  /** Their bytes. */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** Events that were tried again. */
  get retries(): number {
    return this.#retries
  }

  /** Whether the last try failed. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** Adds an event. What becomes of it is told to it, never in this call. */
  add(item: Item): void {
    this.#items.push(item)
    this.#bytes += item.bytes
    if (this.#resumeMs === undefined) this.#wake()
    else if (!this.#parts.isPatient) this.#pausing?.ref()
  }

  /** Takes out all that waits and is not under way. Nothing is sent any more. */
  stop(): Item[] {
    this.#isStopped = true
    clearImmediate(this.#turn)
    clearTimeout(this.#lingering)
    clearTimeout(this.#pausing)
    const rest = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    for (const { bytes } of rest) this.#bytes -= bytes
    return rest
  }

  // The first request waits for the end of the turn only, so that what is recorded together goes together.
  #wake(): void {
    if (this.#turn !== undefined || !this.#maySend) return
    if (this.#underWay > 0 && this.#items.length - this.#head < this.#batchEvents) return this.#linger()
    this.#turn = setImmediate(() => this.#startNext())
  }

  get #maySend(): boolean {
    const { inFlight } = this.#parts.settings.batch
    return this.#resumeMs === undefined && !this.#isStopped && this.#underWay < inFlight
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined
      if (this.#turn === undefined) this.#startNext()
    }, this.#parts.settings.batch.lingerMs)
  }

  #startNext(): void {
    this.#turn = undefined
    if (!this.#maySend) return
    const batch = this.#take()
    if (batch.length === 0) return
    void this.#send(batch)
    if (this.#head < this.#items.length) this.#wake()
  }

  #take(): Item[] {
    let [end, bytes] = [this.#head, 0]
    while (end < this.#items.length && end - this.#head < this.#batchEvents) {
      bytes += (this.#items[end]?.bytes ?? 0) + 1
      if (bytes > this.#parts.settings.batch.bytes && end > this.#head) break
      end += 1
    }
    const batch = this.#items.slice(this.#head, end)
    this.#head = end
    // What was sent is let go of: at once where nothing is left, else now and then.
    if (this.#head === this.#items.length || this.#head >= 4096) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  // Never throws.
  async #send(batch: readonly Item[]): Promise<void> {
    this.#underWay += 1
    this.#underWayEvents += batch.length
    const attempt = await this.#parts.post(batch)
    this.#underWay -= 1
    this.#underWayEvents -= batch.length
    this.#settle(batch, attempt)
    this.#parts.moved()
    if (this.waiting > 0) this.#wake()
  }

  #settle(batch: readonly Item[], { outcomes, rest, retryAfterMs }: Attempt): void {
    const again: Item[] = []
    let [trouble, recorded]: [Refusal | undefined, number] = [undefined, 0]
    for (const [k, item] of batch.entries()) {
      const outcome = outcomes[k] ?? rest
      if (isReceipt(outcome)) recorded += 1
      else if ((outcome.mayPass || outcome.isWhole) && outcome.isStale !== true) trouble = outcome
      const tried = isReceipt(outcome) ? item : afterPost(item, outcome)
      const next = isReceipt(outcome) ? outcome : this.#afterRefusal(tried, outcome, batch.length)
      if ('line' in next) again.push(next)
      else this.#end(tried, next)
    }
    this.#putBack(again)
    this.#judge(trouble, recorded, batch.length, retryAfterMs)
  }

  // The event to try again, or why it is not.
  #afterRefusal(item: Item, { error, mayPass, isWhole }: Refusal, events: number): Item | AuditTrailError {
    // An event that was never sent before is new under any id: one that waited for too long, or that came from a clock
    // that is behind, gets another one, once.
    if (error.code === 'ID_TOO_OLD' && item.hasOwnId && !item.wasSent)
      return this.#isStopped
        ? givenUp(error)
        : { ...item, ...withId(item, this.#parts.makeId()), wasSent: true }
    const isKept =
      mayPass || (isWhole && (isTooMuch(error, events) || (this.#parts.isPatient && canBePutRight(error))))
    if (!isKept) return error
    return this.#isStopped || this.#isOver(item) ? givenUp(error) : item
  }

  #end(item: Item, outcome: Receipt | AuditTrailError): void {
    this.#bytes -= item.bytes
    item.settle(outcome, item)
  }

  #putBack(again: readonly Item[]): void {
    if (again.length === 0) return
    this.#retries += again.length
    this.#items = [...again, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  #judge(trouble: Refusal | undefined, recorded: number, events: number, retryAfterMs = 0): void {
    if (trouble === undefined) {
      this.#failures = 0
      this.#lastError = undefined
      this.#batchEvents = Math.min(this.#batchEvents * 2, this.#parts.settings.batch.events)
      return
    }
    this.#failures = recorded > 0 ? 1 : this.#failures + 1
    this.#lastError = trouble.error
    this.#parts.failed(trouble)
    if (isTooMuch(trouble.error, events)) this.#batchEvents = Math.max(1, Math.floor(events / 2))
    else this.#pause(Math.max(this.#pauseMs(trouble), this.#spread(retryAfterMs)))
  }

  // Exponential, with full jitter: clients that lost their server at one moment do not come back at one moment.
  #pauseMs({ mayPass }: Refusal): number {
    if (!mayPass && this.#parts.isPatient) return refusedPauseMs
    const { firstMs, mostMs } = this.#parts.settings.retry
    const longest = Math.min(mostMs, firstMs * 2 ** Math.min(this.#failures - 1, 30))
    return Math.ceil(this.#parts.random() * longest)
  }

  // Never earlier than asked.
  #spread(ms: number): number {
    return Math.ceil(ms * (1 + retryAfterSpread * this.#parts.random()))
  }

  #pause(ms: number): void {
    if (this.#isStopped) return
    this.#resumeMs = Math.max(this.#resumeMs ?? 0, this.#parts.monotonicMs() + ms)
    this.#waitOn()
  }

  // What waits in memory keeps the process alive, for as long as it is tried.
  #waitOn(): void {
    clearTimeout(this.#pausing)
    const restMs = (this.#resumeMs ?? 0) - this.#parts.monotonicMs()
    this.#pausing = setTimeout(() => this.#look(), Math.max(0, Math.min(restMs, pauseLookMs)))
    if (this.#parts.isPatient || this.waiting === 0) this.#pausing.unref()
  }

  #look(): void {
    this.#expire()
    if (this.#resumeMs !== undefined && this.#parts.monotonicMs() < this.#resumeMs) return this.#waitOn()
    this.#resumeMs = undefined
    this.#wake()
  }

  #expire(): void {
    const end = this.#items.findIndex((item, k) => k >= this.#head && !this.#isOver(item))
    const over = this.#items.slice(this.#head, end === -1 ? undefined : end)
    if (over.length === 0) return
    this.#items = this.#items.slice(this.#head + over.length)
    this.#head = 0
    for (const item of over) this.#end(item, givenUp(this.#lastError))
    this.#parts.moved()
  }

  #isOver({ sinceMs }: Item): boolean {
    return this.#parts.monotonicMs() - sinceMs >= this.#parts.giveUpAfterMs
  }
}

/**
 * Whether somebody can act so that what was refused is taken: credentials, rights, the log's name of a whole request, or
 * what may be recorded.
 */
export function canBePutRight({ status, code }: AuditTrailError): boolean {
  return code === 'FORBIDDEN' || (status !== undefined && status !== 413)
}

// The event as it is after a request that did not record it, or of which nobody knows.
function afterPost(item: Item, { leftNoTrace }: Refusal): Item {
  return item.wasSent || leftNoTrace === true ? item : { ...item, wasSent: true }
}

function isTooMuch({ status }: AuditTrailError, events: number): boolean {
  return status === 413 && events > 1
}

function givenUp(cause: AuditTrailError | undefined): AuditTrailError {
  const why = cause === undefined ? '' : `: ${cause.message}`
  const details = cause === undefined ? {} : { cause }
  return new AuditTrailError('GIVEN_UP', `the event was not confirmed in time${why}`, details)
}
