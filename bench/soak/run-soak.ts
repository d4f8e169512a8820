// The soak: recorders at saturation, and a server that is killed again and again. In the end the whole log is read back,
// and every event is accounted for: what was acknowledged must be there exactly once, at the position that was
// answered (I1, I4, I7).

import { setTimeout as sleep } from 'node:timers/promises'
import { accessToken, makeClient, portalName, program } from '../annals.ts'
import { runCommand } from '../command.ts'
import { freshRun, recorderRights, recordingPath } from '../recording.ts'
import { KilledServer, type MemorySample } from './killed-server.ts'
import { faultsOf, Ledger, type SourceAccount } from './ledger.ts'
import { sendWithLibrary } from './library-sender.ts'
import { type ReadBack, readBack } from './read-back.ts'
import { sendNdjson, sendOneByOne, sendSyslog, type Tally } from './senders.ts'

/** How long, how often, and how much. */
export interface SoakOptions {
  /** An empty directory for the log. */
  readonly data: string
  /** Without the time that the server takes to come back: on any machine it is killed as often. */
  readonly seconds: number
  /** How far kills are apart, give or take a quarter. */
  readonly killSeconds: number
  /** Connections with one event in each request. */
  readonly connections: number
  /** Events in one body of newline-delimited JSON. */
  readonly ndjsonEvents: number
  readonly syslogPerSecond: number
  readonly say: (text: string) => void
}

/** What came of it. */
export interface SoakReport {
  readonly accounts: readonly SourceAccount[]
  /** What is wrong, in words; empty where all is well. */
  readonly faults: readonly string[]
  readonly kills: number
  readonly log: ReadBack
  readonly memory: readonly MemorySample[]
  /** Answers that were no acknowledgement, by what they were. */
  readonly tally: Tally
  /** What `annals check` said. */
  readonly check: string
}

/** Runs it. Throws where the server ends by itself, does not come back, or a sender is told nonsense. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { data, say } = options
  await using server = await KilledServer.start(data)
  const ledger = new Ledger(freshRun())
  const tally: Tally = new Map()
  const stop = new AbortController()
  const { senders, syslog } = await startSenders(server, ledger, { ...options, tally, signal: stop.signal })
  await Promise.race([senders, killAgainAndAgain(server, options)])
  await server.untilReady()
  stop.abort()
  say('the senders finish what they have begun')
  await Promise.race([senders, tooLong('the senders')])
  await settled(server)
  say('reading the log back')
  const log = await readBack(server.url, ledger, syslog)
  await server.stop()
  const check = await runCommand(process.execPath, [program, 'check', '--data', data])
  const accounts = ledger.accounts()
  return {
    accounts,
    faults: [...accounts.flatMap(faultsOf), ...emptyOnes(accounts)],
    kills: server.kills,
    log,
    memory: server.samples,
    tally,
    check: check.trim(),
  }
}

async function startSenders(
  server: KilledServer,
  ledger: Ledger,
  options: SoakOptions & { readonly tally: Tally; readonly signal: AbortSignal },
): Promise<{ senders: Promise<unknown>; syslog: ReturnType<Ledger['source']> }> {
  const client = await makeClient(server.data, 'soak', recorderRights)
  const authorization = `Bearer ${await accessToken(server, client)}`
  const target = { url: server.url, path: recordingPath, authorization }
  const { connections, ndjsonEvents, syslogPerSecond, signal, tally } = options
  const syslog = ledger.source('syslog over TCP')
  const senders = Promise.all([
    sendOneByOne(target, ledger.source('one by one'), { connections, tally, signal }),
    sendNdjson(target, ledger.source('NDJSON'), { events: ndjsonEvents, tally, signal }),
    sendWithLibrary({ url: server.url, log: portalName, client }, ledger.source('client library'), {
      signal,
      tally,
    }),
    sendSyslog(server.syslogPort, syslog, { run: ledger.run, perSecond: syslogPerSecond, signal }),
  ])
  // Whoever awaits it hears of a failure; until then it is nobody's.
  senders.catch(() => undefined)
  return { senders, syslog }
}

async function killAgainAndAgain(
  server: KilledServer,
  { seconds, killSeconds, say }: SoakOptions,
): Promise<void> {
  let leftMs = seconds * 1000
  for (;;) {
    const pauseMs = Math.min(killSeconds * 1000 * (0.75 + Math.random() / 2), leftMs)
    await sleep(pauseMs)
    leftMs -= pauseMs
    if (leftMs === 0) return
    const before = server.samples.at(-1)
    await server.kill()
    say(`kill ${server.kills}; it had ${before?.megabytes.toFixed(0) ?? '–'} MB`)
    // Every fifth life ends while it begins.
    if (server.kills % 5 === 4) {
      await sleep(100 + Math.random() * 400)
      await server.kill()
    }
    await server.untilReady()
  }
}

// What syslog has brought may still be on its way to the disk.
async function settled({ url }: KilledServer): Promise<void> {
  for (let seen = -1; ;) {
    const text = await (await fetch(`${url}/metrics`)).text()
    const now = Number(/^annals_log_entries(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1])
    if (Number.isNaN(now)) throw new Error('the metrics do not tell how many entries there are')
    if (now === seen) return
    seen = now
    await sleep(settledMs)
  }
}

async function tooLong(who: string): Promise<never> {
  await sleep(finishMs, undefined, { ref: false })
  throw new Error(`${who} do not come to an end`)
}

// A sender that brought nothing in has shown nothing.
function emptyOnes(accounts: readonly SourceAccount[]): string[] {
  return accounts.filter(({ present }) => present === 0).map(({ name }) => `${name}: nothing is in the log`)
}

const settledMs = 1_000
const finishMs = 120_000
