// A recorder that keeps events in memory and holds its callers to the protocol: an id is of one event for ever
// (I4), and an event has what the log demands. It refuses on demand.

import assert from 'node:assert/strict'
import type { AuditEvent } from '../../entry/event.ts'
import { AnnalsError, type ErrorCode } from '../../errors.ts'

/** Records in memory. */
export class RecorderDouble {
  /** What was recorded, in order, each once. */
  readonly events: AuditEvent[] = []
  /** How often `record` was called. */
  calls = 0
  /** Refuses with this code. */
  refusesWith: ErrorCode | undefined
  /** Called before an event is recorded; may wait. */
  before: (event: AuditEvent) => Promise<void> = async () => {}

  /** The function that is handed out. */
  readonly record = async (event: AuditEvent): Promise<void> => {
    this.calls += 1
    await this.before(event)
    if (this.refusesWith !== undefined) throw new AnnalsError(this.refusesWith, 'refused on demand')
    assert.equal(event.via, 'self')
    const known = this.events.find(({ id }) => id === event.id)
    if (known === undefined) this.events.push(event)
    else if (!isEqual(known, event)) throw new AnnalsError('ID_CONFLICT', 'another event has this id')
  }

  /** The codes of what was recorded. */
  get codes(): string[] {
    return this.events.map(({ code }) => code)
  }
}

function isEqual(a: AuditEvent, b: AuditEvent): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
