// Where everything that comes from outside enters the log, whatever it came through. Some senders can be told that
// there is no room, and try again themselves; the others wait here, or what they sent is counted as lost (I7).

import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent, Draft, LogId, Via } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { draftsOf } from '../entry/split.ts'
import { type ErrorCode, isAnnalsError } from '../errors.ts'
import { deliveryRetryMs, deliveryRetryMostMs, groupBytes, groupEntries } from '../limits.ts'
import type { AuditLog, Recorded } from '../log/audit-log.ts'
import type { Loss, Losses } from './losses.ts'

/** How events from outside come in. */
export type OuterVia = Exclude<Via, 'self' | 'import'>

/** Where intake counts. */
export interface IntakeMetrics {
  /** Events that are durable: new ones, or such as had been recorded before (I4). */
  recorded(via: OuterVia, isNew: boolean, count: number): void
  /** Events that are not recorded, and why: an `ErrorCode`, or a source's own word. */
  lost(via: OuterVia, reason: string, count: number): void
}

/** What intake needs. */
export interface IntakeParts {
  readonly log: Pick<AuditLog, 'id' | 'demandRoom' | 'record' | 'recordAll'>
  /** The node's, for events that say none. */
  readonly hostName: string
  readonly component: string
  readonly metrics: IntakeMetrics
  readonly losses: Pick<Losses, 'add'>
}

/** The one way in. */
export class Intake {
  readonly hostName: string
  readonly component: string
  readonly #parts: IntakeParts

  constructor(parts: IntakeParts) {
    this.hostName = parts.hostName
    this.component = parts.component
    this.#parts = parts
  }

  /** The log that events are recorded in. */
  get log(): LogId {
    return this.#parts.log.id
  }

  /** As `AuditLog.demandRoom`; what is refused is the caller's to count. */
  demandRoom(bytes: number): void {
    this.#parts.log.demandRoom(bytes)
  }

  /**
   * Records an event of somebody who can be told. Resolves once it is durable; throws ENTRY_TOO_LARGE and what
   * `AuditLog.record` throws. What is refused is counted.
   */
  async record(event: AuditEvent): Promise<Recorded> {
    try {
      return await this.attempt(draftOf(event, this.log))
    } catch (error) {
      this.refused({ via: outerVia(event), source: event.by, reason: reasonOf(error) })
      throw error
    }
  }

  /** As `record`, of what `draftOf` made. */
  async recordDraft(draft: Draft): Promise<Recorded> {
    try {
      return await this.attempt(draft)
    } catch (error) {
      this.refused({ via: outerVia(draft), source: draft.by, reason: reasonOf(error) })
      throw error
    }
  }

  /** As `recordDraft`; but what is refused is the caller's to count, who may try again. */
  async attempt(draft: Draft): Promise<Recorded> {
    const via = outerVia(draft)
    const recorded = await this.#parts.log.record(draft)
    this.#parts.metrics.recorded(via, recorded.isNew, 1)
    return recorded
  }

  /** As `recordAll`, of what `draftOf` made of events that came in one way; but what is refused is the caller's to count, who may try again. */
  async attemptAll(drafts: readonly Draft[]): Promise<Recorded[]> {
    const [first] = drafts
    if (first === undefined) return []
    const via = outerVia(first)
    const all = await this.#parts.log.recordAll(drafts)
    this.#count(via, all)
    return all
  }

  /** Records all of them together or none, as `AuditLog.recordAll`. What is refused is counted. */
  async recordAll(drafts: readonly Draft[]): Promise<Recorded[]> {
    const [first] = drafts
    if (first === undefined) return []
    const via = outerVia(first)
    try {
      const all = await this.#parts.log.recordAll(drafts)
      this.#count(via, all)
      return all
    } catch (error) {
      this.refused({ via, source: first.by, reason: reasonOf(error), count: drafts.length })
      throw error
    }
  }

