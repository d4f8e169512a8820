// One records, and waits for each entry: what a single caller feels. The peer is the least that durable appending
// can cost, a loop of write and fdatasync of as many bytes on the same file system.

import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { draftOf } from '../src/entry/line.ts'
import type { AuditLog } from '../src/log/audit-log.ts'
import { eventAt } from './activity.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { runCommand } from './command.ts'
import { openFreshLog } from './fresh-log.ts'
import { collectGarbage } from './garbage.ts'
import { compare, type Contestant, measureInRounds } from './harness.ts'

const bar = { kind: 'at least', value: 0.7 } as const

/** Durable appends, one recorder, against a bare loop of write and fdatasync. */
export const appendOne: Benchmark = {
  name: 'append-one',
  title: 'durable appends, one recorder, against a bare write + fdatasync loop on the same file system',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 200 : 5_000
  await using log = await openFreshLog(join(context.directory, 'append-one'))
  const lineBytes = await lengthOfLine(log)
  const file = join(context.directory, 'bare.log')
  const numbers = { next: 2 }
  const loopInC = await compile(context)
  const measured = await measureInRounds(
    [
      { name: 'Annals', measure: () => recordOneByOne(log, count, numbers) },
      { name: 'a loop in Node', measure: async () => bareLoop(file, lineBytes, count) },
      ...(loopInC === undefined ? [] : [loopOf(loopInC, file, lineBytes, count)]),
    ],
    { ...context, unit: 'entries/s' },
  )
  rmSync(file)
  const [ours, node, c] = measured
  if (ours === undefined || node === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare('Annals / a loop in Node', ours, node, bar),
      ...(c === undefined ? [] : [compare('Annals / a loop in C', ours, c, bar)]),
    ],
    notes: [
      `${count.toLocaleString('en-GB')} lines of ${lineBytes} bytes each time, one fdatasync for each. Annals on the whole path: event, draft, duplicates, hash, write, fdatasync, answer. The loops write at the end of a file of their own, as a segment grows.`,
    ],
  }
}

async function recordOneByOne(log: AuditLog, count: number, numbers: { next: number }): Promise<number> {
  collectGarbage()
  const begin = performance.now()
  for (let k = 0; k < count; k += 1, numbers.next += 1)
    await log.record(draftOf(eventAt(numbers.next), log.id))
  return count / ((performance.now() - begin) / 1000)
}

function bareLoop(file: string, lineBytes: number, count: number): number {
  const line = Buffer.alloc(lineBytes, 'x')
  const fd = openSync(file, 'w')
  try {
    const begin = performance.now()
    for (let k = 0; k < count; k += 1) {
      writeSync(fd, line)
      fdatasyncSync(fd)
    }
    return count / ((performance.now() - begin) / 1000)
  } finally {
    closeSync(fd)
  }
}

// The first entry of a new log comes with one of the log's own.
async function lengthOfLine(log: AuditLog): Promise<number> {
  await log.record(draftOf(eventAt(0), log.id))
  const { bytes } = log.status()
  await log.record(draftOf(eventAt(1), log.id))
  return log.status().bytes - bytes
}

// Undefined where there is no compiler; the loop in Node is peer enough then.
async function compile(context: BenchContext): Promise<string | undefined> {
  if (!existsSync('/usr/bin/gcc')) return undefined
  const program = join(context.directory, 'bare-append')
  await runCommand('gcc', [
    '-O2',
    '-o',
    program,
    fileURLToPath(new URL('peers/bare-append.c', import.meta.url)),
  ])
  return program
}

function loopOf(program: string, file: string, lineBytes: number, count: number): Contestant {
  return {
    name: 'a loop in C',
    measure: async () => Number(await runCommand(program, [file, `${lineBytes}`, `${count}`])),
  }
}
