// What the registry asks of the database.

import type { Kysely, Selectable, Updateable } from 'kysely'
import type { Database, Transaction } from '../database/database.ts'
import type { EngineTable, EngineTokenTable, Schema } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import type { EngineRow } from './engine-row.ts'
import type { JoinRequest } from './enrolment.ts'

/** A token at rest. */
export type TokenRow = Selectable<EngineTokenTable>

/** The engine of that id; undefined where it is gone. */
export async function rowOf(queries: Kysely<Schema>, id: number): Promise<EngineRow | undefined> {
  return queries.selectFrom('engine').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The engine of exactly that host name. */
export async function rowOfHost(queries: Kysely<Schema>, hostName: string): Promise<EngineRow | undefined> {
  return queries.selectFrom('engine').selectAll().where('host_name', '=', hostName).executeTakeFirst()
}

/** Engines in order of host name, by code units: all, or those that are connected in the sense of the contract (A6). */
export async function rowsOf({ read }: Database, which: 'all' | 'connected'): Promise<readonly EngineRow[]> {
  const all = read.selectFrom('engine').selectAll().orderBy('host_name')
  return (which === 'all' ? all : all.where('state', '!=', 'DISCONNECTED')).execute()
}

/** Their names only, for a name is looked up more often than all of them are wanted. */
export async function namesOf(
  queries: Kysely<Schema>,
  which: 'all' | 'connected',
): Promise<readonly { readonly id: number; readonly hostName: string }[]> {
  const all = queries.selectFrom('engine').select(['id', 'host_name as hostName']).orderBy('host_name')
  return (which === 'all' ? all : all.where('state', '!=', 'DISCONNECTED')).execute()
}

/** Changes an engine. */
export async function updateEngine(
  transaction: Transaction,
  id: number,
  values: Updateable<EngineTable>,
): Promise<void> {
  if (Object.keys(values).length === 0) return
  await transaction.updateTable('engine').set(values).where('id', '=', id).execute()
}

/** What a change of state ends: who is not called is not unreachable. */
export async function setState(
  transaction: Transaction,
  id: number,
  state: EngineTable['state'],
  now: Micros,
): Promise<void> {
  const answering = { unreachable_since: null, unreachable_reason: null }
  await updateEngine(transaction, id, { state, state_at: now, ...answering })
}

/** Takes in an engine that joins, in the place of the one that has its host name. */
export async function replaceEngine(
  transaction: Transaction,
  { hostName, address, log, logKey, keys, certificate }: JoinRequest,
  portalCertificate: string,
  now: Micros,
): Promise<void> {
  await transaction.deleteFrom('engine').where('host_name', '=', hostName).execute()
  await transaction
    .insertInto('engine')
    .values({
      host_name: hostName,
      state: 'CONNECTING',
      address,
      log,
      log_key: logKey,
      keys: keys ?? null,
      certificate: certificate.pem,
      portal_certificate: portalCertificate,
      joined_at: now,
      state_at: now,
    })
    .execute()
}

/** The token of that id. */
export async function tokenOf(queries: Kysely<Schema>, id: string): Promise<TokenRow | undefined> {
  return queries.selectFrom('engine_token').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Marks a token as used. */
export async function useToken(
  transaction: Transaction,
  id: string,
  facts: string,
  now: Micros,
): Promise<void> {
  const used = { used_at: now, used_facts: facts }
  await transaction.updateTable('engine_token').set(used).where('id', '=', id).execute()
}

/** Keeps a new token, and forgets those that expired before `forgottenBefore`. */
export async function keepToken(
  transaction: Transaction,
  token: Omit<TokenRow, 'used_at' | 'used_facts'>,
  forgottenBefore: Micros,
): Promise<void> {
  await transaction.deleteFrom('engine_token').where('expires_at', '<', forgottenBefore).execute()
  await transaction.insertInto('engine_token').values(token).execute()
}
