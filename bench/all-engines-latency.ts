// How long until the first line of all engines comes, when each is far away: their delays must not add up. The peer is
// one of these engines through the same portal. The client keeps one connection, so that only the answer is timed.

import { join } from 'node:path'
import { administrator } from './annals.ts'
import { manyEngines, manyPlan } from './all-engines.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { engineLogPath, enginesLogPath, startFederation } from './federation.ts'
import { compare, type Contestant, measureInRounds, medianOf } from './harness.ts'
import { HttpConnection } from './http-connection.ts'
import { type LogPlan, parameterTime, timeOf } from './make-log.ts'

const roundTripMs = 20
const requestsInARound = 10
// Some 100 KiB of each engine, and what a poller finds that comes every minute or two.
const [manyLines, fewLines] = [300, 1]

/** First byte of all engines, each 20 ms away. */
export const allEnginesLatency: Benchmark = {
  name: 'all-engines-latency',
  title: `first byte of all of 100 engines, each ${roundTripMs} ms away, against one of them`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const engines = await manyEngines(context)
  const portalData = join(context.directory, 'portals', 'latency')
  await using federation = await startFederation({ portal: portalData, engines, roundTripMs })
  using connection = await HttpConnection.open(federation.portal.url)
  const one = engineLogPath(engines[0]?.hostName ?? '')
  const bytes: number[] = []
  const plan = manyPlan(context)
  const contestantOf = (name: string, path: string, lines: number): Contestant => ({
    name,
    measure: () => firstByteMs(connection, `${path}?${windowOf(plan, lines)}`, bytes),
  })
  const measured = await measureInRounds(
    [
      contestantOf(`${engines.length} engines, ${manyLines} lines each`, enginesLogPath, manyLines),
      contestantOf(`one engine, ${manyLines} lines`, one, manyLines),
      contestantOf(`${engines.length} engines, ${fewLines} line each`, enginesLogPath, fewLines),
      contestantOf(`one engine, ${fewLines} line`, one, fewLines),
    ],
    { ...context, unit: 'ms' },
  )
  const [all, single, allShort, singleShort] = measured
  if (all === undefined || single === undefined || allShort === undefined || singleShort === undefined)
    throw new Error('a contestant is missing')
  const bar = { kind: 'at most', value: 4 } as const
  const [allBytes = 0, oneBytes = 0, allShortBytes = 0, oneShortBytes = 0] = bytes
  return {
    measured,
    comparisons: [
      compare(`${engines.length} engines / one engine, ${manyLines} lines each`, all, single, bar),
      compare(`${engines.length} engines / one engine, ${fewLines} line each`, allShort, singleShort, bar),
    ],
    notes: [
      `From sending the request to the first byte of the body, one connection, the median of ${requestsInARound} requests in each round, warm. The answers have ${group(allBytes)} and ${group(oneBytes)} bytes with ${manyLines} lines of each engine, ${group(allShortBytes)} and ${group(oneShortBytes)} with one.`,
      `${roundTripMs} ms there and back: TCP proxies hold every byte for ${roundTripMs / 2} ms in either direction. They, the portal, the client and the engines in 4 processes share this machine's cores: what they compute for 100 engines is in the figures.`,
      'Every read is an entry of each engine and one of the portal, all durable (fdatasync) before the head of the answer; the disk that all of them sync to is one.',
    ],
  }
}

// In the middle of the log, between two lines.
function windowOf(plan: LogPlan, lines: number): string {
  const before = timeOf(plan, Math.floor(plan.lines / 2)) + Math.floor(plan.spacingMicros / 2)
  const hours = ((lines * plan.spacingMicros) / 3_600e6).toFixed(6)
  return `before_date=${parameterTime(before)}&elapsed_hours=${hours}`
}

async function firstByteMs(connection: HttpConnection, path: string, bytes: number[]): Promise<number> {
  const figures: number[] = []
  let last = 0
  while (figures.length < requestsInARound) {
    const answer = await connection.get(path, administrator)
    figures.push(answer.firstByteMs)
    last = answer.bytes
  }
  bytes.push(last)
  return medianOf(figures)
}

function group(figure: number): string {
  return figure.toLocaleString('en-GB')
}
