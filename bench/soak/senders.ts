// Those who record during the soak, each in its own way. All of them go on through every kill: they wait until the server
// is back, and send again what they were not told of, under the same ids; or leave it at that, as many do.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Source } from './ledger.ts'

/** Where events go, and in whose name. */
export interface Target {
  /** Without a slash at its end. */
  readonly url: string
  readonly path: string
  readonly authorization: string
}

/** What answers came that are no acknowledgement, by status or reason. */
export type Tally = Map<string, number>

/** Adds to a tally. */
export function tell(tally: Tally, what: string, count = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + count)
}

/** The result of one event, as the server gives it. */
export interface Result {
  readonly id?: string
  readonly index?: number
  readonly position?: number
  readonly new?: boolean
  readonly error?: { readonly code: string; readonly message: string }
}

/** An answer that no server may give, whatever happens to it. It ends the soak. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense'
}

/** One event in each request, over so many connections. Every other one repeats what it was not told of. */
export async function sendOneByOne(
  target: Target,
  source: Source,
  { connections, tally, signal }: { connections: number; tally: Tally; signal: AbortSignal },
): Promise<void> {
  const pool = new Pool(target.url, { connections, pipelining: 1 })
  const workers = Array.from({ length: connections }, async (_, worker) => {
    while (!signal.aborted) await sendOne(pool, target, source, { repeats: worker % 2 === 0, tally })
  })
  try {
    await Promise.all(workers)
  } finally {
    await pool.close()
  }
}

async function sendOne(
  pool: Pool,
  { path, authorization }: Target,
  source: Source,
  { repeats, tally }: { repeats: boolean; tally: Tally },
): Promise<void> {
  const number = source.next()
  const headers = { authorization, 'content-type': 'application/json' }
  const body = eventText(source, number)
  for (;;) {
    try {
      const answer = await pool.request({ path, method: 'POST', headers, body })
      const text = await answer.body.text()
      if (answer.statusCode === 200 || answer.statusCode === 201)
        return settle(source, number, JSON.parse(text) as Result)
      tell(tally, `answered ${answer.statusCode}`)
      if (!passing.has(answer.statusCode)) return source.refused(number)
      await sleep(pauseMs)
    } catch (error) {
      tell(tally, brokenOff(error))
      await sleep(pauseMs)
      // Where nobody listens, nothing was sent.
      if (!repeats && reasonOf(error) !== 'ECONNREFUSED') return
    }
  }
}

/** Newline-delimited JSON, one request after the other, each with so many events. */
export async function sendNdjson(
  target: Target,
  source: Source,
  { events, tally, signal }: { events: number; tally: Tally; signal: AbortSignal },
): Promise<void> {
  const pool = new Pool(target.url, { connections: 1, pipelining: 1 })
  // What was sent and not answered, and is sent again.
  let again: number[] = []
  try {
    for (let k = 0; !signal.aborted || again.length > 0; k += 1) {
      const fresh = signal.aborted ? 0 : Math.max(0, events - again.length)
      const { left, isWhole } = await sendBatch(pool, target, source, { again, fresh, tally })
      if (!isWhole) await sleep(pauseMs)
      // Every fourth time what was broken off is left at that.
      again = k % 4 === 3 && !signal.aborted ? [] : left
    }
  } finally {
    await pool.close()
  }
}

/** Sends one body, and returns the numbers that no result came for, and whether it was answered to the end. */
async function sendBatch(
  pool: Pool,
  { path, authorization }: Target,
  source: Source,
  { again, fresh, tally }: { again: readonly number[]; fresh: number; tally: Tally },
): Promise<{ left: number[]; isWhole: boolean }> {
  const numbers = [...again]
  const open = new Set(again)
  const postponed = new Set<number>()
  const headers = { authorization, 'content-type': 'application/x-ndjson' }
  const take = (result: Result): void => {
    const number = numbers[result.index ?? -1]
    if (number === undefined) throw new Nonsense(`a result without its event: ${JSON.stringify(result)}`)
    if (result.error !== undefined) tell(tally, `refused: ${result.error.code}`)
    if (result.error !== undefined && waiting.has(result.error.code)) return void postponed.add(number)
    settle(source, number, result)
    open.delete(number)
  }
  try {
    const body = Readable.from(bodyOf(source, numbers, fresh, open), { objectMode: false })
    const answer = await pool.request({ path, method: 'POST', headers, body })
    if (answer.statusCode !== 200 && answer.statusCode !== 207) {
      tell(tally, `answered ${answer.statusCode}`)
      await answer.body.dump()
      return { left: [...open], isWhole: false }
    }
    for await (const line of linesIn(answer.body)) take(JSON.parse(line) as Result)
    if (open.size > postponed.size) throw new Nonsense(`${open.size - postponed.size} events have no result`)
    return { left: [...open], isWhole: postponed.size === 0 }
  } catch (error) {
    tell(tally, brokenOff(error))
    return { left: [...open], isWhole: false }
  }
}

