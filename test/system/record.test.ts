// Recording over HTTP at a real portal: what is answered is in the log, once, whatever is sent twice, cut off or stopped.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { type Answer, ask, basic } from '../conformance/wire.ts'
import {
  administrator,
  hostName,
  type PortalProcess,
  startPortal,
  storedLines,
  temporaryDirectory,
} from './portal-process.ts'

const path = `/audit-trail/api/v2/logs/${hostName}/entries`

interface Event {
  readonly id: string
  readonly code: number
  readonly component: string
  readonly actor: string
  readonly session: string
}

interface Result {
  readonly index?: number
  readonly id?: string
  readonly position?: number
  readonly new?: boolean
  readonly error?: { readonly code: string }
}

function event(actor: string): Event {
  return { id: randomUUID(), code: 20101, component: 'Portal', actor, session: 's-1' }
}

async function post(
  portal: PortalProcess,
  events: unknown,
  { type = 'application/json', query = '' } = {},
): Promise<Answer> {
  const body = typeof events === 'string' ? events : JSON.stringify(events)
  const asked = { method: 'POST', credentials: administrator, headers: { 'content-type': type }, body }
  return await ask(portal, `${path}${query}`, asked)
}

function resultOf({ body }: Answer): Result {
  return JSON.parse(body.toString()) as Result
}

function resultsOf({ body }: Answer): Result[] {
  return JSON.parse(body.toString()) as Result[]
}

function refusalsOf({ body }: Answer): { code: string; index?: number }[] {
  return JSON.parse(body.toString()) as { code: string; index?: number }[]
}

/** A stream of NDJSON to the portal, whose results are read while it is being sent. */
class Stream {
  readonly request: ClientRequest
  readonly results: Result[] = []
  /** True where the answer came to its proper end. */
  readonly ended: Promise<boolean>

  constructor({ baseUrl }: PortalProcess) {
    const headers = { authorization: basic(administrator), 'content-type': 'application/x-ndjson' }
    this.request = request(`${baseUrl}${path}`, { method: 'POST', headers, agent: false })
    this.request.on('error', () => undefined)
    this.ended = this.#read()
  }

  /** Sends events as fast as they are taken. Returns once the last one is on its way, or the connection has ended. */
  async send(events: Iterable<Event>): Promise<void> {
    let text = ''
    for (const each of events) {
      text += `${JSON.stringify(each)}\n`
      if (text.length < 64 * 1024) continue
      if (!this.request.write(text)) await this.#drained()
      text = ''
      // Where the server reads at once, `drain` comes before anything that was received.
      await immediate()
      if (this.request.destroyed) return
    }
    this.request.write(text)
  }

  async #drained(): Promise<void> {
    if (this.request.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.request.once('drain', resolve).once('close', resolve)
    await promise
    this.request.off('drain', resolve).off('close', resolve)
  }

  async #read(): Promise<boolean> {
    try {
      const [answer] = (await once(this.request, 'response')) as [IncomingMessage]
      answer.on('error', () => undefined)
      for await (const line of createInterface({ input: answer }))
        if (line !== '') this.results.push(JSON.parse(line) as Result)
      return answer.complete
    } catch {
      return false
    }
  }
}

function residentMb({ pid }: PortalProcess): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1024
}

