// What decides whether somebody may log in to an account now. Read at every call, cached credentials or not, so
// it is one query, compiled once: 8 µs.

import type { CompiledQuery, Kysely } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Schema } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import { storedProfile, type Profile } from './profile.ts'

/** An account, as a login needs it. */
export interface AccountState {
  readonly id: number
  readonly name: string
  readonly profile: Profile
  readonly passwordHash: string
  readonly credentialVersion: number
  readonly failures: number
  readonly lockedUntil: Micros | undefined
}

/** Reads the state of the account of that name: what is committed, or, with `within`, what a transaction sees. */
export type ReadAccountState = (name: string, within?: Kysely<Schema>) => Promise<AccountState | undefined>

/** Prepares the reading of account states. */
export function accountStates(database: Database): ReadAccountState {
  const query = compile(database.read)
  return async (name, within = database.read) => {
    const { rows } = await within.executeQuery<StateRow>({ ...query, parameters: [name] })
    return rows[0] === undefined ? undefined : stateOf(rows[0])
  }
}

function compile(database: Kysely<Schema>): CompiledQuery<StateRow> {
  return database
    .selectFrom('account')
    .leftJoin('lockout', 'lockout.account', 'account.name')
    .select(['id', 'name', 'profile', 'password_hash', 'credential_version', 'failures', 'locked_until'])
    .where('name', '=', '')
    .compile()
}

interface StateRow {
  readonly id: number
  readonly name: string
  readonly profile: string
  readonly password_hash: string
  readonly credential_version: number
  readonly failures: number | null
  readonly locked_until: Micros | null
}

function stateOf(row: StateRow): AccountState {
  return {
    id: row.id,
    name: row.name,
    profile: storedProfile(row.profile),
    passwordHash: row.password_hash,
    credentialVersion: row.credential_version,
    failures: row.failures ?? 0,
    lockedUntil: row.locked_until ?? undefined,
  }
}
