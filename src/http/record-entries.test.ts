// Recording over HTTP, with a real face and a double of the log behind it.

import assert from 'node:assert/strict'
import { AnnalsError } from '../errors.ts'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  groupBytes,
  queueEntries,
  queueNotForSingles,
  recordBodyBytes,
  recordGroupEntries,
  recordLineBytes,
} from '../limits.ts'
import { type Answer, ask, dial, raw, until } from './testing/client.ts'
import { draft, openTestLog, texts } from '../log/testing/log-under-test.ts'
import { admin, type PortalServer, reader, startPortal, startPortalWith } from './testing/portal-server.ts'

const path = '/audit-trail/api/v2/logs/portal-01/entries'
const login = { code: 20101, component: 'Portal', actor: 'jdoe', session: 's-1' }
const ndjson = { 'content-type': 'application/x-ndjson' }

interface Result {
  readonly index?: number
  readonly id?: string
  readonly position?: number
  readonly new?: boolean
  readonly error?: { readonly code: string; readonly message: string; readonly field?: string }
}

interface Refusal {
  readonly code: string
  readonly message: string
  readonly index?: number
  readonly field?: string
}

async function post(
  portal: Pick<PortalServer, 'port'>,
  body: unknown,
  { target = path, headers = {} }: { target?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const all = { 'content-type': 'application/json', ...headers }
  return await ask(portal.port, target, { method: 'POST', headers: all, body: text })
}

function json({ body }: Pick<Answer, 'body'>): unknown {
  return JSON.parse(body.toString())
}

function refusalsOf(answer: Answer): Refusal[] {
  return json(answer) as Refusal[]
}

function resultsOf(answer: Answer): Result[] {
  return json(answer) as Result[]
}

function lines({ body }: Pick<Answer, 'body'>): Result[] {
  const text = body.toString()
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Result)
}

function codes(answer: Answer): string[] {
  return refusalsOf(answer).map(({ code }) => code)
}

/** The head of a raw request, and as much of its body as is given. */
function rawPost(body: string, ...headers: readonly string[]): string {
  const all = ['Host: a', `Authorization: ${admin}`, 'Content-Type: application/x-ndjson', ...headers]
  return [`POST ${path} HTTP/1.1`, ...all, '', body].join('\r\n')
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** The body of a raw answer in chunks. */
function unchunk(answer: string): string {
  const [, body = ''] = answer.split(/\r\n\r\n(.*)/s)
  return body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '')
}

test('an event is answered with where it is, and its line says who recorded it', async () => {
  await using portal = await startPortal()
  const id = randomUUID()
  const answer = await post(portal, { ...login, id: id.toUpperCase() })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.deepEqual(json(answer), {
    id,
    log: portal.log.id,
    position: 0,
    time: '2026-01-01T00:00:00.000000Z',
    new: true,
  })
  assert.match(
    portal.log.recorded[0] ?? '',
    /via="http" by="admin"\].* User jdoe logged with session id s-1\n$/,
  )
})

test('an event that is wrong is refused with the name of its field, and counted', async () => {
  await using portal = await startPortal()
  const answer = await post(portal, { code: 20101, component: 'Portal', wrong: 1 })
  assert.equal(answer.status, 422)
  const [refusal] = refusalsOf(answer)
  assert.equal(refusal?.code, 'INVALID_EVENT')
  assert.equal(refusal?.field, 'wrong')
  assert.deepEqual(portal.losses, [{ via: 'http', source: 'admin', reason: 'INVALID_EVENT' }])
  assert.deepEqual(codes(await post(portal, '{"code":')), ['MALFORMED_REQUEST'])
  assert.deepEqual(codes(await post(portal, Buffer.from([0x22, 0xc3, 0x28, 0x22]))), ['MALFORMED_REQUEST'])
  assert.deepEqual(codes(await post(portal, '')), ['MALFORMED_REQUEST'])
  assert.equal(portal.log.recorded.length, 0)
})

test('E5, E6: 401, then 403, whatever the body; and 403 is an entry before it is an answer', async () => {
  await using portal = await startPortal()
  const as = (authorization: string) => post(portal, 'nonsense', { headers: { authorization } })
  assert.equal((await as('Basic wrong')).status, 401)
  assert.equal(portal.log.recorded.length, 0)
  assert.equal((await as(reader)).status, 403)
  assert.match(portal.log.recorded[0] ?? '', / 29072 .*actor="reader".*reason="FORBIDDEN" events="all"/)
  const bearer = await as('Bearer service:audit-trail')
  assert.equal(bearer.status, 403)
  const challenge = String(bearer.headers['www-authenticate'])
  assert.match(challenge, /error="insufficient_scope".*scope="service:audit-trail:record"/)
})

