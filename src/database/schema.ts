// The tables of the control database. The audit log itself is in none of them (design.md, "Storage").

import type { Generated, GeneratedAlways } from 'kysely'
import type { Micros } from '../entry/event.ts'

/** The tables, by name. */
export interface Schema {
  account: AccountTable
  lockout: LockoutTable
  outbox: OutboxTable
  engine: EngineTable
  engine_token: EngineTokenTable
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

/** The engines that the portal knows. */
export interface EngineTable {
  /** Never given out twice, so that an engine that joins anew under an old name is another one. */
  id: GeneratedAlways<number>
  /** In lower case. */
  host_name: string
  state: 'CONNECTING' | 'CONNECTED' | 'DISCONNECTED'
  /** `host:port` of the engine's listener for its portal. */
  address: string
  log: string
  /** The log's public key: Ed25519, base64. */
  log_key: string
  /** The certificate that the engine shows, PEM. */
  certificate: string
  /** The one that it has announced, while it is being rotated. */
  next_certificate: string | null
  /** SHA-256 of the portal's certificate that the engine is known to hold, in hexadecimal. */
  portal_certificate: string
  /** The same of the portal's next one. */
  next_portal_certificate: string | null
  joined_at: Micros
  /** When `state` last changed. */
  state_at: Micros
  last_contact: Micros | null
  /** Since when the engine has not answered; null while it does. */
  unreachable_since: Micros | null
  unreachable_reason: string | null
  /** Entries, as of the last contact. */
  log_size: number | null
  log_bytes: number | null
  last_entry_at: Micros | null
  version: string | null
  /** The engine's clock minus the portal's, in microseconds. */
  clock_offset: number | null
}

/** Tokens with which engines join. */
export interface EngineTokenTable {
  id: string
  /** What the messages of a join are authenticated with, in hexadecimal. The token's secret is kept nowhere. */
  key: string
  /** The only host name that it is good for; null where it is good for any. */
  host_name: string | null
  /** 1 where it may replace an engine that is connected. */
  may_replace: number
  created_at: Micros
  expires_at: Micros
  used_at: Micros | null
  /** What the engine said of itself that used it, so that the very same join is answered again. */
  used_facts: string | null
  /** The actor that made it. */
  created_by: string
}
