// The smallest question there is: a minute in which nothing happened, asked by a poller with a valid account. It
// costs authentication, a place in the log and a durable entry. The peer is the same server's /healthz, which
// costs nothing but HTTP.

import { administrator, auditLogPath, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { transfer } from './curl.ts'
import { compare, measureInRounds } from './harness.ts'
import { makeLog, parameterTime, timeOf } from './make-log.ts'
import { basic, connections, measureLoad } from './request-cpu.ts'

/** A small authenticated request, its own entry durable, against /healthz: the CPU per request. */
export const smallRequest: Benchmark = {
  name: 'small-request',
  title:
    'small authenticated request (one-minute window, empty), its own entry durable, 32 connections, against /healthz',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  // Four minutes apart, so that there are empty minutes in the middle of the log.
  const plan = { name: 'thin', lines: context.isQuick ? 1_000 : 10_000, spacingMicros: 240e6 }
  await using annals = await startAnnals(await makeLog(context, plan))
  const before = parameterTime(timeOf(plan, Math.floor(plan.lines / 2)) + 120e6)
  const minute = `${auditLogPath}?before_date=${before}&elapsed_hours=0.016666`
  // The first login is verified by argon2id, and what is measured is what follows: a poller has logged in before.
  await transfer(`${annals.url}${minute}`, { user: administrator })
  const seconds = context.isQuick ? 1 : 5
  const rates: number[] = []
  const emptyMinute = async () => {
    const { cpuMicros, rate } = await measureLoad(annals, {
      path: minute,
      authorization: basic(administrator),
      seconds,
    })
    rates.push(rate)
    return cpuMicros
  }
  const health = async () => (await measureLoad(annals, { path: '/healthz', seconds })).cpuMicros
  const measured = await measureInRounds(
    [
      { name: 'an empty minute', measure: emptyMinute },
      { name: '/healthz', measure: health },
    ],
    { ...context, unit: 'µs of CPU per request' },
  )
  const [ours, plain] = measured
  if (ours === undefined || plain === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [compare('CPU per request / that of /healthz', ours, plain, { kind: 'at most', value: 4 })],
    notes: [
      `wrk, ${connections} connections, one thread, ${seconds} s each time; CPU of the server's process, all threads, user and kernel, from /proc. Between ${Math.min(...rates).toFixed(0)} and ${Math.max(...rates).toFixed(0)} empty minutes a second.`,
      'Every empty minute is an entry of its own, made durable (fdatasync) before the head of the answer; reads that wait at the same time share a commit.',
    ],
  }
}