test('L2: what a client may not record is refused on its own, and one entry counts it', async () => {
  await using portal = await startPortal()
  const authorization = 'Bearer service:audit-trail:record'
  const shop = { code: 40_001, component: 'Shop', actor: 'x', message: 'sold' }
  const answer = await post(portal, [shop, login, shop, { ...shop, code: 29_001 }], {
    headers: { authorization },
  })
  assert.equal(answer.status, 207)
  const results = resultsOf(answer)
  assert.deepEqual(
    results.map(({ index, error }) => [index, error?.code]),
    [
      [undefined, undefined],
      [1, 'FORBIDDEN'],
      [undefined, undefined],
      [3, 'FORBIDDEN'],
    ],
  )
  const refusals = portal.log.recorded.filter((line) => line.includes(' 29072 '))
  assert.equal(refusals.length, 1)
  assert.match(refusals[0] ?? '', /events="2"/)
  const single = await post(portal, { code: 20104, actor: 'x' }, { headers: { authorization } })
  assert.equal(single.status, 403)
  assert.match(refusalsOf(single)[0]?.message ?? '', /does not allow to record code 20104 of Portal$/)
  const together = { target: `${path}?atomic=true`, headers: { authorization } }
  assert.match(refusalsOf(await post(portal, [login], together))[0]?.message ?? '', /code 20101 of Portal$/)
  assert.match(results[3]?.error?.message ?? '', /code 29001 of Shop$/)
  assert.equal((await post(portal, shop, { headers: { authorization } })).status, 201)
})

test('a list is answered in order: all good 200, some 207, none with the first refusal', async () => {
  await using portal = await startPortal()
  const good = await post(portal, [login, login])
  assert.equal(good.status, 200)
  assert.deepEqual(
    resultsOf(good).map(({ position }) => position),
    [0, 1],
  )
  const some = await post(portal, [{ code: 1 }, login])
  assert.equal(some.status, 207)
  assert.deepEqual(
    resultsOf(some).map(({ index, position, error }) => [index, position, error?.field]),
    [
      [0, undefined, 'actor'],
      [undefined, 2, undefined],
    ],
  )
  assert.equal((await post(portal, [{ code: 1 }, 7])).status, 422)
  const none = await post(portal, [])
  assert.deepEqual([none.status, json(none)], [200, []])
})

test('lines are answered with a line each, by index; the last one needs no newline', async () => {
  await using portal = await startPortal()
  const text = JSON.stringify(login)
  const answer = await post(portal, `${text}\n\nnonsense\n \r\n${text}\r\n${text}`, { headers: ndjson })
  assert.equal(answer.status, 207)
  assert.equal(answer.headers['content-type'], 'application/x-ndjson')
  assert.deepEqual(
    lines(answer).map(({ index, position, error }) => [index, position ?? error?.code]),
    [
      [0, 0],
      [1, 'INVALID_EVENT'],
      [2, 1],
      [3, 2],
    ],
  )
  for (const type of ['application/jsonl', 'application/ndjson; charset=UTF-8']) {
    const one = await post(portal, text, { headers: { 'content-type': type } })
    assert.deepEqual([one.status, lines(one).length], [200, 1])
  }
  const none = await post(portal, '', { headers: ndjson })
  assert.deepEqual([none.status, none.body.byteLength], [200, 0])
})

test('a body, or a line, that is no JSON is told where it is broken', async () => {
  await using portal = await startPortal()
  const [body] = refusalsOf(await post(portal, '{"code":5,\n"actor" "x"}'))
  assert.match(
    body?.message ?? '',
    /: in line 2 at character 9 it is broken: expected ':' after property name$/,
  )
  const pretty = JSON.stringify(login, undefined, 2)
  const broken = lines(await post(portal, `\ufeff{}\n{"code" 5}\n${pretty}`, { headers: ndjson }))
  const [mark, colon, begun] = broken.map(({ error }) => `${error?.code}: ${error?.message}`)
  assert.match(mark ?? '', /^INVALID_EVENT: .*a byte order mark/)
  assert.match(colon ?? '', /one line of JSON: at character 9 it is broken: expected ':'/)
  assert.match(begun ?? '', /one line of JSON: it ends in the middle$/)
})

