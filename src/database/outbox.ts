// The outbox: events that a change made, written in the change's own transaction, so that neither is ever there
// without the other. Only the holder of the log's lock drains it. A row goes after its entry is durable, so a
// crash in between leaves it to be recorded again, under the same id, which the log recognises (I4).

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError, type AnnalsError, type ErrorCode } from '../errors.ts'
import { outboxBatch, outboxLookMs, outboxWaitMs } from '../limits.ts'
import type { Database, Transaction } from './database.ts'

/** Records an event; resolves once it is durable, or was already. */
export type Recorder = (event: AuditEvent) => Promise<void>

/** What a drain came to. */
export interface Drained {
  /** Events recorded. */
  readonly recorded: number
  /** Why the rest was left for the next time; undefined where nothing was. */
  readonly stoppedBy: AnnalsError | undefined
}

/**
 * Writes an event beside the change that made it. Its message must be text, and its time is kept as
 * `occurred`, for it may be recorded much later. Returns its id.
 */
export async function enqueue(transaction: Transaction, event: AuditEvent): Promise<string> {
  assert(
    typeof event.message === 'string' && event.occurred !== undefined,
    'an outbox event is of our own making',
  )
  await transaction
    .insertInto('outbox')
    .values({ id: event.id, event: JSON.stringify(event) })
    .execute()
  return event.id
}

/**
 * Records what waits, in order, and removes each row once its entry is durable. Where recording is refused for
 * now, the row and all behind it stay. Any other error of `record` is thrown: ID_CONFLICT, for one, would mean
 * that an id was used twice. One drain at a time.
 */
export async function drain(database: Database, record: Recorder): Promise<Drained> {
  let recorded = 0
  for (;;) {
    const rows = await waiting(database)
    if (rows.length === 0) return { recorded, stoppedBy: undefined }
    for (const { position, event } of rows) {
      try {
        await record(JSON.parse(event) as AuditEvent)
      } catch (error) {
        if (isAnnalsError(error) && passing.has(error.code)) return { recorded, stoppedBy: error }
        throw error
      }
      // A crash here: the entry is there, and so is the row. The next drain records it again, to no effect.
      await database.write.deleteFrom('outbox').where('position', '=', position).execute()
      recorded += 1
    }
  }
}

/** Those of `ids` that are not recorded yet. */
export async function pending(database: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await database.read.selectFrom('outbox').select('id').where('id', 'in', ids).execute()
  return rows.map(({ id }) => id)
}

/**
 * Waits until the events of `ids` are recorded, by whomever, for as long as `timeoutMs`. Returns those that
 * then are not: they will be, when a server runs again.
 */
export async function waitUntilRecorded(
  database: Database,
  ids: readonly string[],
  timeoutMs: number = outboxWaitMs,
): Promise<string[]> {
  const deadline = performance.now() + timeoutMs
  let left = await pending(database, ids)
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(Math.min(outboxLookMs, timeoutMs))
    left = await pending(database, left)
  }
  return left
}

// Refusals that pass: the next drain tries again.
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STORAGE_FULL',
  'LOG_READ_ONLY',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'TOO_MANY_REQUESTS',
])

async function waiting(database: Database): Promise<{ position: number; event: string }[]> {
  return database.read
    .selectFrom('outbox')
    .select(['position', 'event'])
    .orderBy('position')
    .limit(outboxBatch)
    .execute()
}
