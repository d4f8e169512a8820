// What the registry works with, and how it changes things: each change and the events that tell it in one transaction.

import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../database/outbox.ts'
import type { AuditEvent, Micros } from '../entry/event.ts'
import type { Random } from './join-token.ts'

/** What the registry needs. */
export interface RegistryParts {
  readonly database: Database
  readonly clock: { wallMicros(): Micros }
  /** The portal's. */
  readonly hostName: string
  readonly random: Random
}

/** Does work in a transaction, which holds the only write lock from its beginning. */
export async function transact<T>(
  { database }: RegistryParts,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return database.write.transaction().execute(work)
}

/** Writes events beside the change that they tell. Returns their ids. */
export async function tell(
  { clock }: RegistryParts,
  transaction: Transaction,
  ...events: readonly AuditEvent[]
): Promise<string[]> {
  const ids: string[] = []
  const occurred = clock.wallMicros()
  for (const event of events) ids.push(await enqueue(transaction, { ...event, occurred }))
  return ids
}