test('together or not at all: one refusal for each that is wrong, and nothing is recorded', async () => {
  await using portal = await startPortal()
  const target = `${path}?atomic=true`
  const refused = await post(portal, [login, { code: 1 }, login, { ...login, extra: 1 }], { target })
  assert.equal(refused.status, 422)
  assert.deepEqual(
    refusalsOf(refused).map(({ code, index, field }) => [code, index, field]),
    [
      ['INVALID_EVENT', 1, 'actor'],
      ['INVALID_EVENT', 3, 'extra'],
    ],
  )
  assert.equal(portal.log.recorded.length, 0)
  assert.equal(portal.losses[0]?.count, 4)
  const good = await post(portal, [login, login], { target })
  assert.equal(good.status, 200)
  assert.deepEqual(
    resultsOf(good).map(({ position }) => position),
    [0, 1],
  )
  const two = `${JSON.stringify(login)}\n${JSON.stringify(login)}\n`
  assert.equal(lines(await post(portal, two, { target, headers: ndjson })).length, 2)
  const many = Array.from({ length: 1_025 }, () => login)
  assert.deepEqual(codes(await post(portal, many, { target })), ['BODY_TOO_LARGE'])
  assert.deepEqual(portal.losses[1], { via: 'http', source: 'admin', reason: 'BODY_TOO_LARGE', count: 1_025 })
})

test('I7: together or not at all, what is forbidden is counted in an entry of its own, and nowhere else', async () => {
  await using portal = await startPortal()
  const target = `${path}?atomic=true`
  const own = { ...login, code: 29_001, message: 'x' }
  assert.equal((await post(portal, [own, login, { code: 1 }, own], { target })).status, 403)
  assert.match(portal.log.recorded[0] ?? '', / 29072 .*events="2"/)
  assert.equal((await post(portal, [own, login], { target })).status, 403)
  assert.equal((await post(portal, [own], { target })).status, 403)
  assert.deepEqual(portal.losses, [
    { via: 'http', source: 'admin', reason: 'INVALID_EVENT', count: 2 },
    { via: 'http', source: 'admin', reason: 'FORBIDDEN', count: 1 },
  ])
})

test('I7: a request that is refused before it is read is a loss', async () => {
  await using portal = await startPortal()
  await post(portal, login, { headers: { 'content-type': 'text/plain' } })
  await post(portal, login, { target: path.replace('portal-01', 'engine-01') })
  await post(portal, login, { target: `${path}?atomc=true` })
  assert.deepEqual(
    portal.losses,
    ['UNSUPPORTED_MEDIA_TYPE', 'NOT_FOUND', 'INVALID_PARAMETER'].map((reason) => ({
      via: 'http',
      source: 'admin',
      reason,
    })),
  )
})

test('a log goes by its id and by the names of its host; another one is not here', async () => {
  await using portal = await startPortal()
  for (const name of ['portal-01', 'PORTAL-01', 'Portal-01.example.com', portal.log.id])
    assert.equal((await post(portal, login, { target: path.replace('portal-01', name) })).status, 201, name)
  const elsewhere = await post(portal, login, { target: path.replace('portal-01', 'engine-01') })
  assert.equal(elsewhere.status, 404)
  assert.match(refusalsOf(elsewhere)[0]?.message ?? '', /portal-01/)
})

test('W7: an unknown, repeated or wrong parameter is refused', async () => {
  await using portal = await startPortal()
  for (const query of ['atomc=true', 'atomic=true&atomic=true', 'atomic=yes', 'atomic', 'receipt=1'])
    assert.deepEqual(codes(await post(portal, login, { target: `${path}?${query}` })), ['INVALID_PARAMETER'])
  assert.equal((await post(portal, login, { target: `${path}?atomic=false` })).status, 201)
})

