// What came from outside and was not recorded, or was not let in: counted by source and reason, and summed up in an entry
// (I7). The first loss of a quiet time is told after a second, so that what comes with it is in the same entry; what
// follows, once a minute. What could not be told for want of room stays counted.

import type { AuditEvent, Micros } from '../entry/event.ts'
import { selfEvent } from '../entry/self-event.ts'
import { lossFirstMs, lossNextMs, lossSources } from '../limits.ts'
import type { OuterVia } from './intake.ts'

/** Something that is not recorded. */
export interface Loss {
  readonly via: OuterVia
  /** Who sent it, as `by` would name it. */
  readonly source: string
  /** An `ErrorCode`, or a source's own word: `truncated`, `kernel`. */
  readonly reason: string
  /** One unless it is given. */
  readonly count?: number
}

/** What summing up needs. */
export interface LossesParts {
  /** The entry that says it: of events, unless it says otherwise, or of connections. */
  readonly code?: 29071 | 29076
  /** Records an event; resolves once it is durable. */
  readonly record: (event: AuditEvent) => Promise<void>
  readonly hostName: string
  readonly component: string
  readonly clock: { monotonicMicros(): Micros }
  /** Calls `work` once after some time, unless it is cancelled before. */
  readonly schedule?: (work: () => void, delayMs: number) => { cancel(): void }
}

/** Counts losses and records the sums. Closing it records what is counted. */
export class Losses implements AsyncDisposable {
  readonly #parts: LossesParts
  #bySource = new Map<string, number>()
  #byReason = new Map<string, number>()
  #began: Micros = 0
  #lastTold: Micros | undefined
  #timer: { cancel(): void } | undefined
  // A sum that could not be recorded: it is tried again under its own id, for it may have been.
  #overdue: AuditEvent | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(parts: LossesParts) {
    this.#parts = parts
  }

  /** Counts a loss. Never throws. */
  add({ via, source, reason, count = 1 }: Loss): void {
    if (this.#byReason.size === 0) this.#began = this.#parts.clock.monotonicMicros()
    const isKnown = this.#bySource.has(source) || this.#bySource.size < lossSources
    const name = isKnown ? source : otherSources
    this.#bySource.set(name, (this.#bySource.get(name) ?? 0) + count)
    const why = `${via} ${reason}`
    this.#byReason.set(why, (this.#byReason.get(why) ?? 0) + count)
    this.#arm()
  }

  /** Records what is counted so far. Throws what `record` throws. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#telling
    await this.#tell()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    const quietMs =
      this.#lastTold === undefined
        ? lossNextMs
        : (this.#parts.clock.monotonicMicros() - this.#lastTold) / 1000
    const schedule = this.#parts.schedule ?? scheduleTimer
    this.#timer = schedule(() => this.#due(), Math.max(lossFirstMs, lossNextMs - quietMs))
  }

  #due(): void {
    this.#telling = this.#telling.then(() => this.#tellAndGoOn())
  }

  async #tellAndGoOn(): Promise<void> {
    // What cannot be recorded now stays counted.
    await this.#tell().catch(() => undefined)
    this.#timer = undefined
    if (this.#byReason.size > 0 || this.#overdue !== undefined) this.#arm()
  }

  async #tell(): Promise<void> {
    this.#lastTold = this.#parts.clock.monotonicMicros()
    await this.#recordOverdue()
    if (this.#byReason.size === 0) return
    this.#overdue = this.#sum()
    this.#bySource = new Map()
    this.#byReason = new Map()
    await this.#recordOverdue()
  }

  async #recordOverdue(): Promise<void> {
    if (this.#overdue === undefined) return
    await this.#parts.record(this.#overdue)
    this.#overdue = undefined
  }

  #sum(): AuditEvent {
    const { code = 29071, hostName, component, clock } = this.#parts
    const counts = [...this.#byReason.values()]
    return selfEvent({
      code,
      actor: '*system',
      hostName,
      component,
      outcome: 'failure',
      fields: {
        n: String(counts.reduce((sum, count) => sum + count, 0)),
        seconds: String(Math.ceil((clock.monotonicMicros() - this.#began) / 1_000_000)),
        reasons: list(this.#byReason),
      },
      eventParams: [['sources', list(this.#bySource)]],
    })
  }
}

const otherSources = 'others'

function list(counts: ReadonlyMap<string, number>): string {
  return Array.from(counts, ([name, count]) => `${name}: ${count}`).join(', ')
}

function scheduleTimer(work: () => void, delayMs: number): { cancel(): void } {
  const timer = setTimeout(work, delayMs).unref()
  return { cancel: () => clearTimeout(timer) }
}
