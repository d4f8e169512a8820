// Clients at rest: the rows of a client and of its secrets, read and written within the transaction of a change.

import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Transaction } from '../database/database.ts'
import type { ClientTable } from '../database/schema.ts'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { type Client, hashSecret } from './client.ts'
import type { NamedClient } from './client-events.ts'
import type { RecordBounds } from './rights.ts'

/** A client's row. */
export type ClientRow = Selectable<ClientTable>

/** What a client is and may: all of it that is set, and can be changed. */
export type ClientValues = Pick<Client, 'description' | 'scopes' | 'recordBounds' | 'expiresAt' | 'isEnabled'>

/** A row as a client; its secrets are in another table. */
export function clientOf(row: ClientRow): Omit<Client, 'secrets'> {
  return {
    clientId: row.client_id,
    name: row.name,
    description: row.description,
    scopes: row.scopes.split(' '),
    recordBounds: parseBounds(row.record_bounds),
    isEnabled: row.is_enabled === 1,
    expiresAt: row.expires_at ?? undefined,
    createdAt: row.created_at,
    createdBy: row.created_by,
    owner: row.owner ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}

/** What of a row says what its client is and may. */
export function columnsOf({ description, scopes, recordBounds, expiresAt, isEnabled }: ClientValues) {
  return {
    description,
    scopes: scopes.join(' '),
    record_bounds: recordBounds === undefined ? null : JSON.stringify(recordBounds),
    expires_at: expiresAt ?? null,
    is_enabled: Number(isEnabled),
  } satisfies Updateable<ClientTable>
}

/** Bounds as they are stored, read back. */
export function parseBounds(json: string | null): RecordBounds | undefined {
  return json === null ? undefined : (JSON.parse(json) as RecordBounds)
}

/** How a client's events and answers name it. */
export function namedOf({ client_id: clientId, name }: ClientRow): NamedClient {
  return { clientId, name }
}

/** The client of that name or id; where one is called as another's id is, the id counts. Throws DOES_NOT_EXIST. */
export async function rowFor(transaction: Transaction, named: string): Promise<ClientRow> {
  const name = named.normalize('NFC')
  const rows = await transaction
    .selectFrom('client')
    .selectAll()
    .where((where) => where.or([where('name', '=', name), where('client_id', '=', named)]))
    .execute()
  const row = rows.find(({ client_id }) => client_id === named) ?? rows[0]
  if (row === undefined) throw new AnnalsError('DOES_NOT_EXIST', `there is no client "${named}"`)
  return row
}

/** Writes a new client, and returns its row's id. Throws ALREADY_EXISTS for a name that is taken. */
export async function insertClient(
  transaction: Transaction,
  values: Insertable<ClientTable>,
): Promise<number> {
  const made = await transaction
    .insertInto('client')
    .values(values)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made !== undefined) return made.id
  throw new AnnalsError('ALREADY_EXISTS', `there is a client "${values.name}" already`)
}

/** Changes a client. */
export async function updateClient(
  transaction: Transaction,
  id: number,
  values: Updateable<ClientTable>,
): Promise<void> {
  await transaction.updateTable('client').set(values).where('id', '=', id).execute()
}

/** Removes a client with its secrets. */
export async function removeRow(transaction: Transaction, id: number): Promise<void> {
  await transaction.deleteFrom('client_secret').where('client', '=', id).execute()
  await transaction.deleteFrom('client').where('id', '=', id).execute()
}

/** Writes a new secret, as its hash. */
export async function insertSecret(
  transaction: Transaction,
  client: number,
  secret: string,
  now: Micros,
): Promise<void> {
  const values = { client, hash: hashSecret(secret), created_at: now, expires_at: null }
  await transaction.insertInto('client_secret').values(values).execute()
}

/** Ends the secrets of a client, but for the latest, which goes on for the time of grace where there is one. */
export async function endSecrets(
  transaction: Transaction,
  client: number,
  now: Micros,
  graceSeconds: number,
): Promise<void> {
  const latest = await transaction
    .selectFrom('client_secret')
    .select('id')
    .where('client', '=', client)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  const kept = graceSeconds > 0 ? latest?.id : undefined
  await transaction
    .deleteFrom('client_secret')
    .where('client', '=', client)
    .where('id', '!=', kept ?? 0)
    .execute()
  if (kept === undefined) return
  const expires_at = now + graceSeconds * 1_000_000
  await transaction.updateTable('client_secret').set({ expires_at }).where('id', '=', kept).execute()
}
