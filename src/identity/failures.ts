// Recording of calls without valid credentials: one by one up to 60 a minute, and above that in one entry a
// minute with exact counts by reason (S7), so that whoever guesses cannot fill the disk. Every call is in exactly
// one entry: what could not be recorded by itself for want of room is counted too.

import type { AuditEvent, Micros } from '../entry/event.ts'
import { isUnrecordable } from '../errors.ts'
import { failuresRecorded, failuresWindowMs } from '../limits.ts'
import type { Clock } from './clock.ts'
import { failuresCounted, loginFailed, type FailedCall, type FailureReason } from './login-events.ts'

/** Calls `work` once after some time, unless it is cancelled before. */
export type Schedule = (work: () => void, delayMs: number) => { cancel(): void }

/** What recording failures needs. */
export interface FailuresParts {
  readonly clock: Clock
  readonly record: (event: AuditEvent) => Promise<void>
  readonly hostName: string
  /** The component that the entries name: `Portal` unless it is given. */
  readonly component?: string
  /** How one such call is told: as a login that failed (20103) unless it is given. */
  readonly tell?: (call: FailedCall) => AuditEvent
  readonly schedule?: Schedule
}

/** The failures of the minute that began with the first of them. */
export class Failures implements AsyncDisposable {
  readonly #parts: FailuresParts
  readonly #counts = new Map<FailureReason, number>()
  #recorded = 0
  #began: Micros = 0
  #timer: { cancel(): void } | undefined
  /** A summary that could not be recorded: it is tried again under its own id, for it may have been. */
  #overdue: AuditEvent | undefined
  #ending: Promise<void> = Promise.resolve()

  constructor(parts: FailuresParts) {
    this.#parts = parts
  }

  /** Records a call, or counts it. Throws what `record` throws, but for STORAGE_FULL: then it is counted. */
  async add(call: FailedCall): Promise<void> {
    this.#begin()
    if (this.#recorded >= failuresRecorded) {
      this.#count(call.reason)
      return
    }
    this.#recorded += 1
    try {
      const { hostName, tell = (call: FailedCall) => loginFailed(hostName, call) } = this.#parts
      await this.#parts.record(tell(call))
    } catch (error) {
      if (!isUnrecordable(error)) throw error
      this.#begin()
      this.#count(call.reason)
    }
  }

  /** Records what is counted so far. Throws what `record` throws. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#ending
    await this.#flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #begin(): void {
    if (this.#timer !== undefined) return
    this.#recorded = 0
    if (this.#counts.size === 0) this.#began = this.#parts.clock.monotonicMicros()
    const schedule = this.#parts.schedule ?? scheduleTimer
    this.#timer = schedule(() => this.#end(), failuresWindowMs)
  }

  #end(): void {
    this.#timer = undefined
    // What cannot be recorded now stays counted, and the next minute begins for it at once.
    this.#ending = this.#ending.then(() => this.#flush()).catch(() => this.#begin())
  }

  async #flush(): Promise<void> {
    await this.#recordOverdue()
    if (this.#counts.size === 0) return
    const micros = this.#parts.clock.monotonicMicros() - this.#began
    this.#overdue = failuresCounted(this.#parts, this.#counts, Math.ceil(micros / 1_000_000))
    this.#counts.clear()
    await this.#recordOverdue()
  }

  async #recordOverdue(): Promise<void> {
    if (this.#overdue === undefined) return
    await this.#parts.record(this.#overdue)
    this.#overdue = undefined
  }

  #count(reason: FailureReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }
}

function scheduleTimer(work: () => void, delayMs: number): { cancel(): void } {
  const timer = setTimeout(work, delayMs).unref()
  return { cancel: () => clearTimeout(timer) }
}
