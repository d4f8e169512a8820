// The tables of the control database. The audit log itself is in none of them (design.md, "Storage").

import type { Generated, GeneratedAlways } from 'kysely'
import type { Micros } from '../entry/event.ts'

/** The tables, by name. */
export interface Schema {
  account: AccountTable
  login_failure: LoginFailureTable
  known_network: KnownNetworkTable
  role: RoleTable
  profile: ProfileTable
  client: ClientTable
  client_secret: ClientSecretTable
  revoked_token: RevokedTokenTable
  token_key: TokenKeyTable
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
 * Failed logins in a row, from where. An account fails under each network that it is known to sign in from, and once,
 * under the empty network, for all others together. One row stands under the empty name, which no account can have:
 * failed logins to names that are no account count there, so that they cost the same write (S6).
 */
export interface LoginFailureTable {
  account: string
  /** `known_network.network`, or empty. */
  network: string
  failures: Generated<number>
  locked_until: Micros | null
  failed_at: Micros | null
}

/** Networks from which an account lately signed in. */
export interface KnownNetworkTable {
  account: string
  /** An IPv4 address, or the /64 of an IPv6 address. */
  network: string
  last_login_at: Micros
}

/** Roles: named sets of permissions, which profiles are made of. */
export interface RoleTable {
  name: string
  description: string
  /** JSON: names of permissions (`identity/permission.ts`). */
  permissions: string
}

/** Profiles beyond those that are built in. */
export interface ProfileTable {
  name: string
  description: string
  /** The tier that it is of. */
  tier: string
  /** JSON: names of roles. */
  roles: string
  /** JSON: what they allow together. */
  permissions: string
}

/** OAuth 2.0 clients. */
export interface ClientTable {
  /** Never given out twice. */
  id: GeneratedAlways<number>
  client_id: string
  name: string
  description: string
  /** Scope tokens, separated by single spaces (RFC 6749 section 3.3). */
  scopes: string
  /** JSON: `RecordBounds` of `identity/rights.ts`; null where it may not record. */
  record_bounds: string | null
  /** 1, or 0 where it is switched off. */
  is_enabled: Generated<number>
  expires_at: Micros | null
  /** Tokens that name another moment than this are no longer good: they were issued before it. */
  tokens_valid_from: Micros
  created_at: Micros
  /** The actor that made it. */
  created_by: string
  /** The account in whose name it was made. */
  owner: string | null
  last_used_at: Micros | null
}

/** Secrets of clients: one, or two while one is being replaced. */
export interface ClientSecretTable {
  id: GeneratedAlways<number>
  client: number
  /** SHA-256, in hexadecimal. A secret has 256 random bits and needs no slow hash. */
  hash: string
  created_at: Micros
  /** When it ends; null where it was not replaced. */
  expires_at: Micros | null
}

/** Access tokens that were revoked before they expired, until they have. */
export interface RevokedTokenTable {
  jti: string
  expires_at: Micros
  /** The id of the engine's log that it was for; null where it was for this portal. */
  log: string | null
}

/** The keys that access tokens are signed with. One is `next` and one `current`, always; any number are `retired`. */
export interface TokenKeyTable {
  kid: string
  state: 'next' | 'current' | 'retired'
  /** JSON. */
  public_jwk: string
  /** PKCS #8, PEM; null once it is retired. */
  private_key: string | null
  created_at: Micros
  /** When `state` last changed. */
  state_at: Micros
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
  /** The vkeys of the log and of the engine's witness, with spaces between; null where it has told none. */
  keys: string | null
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
