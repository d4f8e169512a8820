// The tables of the control database. The audit log itself is in none of them (design.md, "Storage").

import type { Generated, GeneratedAlways } from 'kysely'
import type { Micros } from '../entry/event.ts'

/** The tables, by name. */
export interface Schema {
  account: AccountTable
  lockout: LockoutTable
  outbox: OutboxTable
}

/** Local accounts. */
export interface AccountTable {
  /** Never given out twice, so that an account made anew under an old name is another one. */
  id: GeneratedAlways<number>
  name: string
  profile: string
  /** A PHC string. */
  password_hash: string
  /** Raised by every change that must end what was proved before: password, profile, lock, unlock. */
  credential_version: Generated<number>
  created_at: Micros
  password_changed_at: Micros
}

/**
 * Failed logins in a row. One row for each account, under its name, and one under the empty name, which no
 * account can have: failed logins to names that are no account count there, so that they cost the same write (S6).
 */
export interface LockoutTable {
  account: string
  failures: Generated<number>
  locked_until: Micros | null
  failed_at: Micros | null
}

/** Events that were made by a change in the same transaction, and wait to be recorded, in order. */
export interface OutboxTable {
  position: GeneratedAlways<number>
  /** The event's own id. */
  id: string
  /** The `AuditEvent`, as JSON. */
  event: string
}
