// The whole of a log of 10 million entries, verified offline: `annals verify` against `sha256sum` of the same bytes, and the
// most memory that it takes. Both read from the page cache.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { program } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { runCommand } from './command.ts'
import { against, compare, measureInRounds } from './harness.ts'
import { makeLog } from './make-log.ts'
import { residentBytes } from './process-figures.ts'
import { monthLines, monthPlan } from './window.ts'

const lookMs = 20

/** A whole log, verified. */
export const verify: Benchmark = {
  name: 'verify',
  title: 'annals verify of a log of 10 million entries, against sha256sum of the same bytes',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = monthPlan(monthLines(context))
  const data = await makeLog(context, plan)
  const files = await segmentsOf(data)
  const memory: number[] = []
  const verified = async () => {
    const begin = performance.now()
    memory.push(await verifyOnce(data))
    return performance.now() - begin
  }
  const hashed = async () => {
    const begin = performance.now()
    await runCommand('sha256sum', files)
    return performance.now() - begin
  }
  const contestants = [
    { name: 'annals verify', measure: verified },
    { name: 'sha256sum', measure: hashed },
  ]
  const [annals, peer] = await measureInRounds(contestants, { ...context, unit: 'ms' })
  if (annals === undefined || peer === undefined) throw new Error('nothing was measured')
  const resident = {
    name: 'annals verify, most memory resident',
    unit: 'MB',
    figures: memory.slice(-context.rounds).map((bytes) => bytes / 1e6),
  }
  return {
    measured: [annals, peer, resident],
    comparisons: [
      compare('time of annals verify / time of sha256sum', annals, peer, { kind: 'at most', value: 8 }),
      against('memory, as a share of 150 MB', resident.figures, 150),
    ],
    notes: [
      `${plan.lines.toLocaleString('en-GB')} entries, ${((await bytesOf(files)) / 1e6).toFixed(0)} MB in ${files.length} files; every line is hashed and its position, log and time are read; the start of the process, both signatures and the root are part of it. What is resident is looked at every ${lookMs} ms.`,
    ],
  }
}

// Runs it to its end, and returns the most bytes that were resident.
async function verifyOnce(data: string): Promise<number> {
  const child = spawn(process.execPath, [program, 'verify', data], { stdio: 'ignore' })
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, residentBytes(child.pid ?? 0) ?? 0)), lookMs)
  const [code] = (await once(child, 'exit').finally(() => clearInterval(timer))) as [number | null]
  if (code !== 0) throw new Error(`annals verify ended with ${code}`)
  return most
}

async function segmentsOf(data: string): Promise<string[]> {
  const directory = join(data, 'log', 'segments')
  const names = await readdir(directory)
  return names.filter((name) => name.endsWith('.log')).map((name) => join(directory, name))
}

async function bytesOf(files: readonly string[]): Promise<number> {
  const stats = await Promise.all(files.map((file) => stat(file)))
  return stats.reduce((sum, { size }) => sum + size, 0)
}
