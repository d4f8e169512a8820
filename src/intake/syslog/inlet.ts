// Where all that comes over syslog goes into the log: so much of it may wait to be durable, and who brings it asks first
// whether there is room. Streams wait for room; datagrams are dropped for want of it, and counted (I7).

import type { AuditEvent } from '../../entry/event.ts'
import { EventIds } from '../../entry/event-id.ts'
import { isAnnalsError } from '../../errors.ts'
import type { Intake } from '../intake.ts'
import { eventOfMessage, type SyslogSource } from './event-of-message.ts'
import type { Frame } from './framing.ts'
import { SyslogReader } from './message.ts'

/** What an inlet needs. */
export interface InletParts {
  readonly intake: Pick<Intake, 'deliverAll' | 'refused'>
  /** What may wait. */
  readonly window: { readonly messages: number; readonly bytes: number }
  readonly timeZone: string
  readonly clock: { wallMicros(): number }
  /** Ends the waiting: what is not durable then is counted as lost. */
  readonly signal: AbortSignal
}

/** Messages that wait to be durable. */
interface Waiting {
  readonly messages: number
  readonly bytes: number
  /** How many of them are from whom. */
  readonly sources: ReadonlyMap<string, number>
}

/** One way in, shared by all who send by it. */
export class Inlet {
  readonly #parts: InletParts
  readonly #reader: SyslogReader
  readonly #ids = new EventIds()
  #messages = 0
  #bytes = 0
  readonly #forRoom = new Set<() => void>()
  readonly #deliveries = new Set<Promise<void>>()

  constructor(parts: InletParts) {
    this.#parts = parts
    this.#reader = new SyslogReader(parts)
  }

  /** True where nothing more should be brought. */
  get isFull(): boolean {
    const { window } = this.#parts
    return this.#messages >= window.messages || this.#bytes >= window.bytes
  }

  /** True where somebody waits for room, who has something left to bring. */
  get isAwaited(): boolean {
    return this.isFull || this.#forRoom.size > 0
  }

  /** Calls back once, when half of the room is free again. */
  whenRoom(callback: () => void): void {
    this.#forRoom.add(callback)
  }

  /** Forgets a callback. */
  forget(callback: () => void): void {
    this.#forRoom.delete(callback)
  }

  /** The event of a message; undefined where it holds nothing but white space. */
  eventOf({ text, flaw }: Frame, source: SyslogSource): AuditEvent | undefined {
    const first = text.charCodeAt(0)
    if (first !== 0x3c && text.trim() === '') return undefined
    return eventOfMessage(this.#ids.next(), this.#reader.read(text), source, flaw)
  }

  /**
   * Makes events durable, in their order as long as there is room. They count as waiting until they are; what cannot be
   * made durable is counted as lost. Never throws.
   */
  enter(events: readonly AuditEvent[], bytes: number): void {
    if (events.length === 0) return
    const { intake, signal } = this.#parts
    const waiting = { messages: events.length, bytes, sources: countsOf(events) }
    const delivery = this.#finish(intake.deliverAll(events, signal), waiting).finally(() =>
      this.#deliveries.delete(delivery),
    )
    this.#deliveries.add(delivery)
  }

  /** Counts messages that are not recorded. */
  lose(source: string, reason: string, count = 1): void {
    this.#parts.intake.refused({ via: 'syslog', source, reason, count })
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries)
  }

  // The events themselves are not held until then: they are drafts by now.
  async #finish(delivered: Promise<void>, { messages, bytes, sources }: Waiting): Promise<void> {
    this.#messages += messages
    this.#bytes += bytes
    try {
      await delivered
    } catch (error) {
      const { signal } = this.#parts
      const reason = signal.aborted ? 'stopped' : isAnnalsError(error) ? error.code : 'INTERNAL'
      for (const [source, count] of sources) this.lose(source, reason, count)
    } finally {
      this.#messages -= messages
      this.#bytes -= bytes
      this.#tellRoom()
    }
  }

  #tellRoom(): void {
    if (this.#forRoom.size === 0) return
    const { window } = this.#parts
    if (this.#messages > window.messages / 2 || this.#bytes > window.bytes / 2) return
    const callbacks = [...this.#forRoom]
    this.#forRoom.clear()
    for (const callback of callbacks) callback()
  }
}

function countsOf(events: readonly AuditEvent[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { by } of events) counts.set(by, (counts.get(by) ?? 0) + 1)
  return counts
}
