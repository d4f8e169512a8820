// Where all that comes over syslog goes into the log: so much of it may wait to be durable, and who brings it asks first
// whether there is room. Streams wait for room; datagrams are dropped for want of it, and counted (I7).
//
// What waits is recorded in the order in which it came: one group after another, also while the log has no room.

import { setImmediate as immediate } from 'node:timers/promises'
import type { AuditEvent, Draft } from '../../entry/event.ts'
import { EventIds } from '../../entry/event-id.ts'
import { draftsOf } from '../../entry/split.ts'
import { isAnnalsError } from '../../errors.ts'
import { groupBytes, groupEntries } from '../../limits.ts'
import type { Intake } from '../intake.ts'
import { eventOfMessage, type SyslogSource } from './event-of-message.ts'
import type { Frame } from './framing.ts'
import { SyslogReader } from './message.ts'

/** What an inlet needs. */
export interface InletParts {
  readonly intake: Pick<Intake, 'log' | 'deliverGroup' | 'refused'>
  /** What may wait: messages, and the bytes of their entries. */
  readonly window: { readonly messages: number; readonly bytes: number }
  readonly timeZone: string
  readonly clock: { wallMicros(): number }
  /** Ends the waiting: what is not durable then is counted as lost. */
  readonly signal: AbortSignal
}

/** What the log takes in one piece. */
interface Group {
  readonly drafts: Draft[]
  bytes: number
  /** The messages whose last part is in it, by who sent them. */
  readonly messages: Map<string, number>
}

/** One way in, shared by all who send by it. */
export class Inlet {
  readonly #parts: InletParts
  readonly #reader: SyslogReader
  readonly #ids = new EventIds()
  readonly #groupEntries: number
  readonly #groups: Group[] = []
  #messages = 0
  #bytes = 0
  readonly #forRoom = new Set<() => void>()
  #running: Promise<void> | undefined
  #isGivenUp = false

  constructor(parts: InletParts) {
    this.#parts = parts
    this.#reader = new SyslogReader(parts)
    // While the log has one half of what may wait, the other half is brought.
    this.#groupEntries = Math.min(groupEntries, parts.window.messages / 2)
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

  /** Calls back once, when there is room again, after all who have waited for longer. */
  whenRoom(callback: () => void): void {
    this.#forRoom.add(callback)
  }

  /** Forgets a callback. */
  forget(callback: () => void): void {
    this.#forRoom.delete(callback)
  }

  /**
   * Takes a message, which counts as waiting until it is durable; what cannot be made durable is counted as lost. One that
   * holds nothing but white space is none. Never throws.
   */
  take(frame: Frame, source: SyslogSource): void {
    if (frame.flaw === 'truncated') this.lose(source.by, frame.flaw)
    const event = this.#eventOf(frame, source)
    if (event === undefined) return
    // What waits is what takes the least memory: entries, and not the events that they were made from.
    let group: Group | undefined
    for (const draft of draftsOf(event, this.#parts.intake.log)) {
      group = this.#groupFor(draft)
      group.drafts.push(draft)
      group.bytes += draft.bytes + 1
      this.#bytes += draft.bytes + 1
    }
    if (group === undefined) return
    group.messages.set(source.by, (group.messages.get(source.by) ?? 0) + 1)
    this.#messages += 1
    this.#running ??= this.#run()
  }

  /** Counts messages that are not recorded. */
  lose(source: string, reason: string, count = 1): void {
    this.#parts.intake.refused({ via: 'syslog', source, reason, count })
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  #eventOf({ text, flaw }: Frame, source: SyslogSource): AuditEvent | undefined {
    const first = text.charCodeAt(0)
    if (first !== 0x3c && text.trim() === '') return undefined
    return eventOfMessage(this.#ids.next(), this.#reader.read(text), source, flaw)
  }

  async #run(): Promise<void> {
    // What comes in one turn of the event loop goes into the log together.
    await immediate()
    for (let group = this.#groups.shift(); group !== undefined; group = this.#groups.shift())
      await this.#deliver(group)
    this.#running = undefined
    this.#tellRoom()
  }

  async #deliver({ drafts, bytes, messages }: Group): Promise<void> {
    const { intake, signal } = this.#parts
    // What stands behind may be the rest of a message that has been lost.
    const delivered = this.#isGivenUp ? Promise.reject(signal.reason) : intake.deliverGroup(drafts, signal)
    // When the log has begun with it.
    setImmediate(() => this.#tellRoom())
    try {
      await delivered
    } catch (error) {
      this.#isGivenUp = signal.aborted
      const reason = signal.aborted ? 'stopped' : isAnnalsError(error) ? error.code : 'INTERNAL'
      for (const [source, count] of messages) this.lose(source, reason, count)
    } finally {
      this.#bytes -= bytes
      for (const count of messages.values()) this.#messages -= count
    }
  }

  // The last one that waits, or a new one where that is as much as the log takes.
  #groupFor(draft: Draft): Group {
    const last = this.#groups.at(-1)
    const hasRoom =
      last !== undefined &&
      last.drafts.length < this.#groupEntries &&
      last.bytes + draft.bytes + 1 <= groupBytes
    if (hasRoom) return last
    const group: Group = { drafts: [], bytes: 0, messages: new Map() }
    this.#groups.push(group)
    return group
  }

  // First come, first served: whoever is called takes all the room that he can use.
  #tellRoom(): void {
    for (const callback of this.#forRoom) {
      if (this.isFull) return
      this.#forRoom.delete(callback)
      callback()
    }
  }
}
