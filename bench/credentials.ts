// What it costs to say who one is: the smallest question there is, asked with an access token and with HTTP Basic, and
// the same server's /healthz, which asks for nothing. Token and password were verified before: what is measured is
// what every request of a poller costs, its own durable entry included.

import { accessToken, administrator, auditLogPath, makeClient, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { transfer } from './curl.ts'
import { compare, measureInRounds } from './harness.ts'
import { makeLog, parameterTime, timeOf } from './make-log.ts'
import { basic, connections, measureLoad } from './request-cpu.ts'

/** A small request with a Bearer token and with Basic, against /healthz: the CPU per request. */
export const credentials: Benchmark = {
  name: 'credentials',
  title:
    'small request with a Bearer token and with Basic, its own entry durable, 32 connections, against /healthz',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  // Four minutes apart, so that there are empty minutes in the middle of the log.
  const plan = { name: 'thin', lines: context.isQuick ? 1_000 : 10_000, spacingMicros: 240e6 }
  const data = await makeLog(context, plan)
  // A token outlives the benchmark.
  await using annals = await startAnnals(data, ['--access-token-seconds', '7200'])
  const before = parameterTime(timeOf(plan, Math.floor(plan.lines / 2)) + 120e6)
  const path = `${auditLogPath}?before_date=${before}&elapsed_hours=0.016666`
  await transfer(`${annals.url}${path}`, { user: administrator })
  const token = await accessToken(annals, await makeClient(data, `bench-${process.pid}`))
  const seconds = context.isQuick ? 1 : 5
  const measure = (authorization: string) => async () =>
    (await measureLoad(annals, { path, authorization, seconds })).cpuMicros
  const measured = await measureInRounds(
    [
      { name: 'Bearer', measure: measure(`Bearer ${token}`) },
      { name: 'Basic', measure: measure(basic(administrator)) },
      {
        name: '/healthz',
        measure: async () => (await measureLoad(annals, { path: '/healthz', seconds })).cpuMicros,
      },
    ],
    { ...context, unit: 'µs of CPU per request' },
  )
  const [bearer, password, health] = measured
  if (bearer === undefined || password === undefined || health === undefined)
    throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare('Bearer / /healthz', bearer, health, { kind: 'at most', value: 4 }),
      compare('Basic / Bearer', password, bearer, { kind: 'at most', value: 1.2 }),
    ],
    notes: [
      `wrk, ${connections} connections, one thread, ${seconds} s each time; CPU of the server's process, all threads, user and kernel, from /proc.`,
      'Every request with credentials is an entry of its own, made durable (fdatasync) before the head of the answer. Each looks in the database whether the client, its token or the account is still good.',
    ],
  }
}
