// How long until the first line of an hour comes, in a big log and in one of a hundredth of its size: finding the
// place must not depend on how much there is. The client keeps one connection, so that only the answer is timed.

import { administrator, auditLogPath, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { compare, measureInRounds, medianOf } from './harness.ts'
import { HttpConnection } from './http-connection.ts'
import { type LogPlan, makeLog, parameterTime, timeOf } from './make-log.ts'
import { monthLines, monthPlan } from './window.ts'

const requestsInARound = 40

/** First byte of a one-hour window, against the same log at 1/100 of the size. */
export const firstByte: Benchmark = {
  name: 'first-byte',
  title: 'first byte of a one-hour window, against the same log at 1/100 of the size',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const big = monthPlan(monthLines(context))
  const lines = big.lines / 100
  // A hundredth can be the same activity for a shorter time, or less activity in the same time.
  const shorter = { name: `shorter-${lines}`, lines, spacingMicros: big.spacingMicros }
  const sparser = { ...monthPlan(lines), name: `sparser-${lines}` }
  await using ours = await open(context, big)
  await using short = await open(context, shorter)
  await using sparse = await open(context, sparser)
  const measured = await measureInRounds(
    [
      { name: `${big.lines.toLocaleString('en-GB')} lines`, measure: ours.measure },
      { name: `${lines.toLocaleString('en-GB')} lines, as dense`, measure: short.measure },
      { name: `${lines.toLocaleString('en-GB')} lines in as many days`, measure: sparse.measure },
    ],
    { ...context, unit: 'ms' },
  )
  const [bigger, dense, thin] = measured
  if (bigger === undefined || dense === undefined || thin === undefined)
    throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare(
        'how many times slower than 1/100 of the log, as dense (a window of the same bytes)',
        bigger,
        dense,
        { kind: 'at most', value: 1.5 },
      ),
      // For information: here the answer, too, has a hundredth of the bytes, and its first piece is smaller.
      compare('the same in as many days (a window of 1/100 of the bytes)', bigger, thin),
    ],
    notes: [
      `From sending the request to the first byte of the body, one connection, the median of ${requestsInARound} requests in each round, warm. The windows have ${ours.bytes()}, ${short.bytes()} and ${sparse.bytes()} bytes.`,
      'The durable entry of the read (fdatasync) is in the time, as in every answer.',
    ],
  }
}

interface OpenLog extends AsyncDisposable {
  readonly measure: () => Promise<number>
  readonly bytes: () => string
}

async function open(context: BenchContext, plan: LogPlan): Promise<OpenLog> {
  const annals = await startAnnals(await makeLog(context, plan))
  const connection = await HttpConnection.open(annals.url)
  const before = parameterTime(timeOf(plan, Math.floor(plan.lines / 2)))
  const path = `${auditLogPath}?before_date=${before}&elapsed_hours=1`
  let bytes = 0
  return {
    measure: async () => {
      const figures: number[] = []
      while (figures.length < requestsInARound) {
        const answer = await connection.get(path, administrator)
        bytes = answer.bytes
        figures.push(answer.firstByteMs)
      }
      return medianOf(figures)
    },
    bytes: () => bytes.toLocaleString('en-GB'),
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]()
      await annals[Symbol.asyncDispose]()
    },
  }
}
