// One event in a request, and the answer only when it is durable: how an application records that waits for its entry.
// The peer is what is commonly written instead: a small fastify endpoint in front of PostgreSQL, one INSERT each.

import { join } from 'node:path'
import { rm } from 'node:fs/promises'
import { administrator, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { compare, type Contestant, formatFigure, type Measured, measureInRounds } from './harness.ts'
import { type Helper, startHelper } from './helper-process.ts'
import { type Postgres, startPostgres } from './peers/postgres.ts'
import type { PostgresRecording } from './peers/postgres-recorder.ts'
import {
  postEvents,
  type PostOutcome,
  recorderConnections,
  recorderHeader,
  recordingFlags,
  recordingPath,
} from './recording.ts'
import { basic } from './request-cpu.ts'

// What Tessera (transparency-dev/tessera) publishes of its POSIX driver, in its README: 10,000 entries/s on 7 cores.
const tesseraRate = 10_000
const pools = [16, 32, 64] as const

/** Single events over HTTP, 64 connections, each durable before its answer, against PostgreSQL behind fastify. */
export const recordOne: Benchmark = {
  name: 'record-one',
  title: `single events over HTTP, ${recorderConnections} connections, each durable before its answer, against PostgreSQL behind a small fastify endpoint`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const seconds = context.isQuick ? 1 : 5
  const data = join(context.directory, 'record-one')
  await rm(data, { recursive: true, force: true })
  await using annals = await startAnnals(data, recordingFlags)
  await using postgres = await startRecordingPostgres(context)
  const pool = await bestPool(context, postgres)
  await using peer = await startPeer(postgres, pool)
  const ours = { url: annals.url, path: recordingPath, connections: recorderConnections, seconds }
  const theirs = { ...ours, url: peer.reply.url, path: '/events' }
  const authorization = await recorderHeader(annals, data)
  const kept = { bearer: [] as PostOutcome[], basic: [] as PostOutcome[], peer: [] as PostOutcome[] }
  const contestant = (
    name: string,
    outcomes: PostOutcome[],
    load: Parameters<typeof postEvents>[0],
  ): Contestant => ({
    name,
    measure: async () => {
      const outcome = await postEvents(load)
      outcomes.push(outcome)
      return outcome.rate
    },
  })
  const measured = await measureInRounds(
    [
      contestant('Annals, Bearer token', kept.bearer, { ...ours, authorization }),
      contestant('Annals, Basic', kept.basic, { ...ours, authorization: basic(administrator) }),
      contestant(`PostgreSQL, pool of ${pool}`, kept.peer, theirs),
    ],
    { ...context, unit: 'events/s' },
  )
  const [bearer, password, inserts] = measured
  if (bearer === undefined || password === undefined || inserts === undefined)
    throw new Error('a contestant is missing')
  const slowest = {
    bearer: p99Of(bearer, kept.bearer),
    basic: p99Of(password, kept.basic),
    peer: p99Of(inserts, kept.peer),
  }
  return {
    measured: [...measured, ...Object.values(slowest)],
    comparisons: [
      compare('Bearer / PostgreSQL', bearer, inserts, { kind: 'at least', value: 2.5 }),
      compare('p99, Bearer / PostgreSQL', slowest.bearer, slowest.peer, { kind: 'at most', value: 1 }),
      compare('Basic / PostgreSQL', password, inserts),
      compare('p99, Basic / PostgreSQL', slowest.basic, slowest.peer),
    ],
    notes: [
      `wrk with one thread on the same machine, ${seconds} s each time; events of some 250 bytes of JSON, each with an id of its own. Annals verifies who it is, checks for duplicates, applies the message's template, hashes, and answers after fdatasync.`,
      `PostgreSQL: fastify checks the same fields, the npm package postgres inserts (id uuid primary key, time, code, actor, message, jsonb; no further index), nobody is authenticated; pools of ${pools.join(', ')} connections over the unix socket were tried first, and the best of them taken. ${await postgres.describe()}.`,
      `Tessera publishes ${formatFigure(tesseraRate)} entries/s for its POSIX driver on 7 cores.`,
    ],
  }
}

/** Starts the cluster with an empty table for events. */
export async function startRecordingPostgres(context: BenchContext): Promise<Postgres> {
  const postgres = await startPostgres(join(context.directory, 'postgres'), context.isQuick ? 128 : 6_144)
  await postgres.psql(`
    drop table if exists events;
    create table events (
      id uuid primary key, time timestamptz not null default clock_timestamp(), code integer not null,
      actor text not null, message text not null, event jsonb not null
    );
  `)
  return postgres
}

/** Starts the endpoint in front of it. */
export function startPeer(
  { socketDirectory, port }: Postgres,
  pool: number,
): Promise<Helper<PostgresRecording>> {
  return startHelper<PostgresRecording>('peers/postgres-recorder.ts', { socketDirectory, port, pool })
}

async function bestPool(context: BenchContext, postgres: Postgres): Promise<number> {
  const seconds = context.isQuick ? 1 : 3
  const rates: [pool: number, rate: number][] = []
  for (const pool of pools) {
    await using peer = await startPeer(postgres, pool)
    const load = { url: peer.reply.url, path: '/events', connections: recorderConnections }
    await postEvents({ ...load, seconds: 3 })
    rates.push([pool, (await postEvents({ ...load, seconds })).rate])
  }
  context.say(`pools: ${rates.map(([pool, rate]) => `${pool}: ${formatFigure(rate)}/s`).join(', ')}`)
  return rates.reduce((best, tried) => (tried[1] > best[1] ? tried : best))[0]
}

// The first round does not count.
function p99Of({ name, figures }: Measured, outcomes: readonly PostOutcome[]): Measured {
  return {
    name: `${name}: p99`,
    unit: 'ms',
    figures: outcomes.slice(-figures.length).map(({ p99Ms }) => p99Ms),
  }
}