  /**
   * Records an event of somebody who cannot be told but can wait: cut into parts where it is too long (L3), and tried
   * again for as long as there is no room, until it is durable. Throws only when `signal` aborts, and what makes
   * any further try pointless (the log has ended).
   */
  async deliver(event: AuditEvent, signal: AbortSignal): Promise<void> {
    for (const draft of draftsOf(event, this.log)) await this.#deliverDraft(draft, signal)
  }

  /**
   * The same for several, which are recorded in their order, and none before all before it are durable or in the same
   * commit: also where the log has no room for a while.
   */
  deliverAll(events: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
    // What waits holds the drafts, and not the events too.
    return Promise.try(() => this.#deliverGroups(groupsOf(events, this.log), signal))
  }

  /** Counts what is not recorded: it becomes an entry (I7). */
  refused(loss: Loss): void {
    this.#parts.metrics.lost(loss.via, loss.reason, loss.count ?? 1)
    this.#parts.losses.add(loss)
  }

  #count(via: OuterVia, all: readonly Recorded[]): void {
    let known = 0
    for (const { isNew } of all) if (!isNew) known += 1
    if (known < all.length) this.#parts.metrics.recorded(via, true, all.length - known)
    if (known > 0) this.#parts.metrics.recorded(via, false, known)
  }

  async #deliverGroups(groups: readonly Draft[][], signal: AbortSignal): Promise<void> {
    for (const group of groups) await this.deliverGroup(group, signal)
  }

  /** As `deliverAll`, of drafts that the log takes in one piece. */
  async deliverGroup(drafts: readonly Draft[], signal: AbortSignal): Promise<void> {
    for (let pauseMs = deliveryRetryMs; ; pauseMs = Math.min(2 * pauseMs, deliveryRetryMostMs)) {
      try {
        await this.attemptAll(drafts)
        return
      } catch (error) {
        // One of them was recorded as something else: which, only the log can tell, one by one.
        if (isAnnalsError(error, 'ID_CONFLICT')) break
        if (!isAnnalsError(error) || !passing.has(error.code)) throw error
      }
      await sleep(pauseMs, undefined, { signal })
    }
    for (const draft of drafts) await this.#deliverDraft(draft, signal)
  }

  async #deliverDraft(draft: Draft, signal: AbortSignal): Promise<void> {
    for (let pauseMs = deliveryRetryMs; ; pauseMs = Math.min(2 * pauseMs, deliveryRetryMostMs)) {
      try {
        const { isNew } = await this.#parts.log.record(draft)
        return this.#parts.metrics.recorded(outerVia(draft), isNew, 1)
      } catch (error) {
        // The same id with other content: the sender's id stands for what it read, and that was recorded before.
        if (isAnnalsError(error, 'ID_CONFLICT'))
          return this.#parts.metrics.recorded(outerVia(draft), false, 1)
        if (!isAnnalsError(error) || !passing.has(error.code)) throw error
      }
      await sleep(pauseMs, undefined, { signal })
    }
  }
}

// Refusals that pass, if one waits: with the same id nothing is recorded twice.
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TOO_MANY_REQUESTS',
  'STORAGE_FULL',
  'LOG_READ_ONLY',
  'OUTCOME_UNKNOWN',
])

// Groups that the log takes in one piece, in order.
function groupsOf(events: readonly AuditEvent[], log: LogId): Draft[][] {
  const groups: Draft[][] = []
  let group: Draft[] = []
  let bytes = 0
  for (const event of events) {
    for (const draft of draftsOf(event, log)) {
      const more = draft.bytes + 1
      if (group.length > 0 && (group.length === groupEntries || bytes + more > groupBytes)) {
        groups.push(group)
        group = []
        bytes = 0
      }
      group.push(draft)
      bytes += more
    }
  }
  return group.length === 0 ? groups : [...groups, group]
}

function reasonOf(error: unknown): string {
  return isAnnalsError(error) ? error.code : 'INTERNAL'
}

function outerVia({ via }: { readonly via: Via }): OuterVia {
  if (via === 'self' || via === 'import')
    throw new TypeError(`an event from outside does not come via ${via}`)
  return via
}
