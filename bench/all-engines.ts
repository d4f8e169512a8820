// A client pulls the logs of all engines in one answer. The peer is the same portal with as many bytes in its own store:
// what it costs that they come from a hundred places over TLS. The portal's memory must depend neither on how many
// places these are nor on how long their logs (contract R7), so another portal has a tenth of the engines with logs ten
// times as long.

import { administrator, auditLogPath } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { curlVersion, pull, transfer } from './curl.ts'
import { type EngineLog, engineLogs, enginesLogPath, farmProcesses, startFederation } from './federation.ts'
import { against, compare, type Contestant, type Measured, measureInRounds } from './harness.ts'
import { logEndDate, type LogPlan, makeLog } from './make-log.ts'
import { forgetPeakMemory, peakMemoryBytes } from './process-figures.ts'

// Enough for 10 MiB, which is checked.
const linesEach = 28_900
const wantedBytes = 1_000 * 2 ** 20
const memoryBarMB = 200
const monthMicros = 30 * 86_400e6

/** All of 100 engines through one portal. */
export const allEngines: Benchmark = {
  name: 'all-engines',
  title:
    'all of 100 engines, 10 MiB each, through one portal, against one log of 1,000 MiB from its own store',
  run,
}

/** The logs of all engines: many short ones. Also what `all-engines-latency` and `all-engines-lost` ask. */
export function manyEngines(context: BenchContext): Promise<EngineLog[]> {
  return engineLogs(context, context.isQuick ? 8 : 100, manyPlan(context))
}

/** What each of them holds. */
export function manyPlan(context: BenchContext): LogPlan {
  return aMonth('many', context.isQuick ? 500 : linesEach)
}

async function run(context: BenchContext): Promise<Outcome> {
  const many = await manyEngines(context)
  const fewPlan = aMonth('few', context.isQuick ? 2_000 : 10 * linesEach)
  const few = await engineLogs(context, many.length / (context.isQuick ? 4 : 10), fewPlan)
  const own = aMonth('own', context.isQuick ? 4_000 : 100 * linesEach)
  // Both portals have a log of their own of the same length: one that is longer takes more memory.
  const [portal, other] = [await makeLog(context, own), await makeLog(context, { ...own, name: 'own-2' })]
  await using ours = await startFederation({ portal, engines: many })
  await using fewer = await startFederation({ portal: other, engines: few })
  const manyUrl = `${ours.portal.url}${enginesLogPath}?before_date=${logEndDate}`
  const fewUrl = `${fewer.portal.url}${enginesLogPath}?before_date=${logEndDate}`
  const bytes = await lengthOf(manyUrl)
  if (!context.isQuick && bytes < wantedBytes) throw new Error(`the logs have only ${bytes} bytes`)
  const manyPeaks: number[] = []
  const fewPeaks: number[] = []
  const measured = await measureInRounds(
    [
      await contestant(`${many.length} engines`, manyUrl, watched(ours.portal.pid, manyPeaks)),
      await contestant(
        `${few.length} engines, ten times the length`,
        fewUrl,
        watched(fewer.portal.pid, fewPeaks),
      ),
      await contestant(
        "the portal's own store",
        `${ours.portal.url}${auditLogPath}?before_date=${logEndDate}`,
      ),
    ],
    { ...context, unit: 'MB/s' },
  )
  const [hundred, , store] = measured
  if (hundred === undefined || store === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare(`${many.length} engines / the portal's own store`, hundred, store, {
        kind: 'at least',
        value: 0.2,
      }),
      against(`resident memory of the portal / ${memoryBarMB} MB`, [Math.max(...manyPeaks)], memoryBarMB),
      compare(
        `resident memory, ${many.length} engines / ${few.length} engines`,
        memory(manyPeaks),
        memory(fewPeaks),
        { kind: 'at most', value: 1.2 },
      ),
    ],
    notes: [
      `${bytes.toLocaleString('en-GB')} bytes in one answer, read warm, everything on this machine; the engines in ${farmProcesses} processes, the portal's TLS connections to them warm. The client: ${await curlVersion()}, a connection each time, plain HTTP.`,
      `Every read is an entry of each engine and one of the portal, all durable (fdatasync) before the head of the answer.`,
      `Resident memory at the most, in each round: ${spread(manyPeaks)} MB with ${many.length} engines (must be ≤ ${memoryBarMB}), ${spread(fewPeaks)} MB with ${few.length}.`,
    ],
  }
}

/** A log that fills thirty days with so many lines. */
function aMonth(name: string, lines: number): LogPlan {
  return { name, lines, spacingMicros: Math.floor(monthMicros / lines) }
}

async function contestant(
  name: string,
  url: string,
  around: (measure: () => Promise<number>) => () => Promise<number> = (measure) => measure,
): Promise<Contestant> {
  return { name, measure: around(pull(url, await lengthOf(url), { user: administrator })) }
}

async function lengthOf(url: string): Promise<number> {
  return (await transfer(url, { user: administrator })).bytes
}

// The peak of every measurement by itself, the one that does not count included.
function watched(pid: number, peaksMB: number[]) {
  return (measure: () => Promise<number>) => async () => {
    forgetPeakMemory(pid)
    const figure = await measure()
    peaksMB.push(peakMemoryBytes(pid) / 1e6)
    return figure
  }
}

function memory(peaksMB: readonly number[]): Measured {
  return { name: 'resident memory', unit: 'MB', figures: peaksMB }
}

function spread(figures: readonly number[]): string {
  return `${Math.min(...figures).toFixed(0)} to ${Math.max(...figures).toFixed(0)}`
}
