// More recorders than the disk can take: every sync takes a tenth of a second longer, and more than a thousand connections send
// events as large as they may be; small ones come besides. What is held is bounded, so what is accepted does not wait for
// ever; the others are told so, and when to come again; and the log itself tells how many they were (I7).

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { startAnnals } from './annals.ts'
import { type BenchContext, type Benchmark, type Outcome, PeerMissing } from './benchmark.ts'
import { runCommand } from './command.ts'
import { against, formatFigure, type Measured } from './harness.ts'
import { forgetPeakMemory, peakMemoryBytes } from './process-figures.ts'
import { freshRun, recorderConnections, recorderHeader, recordingFlags, recordingPath } from './recording.ts'
import { faultsOf, Ledger, type Source } from './soak/ledger.ts'
import { lossesIn, readBack } from './soak/read-back.ts'
import { eventOf, type Result, type Target, type Tally, tell } from './soak/senders.ts'

const syncMs = 100
const [largeConnections, smallConnections] = [1_200, recorderConnections]
const largeBytes = 60_000
// An application gives up on a request after some ten seconds; with half of that it can still try once more.
const boundMs = 5_000
const memoryBarMB = 250

/** Large and small events, more than a slow disk can take. */
export const recordOverload: Benchmark = {
  name: 'record-overload',
  title: `${largeConnections} connections with events of ${largeBytes.toLocaleString('en-GB')} bytes and ${smallConnections} with small ones, while every sync takes ${syncMs} ms longer`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const data = join(context.directory, 'record-overload')
  await rm(data, { recursive: true, force: true })
  const seen = await overloaded(context, data)
  const told = await lossesAtRest(data)
  const refused = sumOf(seen.tally)
  // Whoever was refused, and by what: the log must know of each.
  if (told !== refused) throw new Error(`${refused} were refused, and the log tells of ${told}`)
  const { rounds, peakMB } = seen
  const p99 = (name: string, of: (round: Round) => readonly number[]): Measured => ({
    name,
    unit: 'ms (p99)',
    figures: rounds.map((round) => quantile(of(round), 0.99)),
  })
  const measured = [
    p99('large events, accepted', ({ large }) => large.accepted),
    p99('small events, accepted', ({ small }) => small.accepted),
    p99('all events, refused', ({ large, small }) => [...large.refused, ...small.refused]),
  ]
  const bounded = measured.map(({ name, figures }) =>
    against(`${name}: p99 / ${formatFigure(boundMs)} ms`, figures, boundMs),
  )
  return {
    measured,
    comparisons: [...bounded, against(`resident memory / ${memoryBarMB} MB`, [peakMB], memoryBarMB)],
    notes: [
      `fsync and fdatasync of the server wait ${syncMs} ms before they begin (LD_PRELOAD). Nobody who is refused waits as long as he was told to: the next event follows after ${impatienceMs} ms. Resident memory at the most ${formatFigure(peakMB)} MB.`,
      `Accepted in all rounds: ${count(rounds, ({ large }) => large.accepted)} large events, ${count(rounds, ({ small }) => small.accepted)} small ones. Refused: ${count(rounds, ({ large }) => large.refused)} and ${count(rounds, ({ small }) => small.refused)} (${[...seen.tally].map(([what, times]) => `${what}: ${times.toLocaleString('en-GB')}`).join(', ')}), each with Retry-After, and the log's own sums (29071) tell of as many. All that was acknowledged was there exactly once.`,
    ],
  }
}

/** How long answers took, in ms. */
interface Timed {
  readonly accepted: number[]
  readonly refused: number[]
}

interface Round {
  readonly large: Timed
  readonly small: Timed
}

interface Seen {
  readonly rounds: readonly Round[]
  readonly tally: Tally
  readonly peakMB: number
}