test('I4: the same event is recorded once, and another one under its id is a conflict', async (context) => {
  const data = temporaryDirectory(context)
  const portal = await startPortal(context, { data })
  const [first, second, third] = [event('first'), event('second'), event('third')]
  const answer = await post(portal, first)
  assert.equal(answer.status, 201)
  const { position } = resultOf(answer)
  const again = await post(portal, first)
  assert.equal(again.status, 200)
  assert.deepEqual(resultOf(again), { ...resultOf(answer), new: false })
  const other = { ...first, actor: 'somebody else' }
  const conflict = await post(portal, other)
  assert.equal(conflict.status, 409)
  assert.equal(refusalsOf(conflict)[0]?.code, 'ID_CONFLICT')

  await context.test('in a list, where the others are recorded', async () => {
    const list = await post(portal, [second, first, other, second])
    assert.equal(list.status, 207)
    const [newly, before, refused, twice] = resultsOf(list)
    assert.deepEqual([newly?.new, before?.new, before?.position], [true, false, position])
    assert.deepEqual([refused?.index, refused?.id, refused?.error?.code], [2, first.id, 'ID_CONFLICT'])
    assert.deepEqual([twice?.new, twice?.position], [false, newly?.position])
  })
  await context.test('in a stream, in any place of it', async () => {
    const events = Array.from({ length: 600 }, (_, k) => event(`number ${k}`))
    const text = events
      .toSpliced(300, 0, other)
      .map((each) => JSON.stringify(each))
      .join('\n')
    const stream = await post(portal, text, { type: 'application/x-ndjson' })
    assert.equal(stream.status, 207)
    const results = stream.body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Result)
    assert.deepEqual(
      results.map(({ index }) => index),
      [...results.keys()],
    )
    assert.deepEqual(
      results.flatMap(({ index, error }) => (error === undefined ? [] : [[index, error.code]])),
      [[300, 'ID_CONFLICT']],
    )
    const repeated = await post(portal, text, { type: 'application/x-ndjson' })
    assert.equal(repeated.body.toString().match(/"new":false/g)?.length, 600)
  })
  await context.test('together or not at all: nothing is', async () => {
    const refused = await post(portal, [third, other], { query: '?atomic=true' })
    assert.equal(refused.status, 409)
    assert.deepEqual(
      refusalsOf(refused).map(({ code, index }) => [code, index]),
      [['ID_CONFLICT', 1]],
    )
    const recorded = await post(portal, [third, second], { query: '?atomic=true' })
    assert.equal(recorded.status, 200)
    assert.deepEqual(
      resultsOf(recorded).map((result) => result.new),
      [true, false],
    )
  })
  await portal.stop()
  const lines = storedLines(data)
  for (const { id } of [first, second, third])
    assert.equal(lines.filter((line) => line.includes(id)).length, 1)
  assert.ok(!lines.some((line) => line.includes('actor="somebody else"')))
})

test('a stream of 200,000 events is recorded in order, in memory that does not grow with it', async (context) => {
  const data = temporaryDirectory(context)
  const portal = await startPortal(context, { data })
  const stream = new Stream(portal)
  const ids: string[] = []
  const filler = 'x'.repeat(400)
  function* events(count: number): Generator<Event> {
    for (let k = 0; k < count; k++) {
      const each = { ...event(`user-${k % 100}`), details: { filler } }
      ids.push(each.id)
      yield each
    }
  }
  await stream.send(events(50_000))
  const earlyMb = residentMb(portal)
  await stream.send(events(150_000))
  stream.request.end()
  assert.equal(await stream.ended, true)
  const lateMb = residentMb(portal)
  context.diagnostic(`resident: ${earlyMb.toFixed(0)} MB after a quarter, ${lateMb.toFixed(0)} MB at the end`)
  assert.equal(stream.results.length, ids.length)
  assert.ok(
    stream.results.every(({ index, id, new: isNew }, k) => index === k && id === ids[k] && isNew === true),
  )
  assert.ok(
    stream.results.every(
      ({ position = 0 }, k) => k === 0 || position > (stream.results[k - 1]?.position ?? 0),
    ),
  )
  // What went through meanwhile, events and results, has some 110 MB.
  assert.ok(lateMb - earlyMb < 55, `from ${earlyMb} to ${lateMb} MB`)
})

test('what a portal that stops has acknowledged is in its log, and the rest is said not to be', async (context) => {
  const data = temporaryDirectory(context)
  const portal = await startPortal(context, { data })
  const stream = new Stream(portal)
  function* events(): Generator<Event> {
    while (stream.results.every(({ error }) => error === undefined)) yield event('x')
  }
  // As a good client does: it ends when it is told that no more is read.
  const sending = stream.send(events()).then(() => stream.request.end())
  while (stream.results.length < 10_000) await new Promise((resolve) => setTimeout(resolve, 5))
  const { exitCode } = await portal.stop()
  assert.equal(exitCode, 0)
  assert.equal(await stream.ended, true)
  await sending
  const last = stream.results.at(-1)
  assert.equal(last?.error?.code, 'UNAVAILABLE')
  const acknowledged = stream.results.flatMap(({ id, error }) => (error === undefined ? [id] : []))
  assert.equal(acknowledged.length, stream.results.length - 1)
  const stored = storedLines(data).flatMap((line) => / id="([^"]+)" via="http"/.exec(line)?.[1] ?? [])
  assert.deepEqual(stored, acknowledged)
})
