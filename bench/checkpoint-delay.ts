// From the acknowledgement of an entry to a checkpoint that covers it, signed and durable, under a steady load.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { draftOf } from '../src/entry/line.ts'
import type { AuditLog } from '../src/log/audit-log.ts'
import { eventAt } from './activity.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { openFreshLog } from './fresh-log.ts'
import { against, measureInRounds } from './harness.ts'

const eventsPerSecond = 10_000
const turnMs = 10
/** One of so many is watched. */
const watched = 10

/** From the acknowledgement of an entry to a checkpoint that covers it. */
export const checkpointDelay: Benchmark = {
  name: 'checkpoint-delay',
  title: 'from the acknowledgement to a checkpoint that covers the entry, at 10,000 events a second, p99',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const seconds = context.isQuick ? 1 : 10
  await using log = await openFreshLog(join(context.directory, 'checkpoint-delay'))
  let next = 0
  const measured = await measureInRounds(
    [{ name: 'Annals, p99', measure: async () => (await delays(log, seconds, () => next++)).p99 }],
    { ...context, unit: 'ms' },
  )
  return {
    measured,
    comparisons: [against('p99 as a share of a second', measured[0]?.figures ?? [], 1_000)],
    notes: [
      `${eventsPerSecond.toLocaleString('en-GB')} events a second for ${seconds} s each time, in process; one of ${watched} entries is watched from its acknowledgement until its checkpoint is signed with Ed25519 and ML-DSA-44 and durable (fsync on).`,
      "Tessera's published figures for the same are 2.3 to 3.6 s.",
    ],
  }
}

async function delays(log: AuditLog, seconds: number, number: () => number): Promise<{ p99: number }> {
  const all: number[] = []
  const work: Promise<void>[] = []
  const record = async (isWatched: boolean) => {
    const { position } = await log.record(draftOf(eventAt(number()), log.id))
    if (!isWatched) return
    const acknowledged = performance.now()
    await log.proofs.covering(position + 1)
    all.push(performance.now() - acknowledged)
  }
  const begin = performance.now()
  for (let done = 0; done < seconds * eventsPerSecond;) {
    const due = Math.min(
      seconds * eventsPerSecond,
      Math.ceil(((performance.now() - begin) / 1000) * eventsPerSecond),
    )
    for (; done < due; done += 1) work.push(record(done % watched === 0))
    await sleep(turnMs)
  }
  await Promise.all(work)
  all.sort((a, b) => a - b)
  return { p99: all[Math.floor(all.length * 0.99)] ?? Number.NaN }
}
