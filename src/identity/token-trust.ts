// What an engine must know to judge access tokens by itself, and so also while its portal is away: whose they are, the keys
// that they are signed with, the clients that may record, and the tokens that were revoked. The portal tells all of its
// engines the same, again whenever it changes.
//
// Whatever is not in it is refused, so that what is left out for want of room is refused too. A token ends, at the
// latest, when it expires: what an engine was told is never more out of date than the life of a token, but for keys that
// were stolen.

import { createHash } from 'node:crypto'
import type { JWK } from 'jose'
import type { Database } from '../database/database.ts'
import type { Micros } from '../entry/event.ts'
import { toldClients, toldRevocations, toldTokenKeys } from '../limits.ts'
import type { TokenPlace } from './access-token.ts'
import { parseBounds } from './client-row.ts'
import type { Clock } from './clock.ts'
import type { RecordBounds } from './rights.ts'
import { recordScope } from './scope.ts'
import type { TokenKeys } from './token-keys.ts'

/** What an engine is told. */
export interface TokenTrust {
  /** Who issues the tokens. */
  readonly issuer: string
  /** The public keys, each with its `kid` (RFC 7517). */
  readonly keys: readonly JWK[]
  /** The clients that may record, in order of id. */
  readonly clients: readonly ToldClient[]
  /** Revoked tokens for engines that would not have expired yet, in order of their ends. */
  readonly revoked: readonly ToldRevocation[]
  /** Tokens that expire no later than this are not good, for not all of them that were revoked are told; 0 where all are. */
  readonly endedUntil: Micros
}

/** A client that may record. */
export interface ToldClient {
  readonly id: string
  /** Tokens that name another moment than this are no longer good. */
  readonly validFrom: Micros
  readonly expires?: Micros
  /** The digest of what it may record: tokens that name other bounds are no longer good. */
  readonly records: string
}

/** A token that was revoked. */
export interface ToldRevocation {
  readonly jti: string
  readonly expires: Micros
}

/** What is needed to tell it. */
export interface TokenTrustParts {
  readonly database: Pick<Database, 'read'>
  readonly keys: Pick<TokenKeys, 'jwks'>
  readonly place: () => TokenPlace
  readonly clock: Clock
}

/** What engines are to be told at this moment. */
export async function tokenTrustOf(parts: TokenTrustParts): Promise<TokenTrust> {
  const now = parts.clock.wallMicros()
  const [{ keys }, clients, revocations] = await Promise.all([
    parts.keys.jwks(),
    clientsOf(parts.database, now),
    revocationsOf(parts.database, now),
  ])
  const { issuer } = parts.place()
  // The oldest come first.
  return { issuer, keys: keys.slice(-toldTokenKeys), clients, ...revocations }
}

/** Stands for what a client may record: two that differ in anything have other digests. */
export function recordsDigest({ components, codes, ownCodes }: RecordBounds): string {
  const text = JSON.stringify([components, codes, ownCodes])
  return createHash('sha256').update(text).digest('base64url').slice(0, digestCharacters)
}

// 132 bits.
const digestCharacters = 22

async function clientsOf({ read }: Pick<Database, 'read'>, now: Micros): Promise<ToldClient[]> {
  const rows = await read
    .selectFrom('client')
    .select(['client_id', 'scopes', 'record_bounds', 'expires_at', 'tokens_valid_from'])
    .where('record_bounds', 'is not', null)
    .where('is_enabled', '=', 1)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)]))
    .orderBy((row) => row.fn.coalesce('last_used_at', 'created_at'), 'desc')
    .limit(toldClients)
    .execute()
  return rows
    .filter(({ scopes }) => scopes.split(' ').includes(recordScope))
    .flatMap((row) => toldClientOf(row) ?? [])
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function toldClientOf(row: {
  readonly client_id: string
  readonly record_bounds: string | null
  readonly expires_at: Micros | null
  readonly tokens_valid_from: Micros
}): ToldClient | undefined {
  const bounds = parseBounds(row.record_bounds)
  if (bounds === undefined) return undefined
  return {
    id: row.client_id,
    validFrom: row.tokens_valid_from,
    ...(row.expires_at === null ? {} : { expires: row.expires_at }),
    records: recordsDigest(bounds),
  }
}

async function revocationsOf(
  { read }: Pick<Database, 'read'>,
  now: Micros,
): Promise<Pick<TokenTrust, 'revoked' | 'endedUntil'>> {
  const rows = await read
    .selectFrom('revoked_token')
    .select(['jti', 'expires_at as expires'])
    .where('log', 'is not', null)
    .where('expires_at', '>', now)
    .orderBy('expires_at', 'desc')
    .orderBy('jti')
    .limit(toldRevocations + 1)
    .execute()
  const revoked = rows.slice(0, toldRevocations).toReversed()
  return { revoked, endedUntil: rows[toldRevocations]?.expires ?? 0 }
}