// An event counts as sent when it is made, for nobody knows how much of a body arrived.
async function* bodyOf(
  source: Source,
  numbers: number[],
  fresh: number,
  open: Set<number>,
): AsyncGenerator<Buffer> {
  for (let k = 0; k < numbers.length || fresh > 0;) {
    let text = ''
    for (let taken = 0; taken < chunkEvents && (k < numbers.length || fresh > 0); taken += 1, k += 1) {
      if (k === numbers.length) {
        numbers.push(source.next())
        fresh -= 1
      }
      const number = numbers[k] ?? 0
      open.add(number)
      text += `${eventText(source, number)}\n`
    }
    yield Buffer.from(text)
  }
}

/** The lines of a body as they come. */
export async function* linesIn(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder('utf-8')
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') throw new Nonsense(`a body ends within a line: ${rest.slice(0, 200)}`)
}

/** Syslog over TCP at an even pace. Nobody tells it what became of a message; it sends each once. */
export async function sendSyslog(
  port: number,
  source: Source,
  { run, perSecond, signal }: { run: string; perSecond: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1')
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => undefined).resume()
    await Promise.race([once(socket, 'connect').catch(() => undefined), ended])
    await pour(socket, source, { run, perSecond, signal })
    socket.end()
    await ended
    if (!signal.aborted) await sleep(pauseMs)
  }
}

async function pour(
  socket: Socket,
  source: Source,
  { run, perSecond, signal }: { run: string; perSecond: number; signal: AbortSignal },
): Promise<void> {
  const perTick = Math.ceil((perSecond * tickMs) / 1000)
  while (!signal.aborted && socket.writable) {
    let text = ''
    for (let k = 0; k < perTick; k += 1) text += `${syslogText(run, source.next())}\n`
    if (!socket.write(text))
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined)
    await sleep(tickMs)
  }
}

/** What a syslog message of the soak says; its number is found by `syslogNumber`. */
function syslogText(run: string, number: number): string {
  return `<110>1 ${new Date().toISOString()} app-01 soak - 20101 - [Soak|TEST|20101|syslog] message ${number} of ${run}.`
}

/** The number of a stored line's message, where the line is a syslog message of this run. */
export function syslogNumber(line: string, run: string): number | undefined {
  const number = /\] message (\d+) of ([0-9a-f]{12})\.$/.exec(line)
  return number?.[2] === run ? Number(number[1]) : undefined
}

/** An event of the soak, as it is posted. */
export function eventText(source: Source, number: number): string {
  return JSON.stringify(eventOf(source, number))
}

/** An event of the soak. */
export function eventOf(
  source: Source,
  number: number,
): { id: string; code: 20101; component: 'Portal'; actor: string; session: string; details: { n: number } } {
  const session = number.toString(16).padStart(32, '0')
  const actor = `${source.name}-${number % 1_000}`
  return {
    id: source.idOf(number),
    code: 20101,
    component: 'Portal',
    actor,
    session,
    details: { n: number },
  }
}

// An answer without a position is none.
function settle(source: Source, number: number, { id, position, new: isNew, error }: Result): void {
  if (error !== undefined) return source.refused(number)
  if (id !== source.idOf(number) || position === undefined || isNew === undefined)
    throw new Error(
      `event ${number} of ${source.name} was answered with ${JSON.stringify({ id, position, isNew })}`,
    )
  source.acknowledged(number, position, isNew)
}

// Throws what no kill explains: an answer that is whole, and wrong.
function brokenOff(error: unknown): string {
  if (error instanceof Nonsense || error instanceof SyntaxError) throw error
  return `broken off: ${reasonOf(error)}`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

const passing: ReadonlySet<number> = new Set([408, 429, 503, 507])
const waiting: ReadonlySet<string> = new Set([
  'TOO_MANY_REQUESTS',
  'STORAGE_FULL',
  'OUTCOME_UNKNOWN',
  'UNAVAILABLE',
])
const pauseMs = 100
const tickMs = 20
const chunkEvents = 200
