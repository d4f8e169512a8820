// What decides whether somebody may log in to an account now, from a network. Read at every call, cached credentials or
// not, so it is one query, compiled once: some 10 µs.

import { type CompiledQuery, type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Schema } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import { GatheredRead } from './gathered-read.ts'
import { loopback } from './network.ts'
import type { Permission } from './permission.ts'
import { permissionsOf, type Profile } from './profile.ts'

/** An account, as a login from one network needs it. */
export interface AccountState {
  readonly id: number
  readonly name: string
  readonly profile: Profile
  /** What that allows, as it is now. */
  readonly permissions: readonly Permission[]
  readonly passwordHash: string
  readonly credentialVersion: number
  /** Where its failures from there count: the network itself where it is known or the machine's own, or `elsewhere`. */
  readonly network: string
  readonly failures: number
  readonly lockedUntil: Micros | undefined
  /** When it last signed in from there; undefined where the network is not known. */
  readonly knownSince: Micros | undefined
}

/**
 * Reads the state of the account of that name towards a network: what is committed, or, with `within`, what a transaction
 * sees.
 */
export type ReadAccountState = (
  name: string,
  network?: string,
  within?: Kysely<Schema>,
) => Promise<AccountState | undefined>

/** Prepares the reading of account states. */
export function accountStates(database: Database): ReadAccountState {
  const query = compile(database.read)
  const reads = new GatheredRead<AccountState | undefined>()
  const readFrom = async (queries: Kysely<Schema>, name: string, network: string) => {
    const parameters = [network, loopback, network, network, name]
    const { rows } = await queries.executeQuery<StateRow>({ ...query, parameters })
    return rows[0] === undefined ? undefined : stateOf(rows[0])
  }
  return async (name, network = '', within) =>
    within === undefined
      ? reads.get(`${network}\0${name}`, () => readFrom(database.read, name, network))
      : readFrom(within, name, network)
}

function compile(database: Kysely<Schema>): CompiledQuery<StateRow> {
  return sql<StateRow>`
    select s.*, f.failures, f.locked_until from (
      select a.id, a.name, a.profile, p.permissions, a.password_hash, a.credential_version, k.last_login_at,
        case when k.network is not null or ${''} = ${loopback} then ${''} else '' end as network
      from account a left join profile p on p.name = a.profile
        left join known_network k on k.account = a.name and k.network = ${''}
      where a.name = ${''}
    ) s left join login_failure f on f.account = s.name and f.network = s.network`.compile(database)
}

interface StateRow {
  readonly id: number
  readonly name: string
  readonly profile: string
  readonly permissions: string | null
  readonly password_hash: string
  readonly credential_version: number
  readonly last_login_at: Micros | null
  readonly network: string
  readonly failures: number | null
  readonly locked_until: Micros | null
}

function stateOf(row: StateRow): AccountState {
  return {
    id: row.id,
    name: row.name,
    profile: row.profile,
    permissions: permissionsOf(row.profile, row.permissions),
    passwordHash: row.password_hash,
    credentialVersion: row.credential_version,
    network: row.network,
    failures: row.failures ?? 0,
    lockedUntil: row.locked_until ?? undefined,
    knownSince: row.last_login_at ?? undefined,
  }
}