// The server ends here, and tells what it still has to tell.
async function overloaded(context: BenchContext, data: string): Promise<Seen> {
  const environment = { LD_PRELOAD: await compileSlowSync(context), SLOW_SYNC_MS: String(syncMs) }
  await using annals = await startAnnals(data, recordingFlags, undefined, environment)
  const ledger = new Ledger(freshRun())
  const target = { url: annals.url, path: recordingPath, authorization: await recorderHeader(annals, data) }
  const [large, small] = [ledger.source('large events'), ledger.source('small events')]
  const tally: Tally = new Map()
  const rounds: Round[] = []
  const seconds = context.isQuick ? 8 : 30
  forgetPeakMemory(annals.pid)
  for (let round = 0; round < context.rounds; round += 1) {
    const load = { target, tally, seconds }
    const [ofLarge, ofSmall] = await Promise.all([
      sendSingles({ ...load, source: large, connections: largeConnections, bytes: largeBytes }),
      sendSingles({ ...load, source: small, connections: smallConnections, bytes: 0 }),
    ])
    rounds.push({ large: ofLarge, small: ofSmall })
    context.say(
      `round ${round + 1}: ${ofLarge.accepted.length} large and ${ofSmall.accepted.length} small accepted, ${ofLarge.refused.length} and ${ofSmall.refused.length} refused`,
    )
  }
  const peakMB = peakMemoryBytes(annals.pid) / 1e6
  await readBack(annals.url, ledger, small)
  const faults = ledger.accounts().flatMap(faultsOf)
  if (faults.length > 0) throw new Error(faults.join('; '))
  return { rounds, tally, peakMB }
}

interface Singles {
  readonly target: Target
  readonly source: Source
  readonly tally: Tally
  readonly connections: number
  /** How much each event says besides what it must. */
  readonly bytes: number
  readonly seconds: number
}

async function sendSingles(singles: Singles): Promise<Timed> {
  const { target, connections, bytes, seconds } = singles
  const pool = new Pool(target.url, { connections, pipelining: 1 })
  const timed: Timed = { accepted: [], refused: [] }
  const end = performance.now() + seconds * 1000
  const message = 'x'.repeat(bytes)
  const worker = async () => {
    while (performance.now() < end) await sendSingle(pool, singles, timed, message)
  }
  try {
    await Promise.all(Array.from({ length: connections }, worker))
  } finally {
    await pool.close()
  }
  return timed
}

async function sendSingle(
  pool: Pool,
  { target, source, tally }: Singles,
  timed: Timed,
  message: string,
): Promise<void> {
  const number = source.next()
  const event = eventOf(source, number)
  const body = JSON.stringify(message === '' ? event : { ...event, message })
  const headers = { authorization: target.authorization, 'content-type': 'application/json' }
  const begin = performance.now()
  const answer = await pool.request({ path: target.path, method: 'POST', headers, body })
  const text = await answer.body.text()
  const tookMs = performance.now() - begin
  if (answer.statusCode === 201) {
    const { position = -1 } = JSON.parse(text) as Result
    source.acknowledged(number, position, true)
    timed.accepted.push(tookMs)
    return
  }
  const isTurnedAway = answer.statusCode === 429 || answer.statusCode === 503
  if (!isTurnedAway || answer.headers['retry-after'] === undefined)
    throw new Error(`an event was answered with ${answer.statusCode}: ${text}`)
  tell(tally, `answered ${answer.statusCode}`)
  source.refused(number)
  timed.refused.push(tookMs)
  await sleep(impatienceMs)
}

async function lossesAtRest(data: string): Promise<number> {
  const segments = join(data, 'log', 'segments')
  const found = await runCommand('sh', ['-c', `grep -h ' 29071 \\[audit' "$1"/*.log || true`, 'sh', segments])
  return found.split('\n').reduce((sum, line) => sum + lossesIn(line), 0)
}

async function compileSlowSync({ directory }: BenchContext): Promise<string> {
  const library = join(directory, 'slow-sync.so')
  const source = fileURLToPath(new URL('peers/slow-sync.c', import.meta.url))
  await runCommand('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl']).catch(
    (cause: unknown) => {
      throw new PeerMissing('the slow disk, which needs gcc, could not be compiled', { cause })
    },
  )
  return library
}

function sumOf(tally: Tally): number {
  return [...tally.values()].reduce((sum, count) => sum + count, 0)
}

function count(rounds: readonly Round[], of: (round: Round) => readonly number[]): string {
  return rounds.reduce((sum, round) => sum + of(round).length, 0).toLocaleString('en-GB')
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

const impatienceMs = 200
