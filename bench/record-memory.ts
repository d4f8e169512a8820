// What a portal holds of the machine's memory when it is given more than it can do: single events, newline-delimited JSON and
// syslog at the same time, each as fast as it is taken. It must be little, and the same in the end as at the beginning.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Annals, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { freePort, runCommand } from './command.ts'
import { against, formatFigure, medianOf } from './harness.ts'
import { forgetPeakMemory, peakMemoryBytes, residentBytes } from './process-figures.ts'
import { postForAnswers } from './record-ndjson.ts'
import { compilePour, writeMessages } from './record-syslog.ts'
import {
  postEvents,
  recorderConnections,
  recorderHeader,
  recordingFlags,
  recordingPath,
} from './recording.ts'

const memoryBarMB = 250
const growthBar = 1.1

/** Resident memory at saturation. */
export const recordMemory: Benchmark = {
  name: 'record-memory',
  title: `resident memory at saturation: ${recorderConnections} connections with single events, one with newline-delimited JSON, one with syslog`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const seconds = context.isQuick ? 4 : 120
  const data = join(context.directory, 'record-memory')
  await rm(data, { recursive: true, force: true })
  const port = await freePort()
  await using annals = await startAnnals(data, [...recordingFlags, '--syslog-tcp', `127.0.0.1:${port}`])
  const authorization = await recorderHeader(annals, data)
  forgetPeakMemory(annals.pid)
  const ended = new AbortController()
  const load = { annals, authorization, port, signal: ended.signal }
  const senders = Promise.all([
    sendSingles(load, seconds),
    sendNdjson(context, load),
    sendSyslog(context, load),
  ])
  const samples = await Promise.race([sample(annals, seconds, context.say), senders.then(endedTooSoon)])
  ended.abort()
  await senders
  const peakMB = peakMemoryBytes(annals.pid) / 1e6
  const third = Math.ceil(samples.length / 3)
  const [middle, last] = [medianOf(samples.slice(third, 2 * third)), medianOf(samples.slice(-third))]
  return {
    measured: [{ name: 'Annals, each second', unit: 'MB resident', figures: samples }],
    comparisons: [
      against(`the most / ${memoryBarMB} MB`, [peakMB], memoryBarMB),
      against('median of the last third of the time / of the middle third', [last], middle, growthBar),
    ],
    notes: [
      `${seconds} s. The most, as the kernel remembers it: ${formatFigure(peakMB)} MB (must be ≤ ${memoryBarMB}). At the beginning ${formatFigure(samples[0])} MB, in the end ${formatFigure(samples.at(-1))} MB.`,
      'wrk, curl and a program in C send as fast as they are let, on the same two cores. One run: the rounds are seconds.',
    ],
  }
}

interface MemoryLoad {
  readonly annals: Annals
  readonly authorization: string
  readonly port: number
  readonly signal: AbortSignal
}

async function sendSingles({ annals, authorization, signal }: MemoryLoad, seconds: number): Promise<void> {
  const load = { url: annals.url, path: recordingPath, authorization, connections: recorderConnections }
  while (!signal.aborted) await postEvents({ ...load, seconds: Math.min(10, seconds) })
}

async function sendNdjson(
  context: BenchContext,
  { annals, authorization, signal }: MemoryLoad,
): Promise<void> {
  const load = { url: `${annals.url}${recordingPath}`, authorization, count: 50_000 }
  while (!signal.aborted) await postForAnswers(context, load)
}

async function sendSyslog(context: BenchContext, { port, signal }: MemoryLoad): Promise<void> {
  const pour = await compilePour(context)
  const file = await writeMessages(context, 'RFC 5424', 100_000)
  while (!signal.aborted) await runCommand(pour, ['127.0.0.1', `${port}`, file])
}

async function sample({ pid }: Annals, seconds: number, say: (text: string) => void): Promise<number[]> {
  const samples: number[] = []
  for (let second = 1; second <= seconds; second += 1) {
    await sleep(1_000)
    samples.push((residentBytes(pid) ?? Number.NaN) / 1e6)
    if (second % 10 === 0) say(`${second} s: ${formatFigure(samples.at(-1))} MB`)
  }
  return samples
}

function endedTooSoon(): never {
  throw new Error('the senders ended before their time')
}