test('what is not JSON in UTF-8, plain or gzip, is 415 and says what is', async () => {
  await using portal = await startPortal()
  const wrong: Record<string, string>[] = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=iso-8859-1' },
    { 'content-encoding': 'br' },
    { 'content-encoding': 'gzip, gzip' },
  ]
  for (const headers of wrong) {
    const answer = await post(portal, login, { headers })
    assert.deepEqual([answer.status, codes(answer)], [415, ['UNSUPPORTED_MEDIA_TYPE']])
    assert.equal(answer.headers['accept-encoding'], 'gzip, identity')
  }
  assert.equal((await ask(portal.port, path, { method: 'POST', body: '{}' })).status, 415)
  assert.equal((await ask(portal.port, path)).status, 405)
})

test('gzip is read, a bomb is cut, and what is no gzip is refused', async () => {
  await using portal = await startPortal()
  const gzip = { 'content-encoding': 'gzip' }
  const text = JSON.stringify(login)
  assert.equal((await post(portal, gzipSync(text), { headers: gzip })).status, 201)
  const many = gzipSync(`${text}\n`.repeat(3_000))
  assert.equal(lines(await post(portal, many, { headers: { ...ndjson, ...gzip } })).length, 3_000)
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
  assert.deepEqual(codes(await post(portal, bomb, { headers: gzip })), ['BODY_TOO_LARGE'])
  const cut = await post(portal, bomb, { headers: { ...ndjson, ...gzip } })
  assert.deepEqual([cut.status, lines(cut)[0]?.error?.code], [413, 'BODY_TOO_LARGE'])
  assert.deepEqual(codes(await post(portal, text, { headers: gzip })), ['MALFORMED_REQUEST'])
  const half = gzipSync(`${text}\n${text}\n`).subarray(0, -12)
  const broken = lines(await post(portal, half, { headers: { ...ndjson, ...gzip } }))
  assert.equal(broken.at(-1)?.error?.code, 'MALFORMED_REQUEST')
})

test('a body of JSON that is too large is refused before it is sent, or where it is found out', async () => {
  await using portal = await startPortal()
  const large = Buffer.alloc(recordBodyBytes + 1, ' ')
  assert.deepEqual(codes(await post(portal, large)), ['BODY_TOO_LARGE'])
  const chunked = await ask(portal.port, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    body: large,
  })
  assert.deepEqual(codes(chunked), ['BODY_TOO_LARGE'])
})

test('what is recorded together may have as many bytes as a group', async () => {
  await using portal = await startPortal()
  const target = `${path}?atomic=true`
  const each = { ...login, details: { filler: 'x'.repeat(1_500) } }
  const text = `${JSON.stringify(each)}\n`.repeat(1_000)
  assert.ok(text.length > 1.5 * recordBodyBytes)
  assert.equal(lines(await post(portal, text, { target, headers: ndjson })).length, 1_000)
  assert.equal(
    (await post(portal, `[${Array(1_000).fill(JSON.stringify(each)).join()}]`, { target })).status,
    200,
  )
  const [refusal] = refusalsOf(await post(portal, ' '.repeat(groupBytes + 1), { target, headers: ndjson }))
  assert.equal(refusal?.code, 'BODY_TOO_LARGE')
  assert.match(refusal?.message ?? '', /at most 2097152 bytes.*together or not at all/)
  assert.doesNotMatch(refusal?.message ?? '', /ndjson/)
})

test('who asks first whether the body is welcome is told when it is known', async () => {
  await using portal = await startPortal()
  const body = JSON.stringify(login)
  const expecting = [`Content-Length: ${body.length}`, 'Expect: 100-continue', 'Connection: close']
  const socket = await dial(portal.port, rawPost('', ...expecting))
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  await until(() => text.includes('100 Continue'))
  socket.write(body)
  await until(() => text.includes('"new":true'))
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  const refused = await raw(portal.port, rawPost('', ...expecting).replace(admin, 'Basic wrong'))
  assert.match(refused, /^HTTP\/1\.1 401 /)
  const other = rawPost('', ...expecting).replace(path, '/oauth2/default/v1/token')
  const token = await dial(portal.port, other)
  let told = ''
  token.on('data', (bytes) => (told += bytes.toString()))
  await until(() => told.includes('100 Continue'))
  token.end(body)
})

test('results of a long stream come while it is still being sent', async () => {
  await using portal = await startPortal()
  const socket = await dial(portal.port, rawPost('', 'Transfer-Encoding: chunked', 'Connection: close'))
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString()))
  const some = `${JSON.stringify(login)}\n`.repeat(9_000)
  socket.write(chunk(some))
  await until(() => text.includes('"index":8000'))
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  socket.write(`${chunk(some)}0\r\n\r\n`)
  await new Promise((resolve) => socket.once('close', resolve))
  assert.equal(lines({ body: Buffer.from(unchunk(text)) }).length, 18_000)
  assert.ok(text.endsWith('\r\n0\r\n\r\n'))
})

