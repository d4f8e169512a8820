// Many record at the same time: what a busy product does to its log. Annals in this process, on the whole path
// from the event to the disk, and for drafts that were made before. The peer is PostgreSQL with as many
// connections as it likes, a prepared INSERT each, and nothing else to do: no check for duplicates, no hashes.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEvent, Draft } from '../src/entry/event.ts'
import { draftOf } from '../src/entry/line.ts'
import type { AuditLog } from '../src/log/audit-log.ts'
import { eventAt, eventId } from './activity.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { openFreshLog } from './fresh-log.ts'
import { collectGarbage } from './garbage.ts'
import { compare, measureInRounds } from './harness.ts'
import { startPostgres } from './peers/postgres.ts'

const recorders = 1_024
const connections = 32
const peerLineBytes = 200
const preparedEvents = 10_000

/** Durable appends, 1024 concurrent recorders in process, against PostgreSQL with 32 connections. */
export const append: Benchmark = {
  name: 'append',
  title:
    'durable appends, 1024 concurrent recorders in process, against PostgreSQL, 32 connections, one INSERT each',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 5_000 : 200_000
  const seconds = context.isQuick ? 1 : 5
  await using log = await openFreshLog(join(context.directory, 'append'))
  await using postgres = await startPostgres(
    join(context.directory, 'postgres'),
    context.isQuick ? 128 : 6_144,
  )
  const script = await prepareInserts(context, (sql) => postgres.psql(sql))
  const numbers = upFrom(0)
  const measured = await measureInRounds(
    [
      { name: 'Annals, whole path', measure: () => recordEvents(log, count, numbers) },
      { name: 'Annals, drafts already made', measure: () => recordDrafts(log, count, numbers) },
      {
        name: `PostgreSQL, ${connections} connections`,
        measure: () => postgres.transactionsPerSecond(script, { clients: connections, seconds }),
      },
    ],
    { ...context, unit: 'entries/s' },
  )
  const [whole, drafts, peer] = measured
  if (whole === undefined || drafts === undefined || peer === undefined)
    throw new Error('a contestant is missing')
  const { bytes, size } = log.status()
  return {
    measured,
    comparisons: [
      compare('Annals, whole path / PostgreSQL', whole, peer, { kind: 'at least', value: 8 }),
      compare('Annals, drafts already made / PostgreSQL', drafts, peer, { kind: 'at least', value: 15 }),
    ],
    notes: [
      `Annals: ${count.toLocaleString('en-GB')} entries each time by ${recorders} recorders, each of which waits for its entry before it makes the next; lines of ${(bytes / size).toFixed(0)} bytes; checked for duplicates, hashed into the tree, fdatasync before every answer.`,
      `PostgreSQL: pgbench, two threads, prepared statements, unix socket, ${seconds} s each time; rows of a time and ${peerLineBytes} bytes, an index on time, no other constraint.`,
      `${await postgres.describe()}.`,
    ],
  }
}

async function prepareInserts(
  context: BenchContext,
  psql: (sql: string) => Promise<string>,
): Promise<string> {
  await psql(`
    drop table if exists appended;
    create table appended (time timestamptz not null, line text not null);
    create index on appended (time);
  `)
  const script = join(context.directory, 'append.sql')
  const line = 'x'.repeat(peerLineBytes)
  await writeFile(script, `insert into appended (time, line) values (clock_timestamp(), '${line}');\n`)
  return script
}

// Making up an event is not the log's work: all but its id is prepared.
function recordEvents(log: AuditLog, count: number, numbers: () => number): Promise<number> {
  const prepared = Array.from({ length: preparedEvents }, () => eventAt(numbers()))
  return recordAll(log, count, (k) => {
    const event = prepared[k % preparedEvents] as AuditEvent
    return draftOf({ ...event, id: eventId(numbers()) }, log.id)
  })
}

// From the sequencer to the disk, without rendering.
function recordDrafts(log: AuditLog, count: number, numbers: () => number): Promise<number> {
  const drafts = Array.from({ length: count }, () => draftOf(eventAt(numbers()), log.id))
  return recordAll(log, count, (k) => drafts[k] as Draft)
}

async function recordAll(log: AuditLog, count: number, draftAt: (k: number) => Draft): Promise<number> {
  let next = 0
  const record = async () => {
    while (next < count) {
      const k = next
      next += 1
      await log.record(draftAt(k))
    }
  }
  collectGarbage()
  const begin = performance.now()
  await Promise.all(Array.from({ length: recorders }, record))
  return count / ((performance.now() - begin) / 1000)
}

function upFrom(first: number): () => number {
  let next = first
  return () => next++
}
