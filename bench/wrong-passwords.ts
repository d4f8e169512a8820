// Somebody guesses passwords, 200 a second for a minute, each from another address and for another name, so that no limit
// of one address or of one name ends it: does a poller with valid credentials feel it? The addresses are told by a
// trusted proxy, as they would be on the internet.

import { administrator, auditLogPath, type Annals, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { transfer } from './curl.ts'
import { compare, measureInRounds } from './harness.ts'
import { HttpConnection } from './http-connection.ts'
import { makeLog, parameterTime, timeOf } from './make-log.ts'
import { startHelper } from './helper-process.ts'
import type { Guessing } from './guesser.ts'

const attemptsASecond = 200
const pauseMs = 5

/** p99 of small requests while passwords are guessed, against the same without. */
export const wrongPasswords: Benchmark = {
  name: 'wrong-passwords',
  title:
    '200 wrong passwords a second for a minute: p99 of the small requests of others, against without them',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = { name: 'thin', lines: context.isQuick ? 1_000 : 10_000, spacingMicros: 240e6 }
  await using annals = await startAnnals(await makeLog(context, plan), ['--trusted-proxies', '127.0.0.1'])
  const before = parameterTime(timeOf(plan, Math.floor(plan.lines / 2)) + 120e6)
  const path = `${auditLogPath}?before_date=${before}&elapsed_hours=0.1`
  await transfer(`${annals.url}${path}`, { user: administrator })
  const seconds = context.isQuick ? 2 : 60
  let attempts = 0
  const guessed = async (): Promise<number> => {
    await using guesser = await startHelper<Guessing>('guesser.ts', {
      url: annals.url,
      path: auditLogPath,
      attemptsASecond,
    })
    const p99 = await poll(annals, path, seconds)
    attempts = guesser.reply.attemptsASecond * seconds
    return p99
  }
  const measured = await measureInRounds(
    [
      { name: 'while passwords are guessed', measure: guessed },
      { name: 'without', measure: () => poll(annals, path, Math.max(2, seconds / 3)) },
    ],
    { ...context, unit: 'ms (p99)' },
  )
  const [under, quiet] = measured
  if (under === undefined || quiet === undefined) throw new Error('a contestant is missing')
  return {
    measured,
    comparisons: [
      compare('p99 while passwords are guessed / without', under, quiet, { kind: 'at most', value: 3 }),
    ],
    notes: [
      `One poller with valid credentials, one connection, a request and then ${pauseMs} ms of pause; the time from the request to the first byte, its own durable entry (fdatasync) included. ${attempts.toLocaleString('en-GB')} attempts each time, each from another address (told by a trusted proxy) and for another name; argon2id with 19 MiB in one thread.`,
    ],
  }
}

// The 99th percentile of the time to the head of an answer.
async function poll(annals: Annals, path: string, seconds: number): Promise<number> {
  const connection = await HttpConnection.open(annals.url)
  const figures: number[] = []
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const begin = performance.now()
    await connection.get(path, administrator)
    figures.push(performance.now() - begin)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  connection[Symbol.dispose]()
  const sorted = figures.sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}
