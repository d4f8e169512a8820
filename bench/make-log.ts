// Big logs of the past, made once and used again: a file as rsyslog would have written it goes through
// `annals import`, the product's own way to a log whose times are not now. Who changes the format of the log
// removes `.bench/`, and they are made anew.

import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Micros } from '../src/entry/event.ts'
import { fileLineAt } from './activity.ts'
import { importFile, portalName } from './annals.ts'
import type { BenchContext } from './benchmark.ts'

/** What a log is to hold. Two logs of the same plan hold the same activity. */
export interface LogPlan {
  /** Names the data directory. */
  readonly name: string
  readonly lines: number
  /** How far apart two lines are. */
  readonly spacingMicros: Micros
  /** The node whose log it is; the portal of the benchmarks unless it is given. */
  readonly hostName?: string
}

/** When every such log begins: 2025-12-01T00:00:00Z. */
export const logStart: Micros = Date.UTC(2025, 11, 1) * 1000

/** The day after which no such log has a line of its plan; what is later are the import's and the server's own. */
export const logEndDate = '2026-01-01'

const linesAtOnce = 1_000

/** The data directory of a log of that plan; makes it where it is not there. */
export async function makeLog(context: BenchContext, plan: LogPlan): Promise<string> {
  const directory = join(context.directory, 'logs', plan.name)
  const data = join(directory, 'data')
  const [note, wanted] = [join(directory, 'made.json'), JSON.stringify(plan)]
  if ((await readFile(note, 'utf8').catch(() => '')) === wanted) return data
  context.say(`making the log ${plan.name} of ${plan.lines.toLocaleString('en-GB')} lines`)
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'portal.log')
  await pipeline(chunks(plan), createWriteStream(file))
  await importFrom(context, plan, data, file)
  await rm(file)
  await writeFile(note, wanted)
  return data
}

/** The time of a plan's k-th line. */
export function timeOf({ spacingMicros }: LogPlan, k: number): Micros {
  return logStart + k * spacingMicros
}

/** A time as a parameter of the API takes it. */
export function parameterTime(time: Micros): string {
  return `${new Date(Math.floor(time / 1000)).toISOString().slice(0, 19)}.${String(time % 1_000_000).padStart(6, '0')}Z`
}

async function importFrom(
  context: BenchContext,
  { hostName = portalName }: LogPlan,
  data: string,
  file: string,
): Promise<void> {
  const { size } = await stat(file)
  const begin = performance.now()
  await importFile(data, hostName, file)
  const seconds = (performance.now() - begin) / 1000
  context.say(`imported ${(size / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s`)
}

function* chunks(plan: LogPlan): Generator<string> {
  for (let k = 0; k < plan.lines; k += linesAtOnce) {
    const count = Math.min(linesAtOnce, plan.lines - k)
    yield Array.from({ length: count }, (_, i) => `${fileLineAt(k + i, timeOf(plan, k + i))}\n`).join('')
  }
}
