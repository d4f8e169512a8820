// What a contact with an engine, or the want of one, changes in what is known of it. Pure: the next values of its row,
// and the events that tell of the change, each once.

import type { Updateable } from 'kysely'
import type { EngineTable } from '../database/schema.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { engineClockMicros, engineTextCharacters } from '../limits.ts'
import type { EngineDescription } from './engine.ts'
import { clockDiffers, engineAnswersAgain, engineUnreachable, type Recorded } from './engine-events.ts'
import type { EngineRow } from './engine-row.ts'

/** What came of calling an engine. */
export interface Contact {
  /** The engine's id. */
  readonly engine: number
  readonly at: Micros
  /** Why it did not answer; undefined where it did. */
  readonly failure?: string | undefined
  /** What it said of itself, where it was asked. */
  readonly described?: EngineDescription | undefined
}

/** What is to be changed. */
export interface ContactChange {
  /** Empty where nothing is. */
  readonly values: Updateable<EngineTable>
  readonly events: readonly AuditEvent[]
}

/** Works out what a contact changes. A DISCONNECTED engine is not called, and a late answer of one is nothing new. */
export function afterContact(node: Recorded, row: EngineRow, contact: Contact): ContactChange {
  if (row.state === 'DISCONNECTED') return { values: {}, events: [] }
  return contact.failure === undefined
    ? afterAnswer(node, row, contact)
    : afterFailure(node, row, contact.at, oneLine(contact.failure))
}

function afterFailure(node: Recorded, row: EngineRow, at: Micros, reason: string): ContactChange {
  if (row.unreachable_since === null) {
    const events = [engineUnreachable(node, row.host_name, reason)]
    return { values: { unreachable_since: at, unreachable_reason: reason }, events }
  }
  return { values: reason === row.unreachable_reason ? {} : { unreachable_reason: reason }, events: [] }
}

function afterAnswer(node: Recorded, row: EngineRow, { at, described }: Contact): ContactChange {
  const events: AuditEvent[] = []
  if (row.unreachable_since !== null) {
    const seconds = Math.max(0, Math.round((at - row.unreachable_since) / 1_000_000))
    events.push(engineAnswersAgain(node, row.host_name, seconds))
  }
  if (described !== undefined && isOff(described.clockOffsetMicros) && !isOff(row.clock_offset ?? 0))
    events.push(clockDiffers(node, row.host_name, described.clockOffsetMicros))
  return {
    values: { last_contact: at, unreachable_since: null, unreachable_reason: null, ...valuesOf(described) },
    events,
  }
}

function isOff(offsetMicros: number): boolean {
  return Math.abs(offsetMicros) > engineClockMicros
}

function valuesOf(described: EngineDescription | undefined): Updateable<EngineTable> {
  if (described === undefined) return {}
  const { logSize, logBytes, lastEntryAt, version, clockOffsetMicros } = described
  return {
    log_size: logSize,
    log_bytes: logBytes,
    last_entry_at: lastEntryAt ?? null,
    version: oneLine(version),
    clock_offset: Math.round(clockOffsetMicros),
  }
}

// What another machine said ends up on somebody's terminal.
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, engineTextCharacters)
}
