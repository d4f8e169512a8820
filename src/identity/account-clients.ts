// The clients that were made in the name of an account, and what becomes of them when it goes.

import type { Transaction } from '../database/database.ts'
import type { AuditEvent } from '../entry/event.ts'
import type { Author } from './account-events.ts'
import { clientChanged, clientRemoved } from './client-events.ts'
import { namedOf, removeRow } from './client-row.ts'

/** Their names. */
export async function clientsOf(transaction: Transaction, owner: string): Promise<string[]> {
  const rows = await transaction
    .selectFrom('client')
    .select('name')
    .where('owner', '=', owner)
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}

/** Removes them. Returns the events that tell it. */
export async function removeClientsOf(
  transaction: Transaction,
  owner: string,
  hostName: string,
  by: Author,
): Promise<AuditEvent[]> {
  const rows = await transaction
    .selectFrom('client')
    .selectAll()
    .where('owner', '=', owner)
    .orderBy('name')
    .execute()
  for (const { id } of rows) await removeRow(transaction, id)
  return rows.map((row) => clientRemoved(hostName, by, namedOf(row)))
}

/** Leaves them without an owner. Returns the events that tell it. */
export async function keepClientsOf(
  transaction: Transaction,
  owner: string,
  hostName: string,
  by: Author,
): Promise<AuditEvent[]> {
  const rows = await transaction
    .updateTable('client')
    .set({ owner: null })
    .where('owner', '=', owner)
    .returningAll()
    .execute()
  return rows.map((row) => clientChanged(hostName, by, namedOf(row), 'owner', [['formerOwner', owner]]))
}