test('a line that was cut off with its connection is not recorded, and those before it are', async () => {
  await using portal = await startPortal()
  const text = `${JSON.stringify(login)}\n`
  const socket = await dial(
    portal.port,
    rawPost(chunk(text + text + text.slice(0, -1)), 'Transfer-Encoding: chunked'),
  )
  await until(() => portal.log.recorded.length === 2)
  socket.destroy()
  await until(() => portal.connections() === 0)
  await until(() => portal.metrics.breaks.length === 1)
  assert.deepEqual(portal.metrics.breaks, ['gone'])
  assert.equal(portal.log.recorded.length, 2)
})

test('a line without end is the last result, and the connection ends', async () => {
  await using portal = await startPortal({ recordLingerMs: 50 })
  const text = `${JSON.stringify(login)}\n`
  const endless = chunk(text) + chunk('x'.repeat(recordLineBytes + 1))
  const answer = await raw(portal.port, rawPost(endless, 'Transfer-Encoding: chunked'))
  assert.match(answer, /^HTTP\/1\.1 207 /)
  assert.match(answer, /\r\nConnection: close\r\n/)
  assert.match(answer, /"index":0,.*"new":true\}\n\{"index":1,"error":\{"code":"BODY_TOO_LARGE"/)
})

test('a chunk that is none ends the reading, and is answered like all else that does', async () => {
  await using portal = await startPortal({ recordLingerMs: 50 })
  const text = `${JSON.stringify(login)}\n`
  for (const type of ['x-ndjson', 'json']) {
    const head = rawPost('', 'Transfer-Encoding: chunked').replace('x-ndjson', type)
    const socket = await dial(portal.port, head + chunk(text))
    let answer = ''
    socket.on('data', (bytes) => (answer += bytes.toString()))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    if (type === 'x-ndjson') await until(() => portal.log.recorded.length === 1)
    socket.write('no chunk\r\n')
    await until(() => answer.includes('MALFORMED_REQUEST') || socket.closed)
    // It sends on, and still has its answer whole.
    socket.write(chunk(text))
    await closed
    assert.match(answer, /\r\nConnection: close\r\n/i)
    if (type === 'json') assert.match(answer, /^HTTP\/1\.1 400 /)
    else
      assert.match(answer, /^HTTP\/1\.1 207 .*"index":0,.*"new":true\}\n\{"index":1,"error":\{"code":"MAL/s)
  }
  assert.deepEqual(portal.metrics.breaks, [])
  assert.deepEqual(
    portal.losses.map(({ reason }) => reason),
    ['MALFORMED_REQUEST', 'MALFORMED_REQUEST'],
  )
  assert.equal(portal.log.recorded.length, 1)
})

test('the rest of a small body that is refused half-way is dropped, and its connection goes on', async () => {
  await using portal = await startPortal({ requestTimeoutMs: 3_000, connectionsCheckMs: 100 })
  const begun = 'this is no gzip'
  const [head, rest] = ['Content-Encoding: gzip', 'x'.repeat(500_000)]
  const length = `Content-Length: ${begun.length + rest.length}`
  const socket = await dial(portal.port, rawPost(begun, head, length).replace('x-ndjson', 'json'))
  let answers = ''
  socket.on('data', (bytes) => (answers += bytes.toString()))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await until(() => answers.includes('MALFORMED_REQUEST'))
  socket.write(`${rest}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  await closed
  assert.match(answers, /^HTTP\/1\.1 400 .*\r\nConnection: keep-alive\r\n.*HTTP\/1\.1 200 OK\r\n/s)
})

test('a client that sends nothing more is told so, and its whole lines stay', async () => {
  await using portal = await startPortal({ recordStallMs: 100, recordLingerMs: 50 })
  const text = `${JSON.stringify(login)}\n`
  const answer = await raw(portal.port, rawPost(chunk(`${text}{"code"`), 'Transfer-Encoding: chunked'))
  assert.match(answer, /"index":0,.*"new":true\}\n\{"index":1,"error":\{"code":"REQUEST_TIMEOUT"/)
  const whole = rawPost(`{"code"`, 'Content-Length: 100').replace('x-ndjson', 'json')
  await using other = await startPortal({ requestTimeoutMs: 100 })
  assert.match(await raw(other.port, whole), /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s)
})

test('R6: a client that never reads its results is cut off, and nothing grows meanwhile', async () => {
  await using portal = await startPortal({ answerStallMs: 200 })
  const text = chunk(`${JSON.stringify(login)}\n`.repeat(500))
  const socket = await dial(portal.port, rawPost('', 'Transfer-Encoding: chunked'))
  socket.pause()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  const fill = () => {
    while (!socket.destroyed && socket.write(text)) if (portal.metrics.breaks.length > 0) return
  }
  socket.on('drain', fill)
  fill()
  await until(() => portal.metrics.breaks.length > 0)
  assert.deepEqual(portal.metrics.breaks, ['stalled'])
  socket.resume()
  await closed
})

test('a stream waits while the log has no room, and is refused nothing', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'TOO_MANY_REQUESTS'
  const answer = post(portal, `${JSON.stringify(login)}\n`.repeat(700), { headers: ndjson })
  await new Promise((resolve) => setTimeout(resolve, 150))
  portal.log.recordingFails = undefined
  const { status, body } = await answer
  assert.equal(status, 200)
  assert.equal(lines({ body }).length, 700)
  assert.equal(portal.log.recorded.length, 700)
  assert.deepEqual(portal.losses, [])
})

test('a single event that finds no room is refused before anything is made of it; whoever has no credentials hears of that', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'TOO_MANY_REQUESTS'
  const answer = await post(portal, '{"code": no JSON')
  assert.equal(answer.status, 429)
  assert.deepEqual(portal.losses, [{ via: 'http', source: 'admin', reason: 'TOO_MANY_REQUESTS' }])
  assert.equal((await post(portal, login, { headers: { authorization: 'Basic wrong' } })).status, 401)
})

test('E9: whoever finds the queue of the log full is told the time that the log says', async (context) => {
  let now = 0
  context.mock.method(performance, 'now', () => now)
  const { log, disk } = await openTestLog()
  await using portal = await startPortalWith(log)
  const { promise, resolve } = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  disk.onSync = () => {
    begun.resolve()
    return promise
  }
  const waiting = [log.record(draft(log, 'first'))]
  await begun.promise
  for (const text of texts(queueEntries - queueNotForSingles.entries))
    waiting.push(log.record(draft(log, text)))
  now += 17_000
  const answers = [await post(portal, login), await post(portal, login, { target: `${path}?atomic=true` })]
  resolve()
  await Promise.all(waiting)
  for (const { status, headers } of answers) assert.deepEqual([status, headers['retry-after']], [429, '17'])
})

test('a stream that ends because the disk is full says when to come back, as the log does', async () => {
  const { log, disk } = await openTestLog()
  await using portal = await startPortalWith(log)
  disk.capacity = disk.used
  const sent = `${JSON.stringify(login)}\n`.repeat(20_000)
  const { status, headers, body: text } = await post(portal, sent, { headers: ndjson })
  assert.match(String(text), /STORAGE_FULL[^\n]*what follows was not read/)
  assert.deepEqual([status, headers['retry-after']], [507, '60'])
})

test('a stream that found no room goes on as soon as there is some, and everybody else has a turn meanwhile', async () => {
  await using portal = await startPortal()
  for (let round = 0; round < 5; round += 1) {
    portal.log.recordingFails = 'TOO_MANY_REQUESTS'
    const answer = post(portal, `${JSON.stringify(login)}\n`.repeat(5_000), { headers: ndjson })
    await new Promise((resolve) => setTimeout(resolve, 60 + 7 * round))
    portal.log.recordingFails = undefined
    assert.equal(lines(await answer).length, 5_000)
  }
  assert.equal(portal.log.recorded.length, 25_000)
})

test('a list of nothing but wrong events lets others have a turn', async () => {
  await using portal = await startPortal()
  let turns = 0
  const turn = setInterval(() => (turns += 1), 1)
  const { status, body } = await post(portal, `[${'1,'.repeat(30_000)}1]`)
  clearInterval(turn)
  assert.ok(turns > 5)
  assert.ok(status === 200 || status === 422)
  assert.equal(JSON.parse(body.toString()).length, 30_001)
})

test('what was recorded of a request is answered, also where its refusals cannot be recorded', async () => {
  await using portal = await startPortal()
  const record = portal.log.record.bind(portal.log)
  portal.log.record = (draft) =>
    draft.rest.includes('code="29072"') || draft.origin.includes(' 29072 ')
      ? Promise.reject(new AnnalsError('TOO_MANY_REQUESTS', 'as the test wants'))
      : record(draft)
  const answer = await post(portal, [login, { ...login, code: 29001, message: 'x' }])
  assert.equal(answer.status, 207)
  assert.ok(answer.headers['annals-not-recorded'] !== undefined)
  assert.equal(portal.log.recorded.length, 1)
})

test('I9: where there is no room at all, a stream is told so, and not read on', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'STORAGE_FULL'
  const answer = await post(portal, `${JSON.stringify(login)}\n`.repeat(50_000), { headers: ndjson })
  assert.equal(answer.status, 507)
  assert.equal(answer.headers['retry-after'], '5')
  const results = lines(answer)
  assert.ok(results.length < 50_000)
  assert.ok(results.every(({ error }) => error?.code === 'STORAGE_FULL'))
  const one = await post(portal, login)
  assert.deepEqual([one.status, one.headers['retry-after']], [507, '5'])
})

test('I9: where only some of a list could be recorded, the answer says when to try again', async () => {
  await using portal = await startPortal()
  const record = portal.log.record.bind(portal.log)
  portal.log.record = (draft) =>
    portal.log.size < recordGroupEntries
      ? record(draft)
      : Promise.reject(new AnnalsError('STORAGE_FULL', 'as the test wants'))
  const list = [7, ...Array.from({ length: recordGroupEntries + 1 }, () => login)]
  const answer = await post(portal, list)
  assert.deepEqual([answer.status, answer.headers['retry-after']], [207, '5'])
  assert.deepEqual(resultsOf(answer).at(-1)?.error?.code, 'STORAGE_FULL')
})

test('whoever is told that the outcome is not known is told the id to repeat', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'OUTCOME_UNKNOWN'
  const id = randomUUID()
  const answer = await post(portal, { ...login, id })
  assert.equal(answer.status, 503)
  assert.equal(answer.headers['retry-after'], '1')
  assert.ok(refusalsOf(answer)[0]?.message.includes(id))
  const together = await post(portal, [{ ...login, id }, login], { target: `${path}?atomic=true` })
  assert.deepEqual([together.status, together.headers['retry-after']], [503, '1'])
  const [first, second] = refusalsOf(together)
  assert.deepEqual([first?.index, second?.index, second?.code], [0, 1, 'OUTCOME_UNKNOWN'])
  assert.ok(first?.message.includes(id))
  assert.match(second?.message ?? '', /send it again with the id [0-9a-f-]{36}$/)
})

test('bodies beyond what may be held wait, and are refused where that takes too long', async () => {
  await using portal = await startPortal({ recordHeldBytes: 400_000, recordPlaceMs: 50 })
  const large = [login, 'x'.repeat(150_000)]
  const text = JSON.stringify(large)
  const begin = (bytes: number) =>
    dial(
      portal.port,
      rawPost(text.slice(0, bytes), `Content-Length: ${text.length}`).replace('x-ndjson', 'json'),
    )
  // Who has sent little is in nobody's way.
  const slowest = await begin(10)
  await until(() => portal.connections() === 1)
  assert.equal((await post(portal, large)).status, 207)
  const slow = await begin(120_000)
  let refused = await post(portal, large)
  for (let tries = 0; tries < 50 && refused.status === 207; tries += 1) refused = await post(portal, large)
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5'])
  slow.destroy()
  slowest.destroy()
  await until(() => portal.connections() === 0)
  assert.equal((await post(portal, large)).status, 207)
})

test('a node that stops says so instead of an answer', async () => {
  await using portal = await startPortal()
  portal.state.isReady = false
  assert.equal((await post(portal, login)).status, 503)
})

test('the schema of an event is public', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, '/audit-trail/api/v2/schemas/event', {
    headers: { authorization: '' },
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/schema+json')
  const schema = json(answer) as { properties: Record<string, object>; additionalProperties: boolean }
  assert.equal(schema.additionalProperties, false)
  assert.deepEqual(Object.keys(schema.properties['code'] ?? {}).includes('expects'), false)
})
