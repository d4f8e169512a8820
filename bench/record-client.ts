// What the client library takes of the application that records with it: the CPU of the whole process, for each event that
// is recorded, everything included from the call to the receipt.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeClient, portalName, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { against, measureInRounds } from './harness.ts'
import { startHelper } from './helper-process.ts'
import type { Application } from './recording-application.ts'
import { recorderRights, recordingFlags } from './recording.ts'

const barMicros = 20
const concurrent = 1_000

/** The client library's `record` under load: the caller's CPU. */
export const recordClient: Benchmark = {
  name: 'record-client',
  title: "the client library's record under load: the application's CPU for each event",
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 5_000 : 200_000
  const data = join(context.directory, 'record-client')
  await rm(data, { recursive: true, force: true })
  await using annals = await startAnnals(data, recordingFlags)
  const client = await makeClient(data, 'application', recorderRights)
  const task = { url: annals.url, log: portalName, client, count, concurrent }
  const rates: number[] = []
  const measure = async () => {
    await using application = await startHelper<Application>('recording-application.ts', task)
    rates.push(application.reply.rate)
    return application.reply.cpuMicros
  }
  const measured = await measureInRounds([{ name: 'record', measure }], {
    ...context,
    unit: 'µs of CPU per event',
  })
  const [micros] = measured
  if (micros === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [against(`CPU per event / ${barMicros} µs`, micros.figures, barMicros)],
    notes: [
      `${count.toLocaleString('en-GB')} events by ${concurrent.toLocaleString('en-GB')} callers, each of which waits for its receipt before it records the next; user and kernel time of the whole process, all threads, from the first call to the last receipt (process.cpuUsage), after a tenth as many that do not count. Between ${Math.min(...rates).toFixed(0)} and ${Math.max(...rates).toFixed(0)} events a second; every one was durable before its receipt.`,
    ],
  }
}
