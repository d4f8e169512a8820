// A day out of a month: what is asked for when something has happened. The peer is PostgreSQL with a row for each
// line, an index on time, and everything in memory.

import { join } from 'node:path'
import { administrator, auditLogPath, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { runCommand } from './command.ts'
import { transfer } from './curl.ts'
import { compare, measureInRounds, medianOf } from './harness.ts'
import { logEndDate, type LogPlan, makeLog, parameterTime, timeOf } from './make-log.ts'
import { type Postgres, type Route, startPostgres } from './peers/postgres.ts'

const monthMicros = 30 * 86_400 * 1e6
// A single answer is a matter of milliseconds, so that each round takes the median of a few.
const answersInARound = 3

/** 24 hours out of 30 days, 10 million lines, warm. */
export const window: Benchmark = {
  name: 'window',
  title: '24 hours out of 30 days, 10 million lines, warm, against PostgreSQL with an index on time',
  run,
}

/** A month of activity in so many lines; also what `first-byte` asks. */
export function monthPlan(lines: number): LogPlan {
  return { name: `month-${lines}`, lines, spacingMicros: Math.round(monthMicros / lines) }
}

/** How many lines the month has. */
export function monthLines(context: BenchContext): number {
  return context.isQuick ? 100_000 : 10_000_000
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = monthPlan(monthLines(context))
  await using annals = await startAnnals(await makeLog(context, plan))
  await using postgres = await startPostgres(
    join(context.directory, 'postgres'),
    context.isQuick ? 128 : 6_144,
  )
  await load(context, postgres, `${annals.url}${auditLogPath}?before_date=${logEndDate}`)
  const middle = timeOf(plan, Math.floor(plan.lines / 2))
  const url = `${annals.url}${auditLogPath}?before_date=${parameterTime(middle)}&elapsed_hours=24`
  const query = `select line from audit where time >= '${parameterTime(middle - 86_400e6)}' and time < '${parameterTime(middle)}' order by time`
  const bytes = await checkSame(context, postgres, url, query)
  const measured = await measureInRounds(
    [
      {
        name: 'Annals, loopback',
        measure: several(async () => (await transfer(url, { user: administrator })).seconds * 1e3),
      },
      { name: 'PostgreSQL, unix socket', measure: several(() => copyMs(postgres, query, 'socket')) },
      { name: 'PostgreSQL, loopback', measure: several(() => copyMs(postgres, query, 'loopback')) },
    ],
    { ...context, unit: 'ms' },
  )
  const [ours, socket, loopback] = measured
  if (ours === undefined || socket === undefined || loopback === undefined)
    throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare('how many times faster than PostgreSQL over loopback', loopback, ours, {
        kind: 'at least',
        value: 10,
      }),
      // For information: Annals' own client comes over loopback.
      compare('how many times faster than PostgreSQL over its unix socket', socket, ours),
    ],
    notes: [
      `${plan.lines.toLocaleString('en-GB')} lines in the log and in the table, ${bytes.toLocaleString('en-GB')} bytes in the window; both gave the same bytes (compared byte by byte).`,
      'Annals: curl, connecting, authentication and the durable entry of the read included. PostgreSQL: `COPY (SELECT line … ORDER BY time) TO STDOUT` into /dev/null by psql, its own timing, without connecting.',
      `${await postgres.describe()}.`,
    ],
  }
}

// The lines come from Annals' own answer. The table's comment remembers which, so that they are loaded once.
async function load(context: BenchContext, postgres: Postgres, url: string): Promise<void> {
  const wanted = await entityTag(url)
  const loaded = await postgres.psql(`select obj_description(to_regclass('audit'));`)
  if (loaded.trim() === wanted) return
  context.say('loading PostgreSQL')
  const curl = `curl --silent --show-error --fail --user ${administrator} "${url}"`
  await postgres.psql(`
    drop table if exists audit;
    create table audit (time timestamptz not null, line text not null);
    \\copy audit from program '${curl} | awk "{ print \\$2 \\"\\\\t\\" \\$0 }"'
    create index on audit (time);
    vacuum (analyze, freeze) audit;
    comment on table audit is '${wanted}';
  `)
}

async function entityTag(url: string): Promise<string> {
  const head = await runCommand('curl', ['--silent', '--fail', '--head', '--user', administrator, url])
  const tag = /^etag:\s*"?(\S+?)"?\s*$/im.exec(head)?.[1]
  if (tag === undefined) throw new Error(`no ETag: ${head}`)
  return tag
}

async function checkSame(
  context: BenchContext,
  postgres: Postgres,
  url: string,
  query: string,
): Promise<number> {
  const [ours, theirs] = [
    join(context.directory, 'window.annals'),
    join(context.directory, 'window.postgres'),
  ]
  const { bytes } = await transfer(url, { user: administrator, output: ours })
  await postgres.psql(`copy (${query}) to stdout \\g ${theirs}\n`)
  await runCommand('cmp', [ours, theirs])
  return bytes
}

async function copyMs(postgres: Postgres, query: string, route: Route): Promise<number> {
  const said = await postgres.psql(`\\timing on\ncopy (${query}) to stdout \\g /dev/null\n`, route)
  return Number(/^Time: ([0-9.]+) ms/m.exec(said)?.[1])
}

function several(measure: () => Promise<number>): () => Promise<number> {
  return async () => {
    const figures: number[] = []
    while (figures.length < answersInARound) figures.push(await measure())
    return medianOf(figures)
  }
}
