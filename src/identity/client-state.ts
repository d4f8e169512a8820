// What decides whether a client, and a token of it, is good now. Read at every call with a token, remembered or not, so it is
// one query, compiled once.

import { type CompiledQuery, type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Schema } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import { parseBounds } from './client-row.ts'
import { GatheredRead } from './gathered-read.ts'
import type { RecordBounds } from './rights.ts'

/** A client as it is now. */
export interface ClientState {
  readonly id: number
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly recordBounds: RecordBounds | undefined
  readonly isEnabled: boolean
  readonly expiresAt: Micros | undefined
  readonly tokensValidFrom: Micros
  readonly lastUsedAt: Micros | undefined
  /** Whether the token that was asked about is revoked. */
  readonly isRevoked: boolean
  /** Whether the key that was asked about is one of ours. */
  readonly hasKey: boolean
}

/** Which token it is about. */
export interface TokenNames {
  readonly clientId: string
  readonly jti?: string
  readonly kid?: string
}

/** Reads the state of a client; undefined where there is none. */
export type ReadClientState = (of: TokenNames) => Promise<ClientState | undefined>

/** Prepares the reading of client states. */
export function clientStates({ read }: Pick<Database, 'read'>): ReadClientState {
  const query = compile(read)
  const reads = new GatheredRead<ClientState | undefined>()
  return async ({ clientId, jti = '', kid = '' }) =>
    // A jti and a kid are of our own making and hold no such character, or both are empty.
    reads.get(`${jti}\0${kid}\0${clientId}`, async () => {
      const { rows } = await read.executeQuery<StateRow>({ ...query, parameters: [jti, kid, clientId] })
      return rows[0] === undefined ? undefined : stateOf(rows[0])
    })
}

/** Whether a client may do anything at all. */
export function isOn({ isEnabled, expiresAt }: ClientState, now: Micros): boolean {
  return isEnabled && now < (expiresAt ?? Infinity)
}

function compile(database: Kysely<Schema>): CompiledQuery<StateRow> {
  return sql<StateRow>`
    select id, client_id, scopes, record_bounds, is_enabled, expires_at, tokens_valid_from, last_used_at,
      exists (select 1 from revoked_token where jti = ${''}) as is_revoked,
      exists (select 1 from token_key where kid = ${''}) as has_key
    from client where client_id = ${''}`.compile(database)
}

interface StateRow {
  readonly id: number
  readonly client_id: string
  readonly scopes: string
  readonly record_bounds: string | null
  readonly is_enabled: number
  readonly expires_at: Micros | null
  readonly tokens_valid_from: Micros
  readonly last_used_at: Micros | null
  readonly is_revoked: number
  readonly has_key: number
}

function stateOf(row: StateRow): ClientState {
  return {
    id: row.id,
    clientId: row.client_id,
    scopes: row.scopes.split(' '),
    recordBounds: parseBounds(row.record_bounds),
    isEnabled: row.is_enabled === 1,
    expiresAt: row.expires_at ?? undefined,
    tokensValidFrom: row.tokens_valid_from,
    lastUsedAt: row.last_used_at ?? undefined,
    isRevoked: row.is_revoked === 1,
    hasKey: row.has_key === 1,
  }
}
