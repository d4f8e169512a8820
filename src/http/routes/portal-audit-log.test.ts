// The answer of a log: windows, snapshots, conditions, ranges and codings (contract, tables W and R).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ask, getLines, raw } from '../testing/client.ts'
import { admin, startPortal, type PortalServer } from '../testing/portal-server.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
/** The first four of the entries, which lie a second apart from the beginning of 2026 on. */
const past = `${path}?before_date=2026-01-01T00:00:04`
const bytesOfPast = 4 * 100

async function startPortalWithTen(): Promise<PortalServer> {
  const portal = await startPortal()
  portal.log.preload(10, 100)
  return portal
}

test('W1: without a parameter the answer is the whole log, up to the read itself', async () => {
  await using portal = await startPortalWithTen()
  const answer = await ask(portal.port, path)
  assert.deepEqual(answer.body, await portal.log.text(0, 10))
  assert.equal(answer.headers['annals-positions'], '0-10')
  assert.match(
    portal.log.recorded[0] ?? '',
    / pos="10".* start="-" end="2026-01-01T00:00:10.000000Z" from="0" to="10"/,
  )
})

test('W2: before_date ends the window, and W3: elapsed_hours begins it', async () => {
  await using portal = await startPortalWithTen()
  const answer = await ask(portal.port, `${past}&elapsed_hours=0.0005`)
  assert.equal(answer.headers['annals-positions'], '3-4')
  assert.deepEqual(answer.body, await portal.log.text(3, 4))
  assert.match(
    portal.log.recorded[0] ?? '',
    / start="2026-01-01T00:00:02.200000Z" end="2026-01-01T00:00:04.000000Z"/,
  )
})

test('R1: the lines are sent as they are stored, as plain text', async () => {
  await using portal = await startPortalWithTen()
  const { headers } = await ask(portal.port, past)
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(headers['content-encoding'], undefined)
})

test('R2: the length is exact, and the same window asked again is identical', async () => {
  await using portal = await startPortalWithTen()
  const [first, second] = [await ask(portal.port, past), await ask(portal.port, past)]
  assert.equal(first.headers['content-length'], String(bytesOfPast))
  assert.deepEqual(second.body, first.body)
  assert.equal(second.headers.etag, first.headers.etag)
})

test('R2: an answer is the snapshot of its beginning, while recording goes on', async () => {
  await using portal = await startPortal({ smallAnswerBytes: 1000, answerBufferBytes: 1000 })
  portal.log.preload(2000, 100)
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(portal.port, path)))
  const sizes = answers.map(({ headers }) => Number(String(headers['annals-positions']).slice(2)))
  assert.equal(new Set(sizes).size, 8, 'each lies outside its own snapshot, and in the next one')
  for (const { headers, body } of answers) {
    const [from = NaN, to = NaN] = String(headers['annals-positions']).split('-').map(Number)
    assert.deepEqual(body, await portal.log.text(from, to))
  }
})

test('R3: a window without entries is an empty answer', async () => {
  await using portal = await startPortalWithTen()
  for (const encoding of ['identity', 'zstd', 'gzip']) {
    const headers = { 'accept-encoding': encoding }
    const answer = await ask(portal.port, `${path}?before_date=2020-01-01`, { headers })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-length'], '0')
  }
  assert.equal(portal.log.recorded.length, 3)
})

test('R4: the answer names its log and its positions, and is asked about anew each time', async () => {
  await using portal = await startPortalWithTen()
  const { headers } = await ask(portal.port, past)
  assert.equal(headers.etag, `"${portal.log.id}.0-4"`)
  assert.equal(headers['annals-log'], portal.log.id)
  assert.equal(headers['annals-now'], '2026-01-01T00:00:10.000000Z')
  assert.equal(headers['accept-ranges'], 'bytes')
  assert.equal(headers['cache-control'], 'private, no-cache')
  assert.equal(headers.vary, 'Authorization, Accept-Encoding')
})

test('R4: who has the answer already is told so', async () => {
  await using portal = await startPortalWithTen()
  const { etag = '' } = (await ask(portal.port, past)).headers
  for (const ifNoneMatch of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await ask(portal.port, past, { headers: { 'if-none-match': ifNoneMatch } })
    assert.equal(answer.status, 304, ifNoneMatch)
    assert.equal(answer.body.length, 0)
    assert.equal(answer.headers.etag, etag)
    assert.equal(answer.headers['cache-control'], 'private, no-cache')
    assert.equal(answer.headers.vary, 'Authorization, Accept-Encoding')
    assert.equal(answer.headers['content-length'], undefined)
  }
  assert.equal(portal.log.recorded.length, 5, 'each is recorded')
  const moved = await ask(portal.port, path, { headers: { 'if-none-match': etag } })
  assert.equal(moved.status, 200)
})

test('R4: a range is answered with its part', async () => {
  await using portal = await startPortalWithTen()
  const whole = await portal.log.text(0, 4)
  const cases: [string, number, number][] = [
    ['bytes=0-9', 0, 10],
    ['bytes=390-', 390, 400],
    ['bytes=-1', 399, 400],
    ['bytes=100-4000', 100, 400],
  ]
  for (const [range, start, end] of cases) {
    const answer = await ask(portal.port, past, { headers: { range, 'accept-encoding': 'gzip' } })
    assert.equal(answer.status, 206)
    assert.equal(answer.headers['content-range'], `bytes ${start}-${end - 1}/400`)
    assert.equal(answer.headers['content-length'], String(end - start))
    assert.deepEqual(answer.body, whole.subarray(start, end))
  }
  assert.equal(portal.log.recorded.length, cases.length)
})

test('R4: several ranges and unknown units are answered with the whole', async () => {
  await using portal = await startPortalWithTen()
  for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=9-1']) {
    const answer = await ask(portal.port, past, { headers: { range } })
    assert.deepEqual([answer.status, answer.body.length], [200, bytesOfPast], range)
  }
})

test('E8: a range behind the end is refused with the length, and recorded', async () => {
  await using portal = await startPortalWithTen()
  const answer = await ask(portal.port, past, { headers: { range: 'bytes=400-' } })
  assert.equal(answer.status, 416)
  assert.equal(answer.headers['content-range'], 'bytes */400')
  assert.match(answer.body.toString(), /^\[\{"code":"RANGE_NOT_SATISFIABLE"/)
  assert.deepEqual(
    portal.log.recorded.map((line) => / - (\d+) /.exec(line)?.[1]),
    ['29001', '29002'],
  )
})

test('R4: HEAD has no ranges', async () => {
  await using portal = await startPortalWithTen()
  const answer = await ask(portal.port, past, { method: 'HEAD', headers: { range: 'bytes=0-1' } })
  assert.deepEqual([answer.status, answer.headers['content-length']], [200, '400'])
})

test('R4: If-Range goes on with the snapshot that it names, though the window has moved', async () => {
  await using portal = await startPortalWithTen()
  const first = await ask(portal.port, path, { headers: { range: 'bytes=0-499' } })
  const headers = { range: 'bytes=500-', 'if-range': first.headers.etag ?? '' }
  portal.log.preload(5, 100)
  const rest = await ask(portal.port, path, { headers })
  assert.equal(rest.status, 206)
  assert.equal(rest.headers['content-range'], 'bytes 500-999/1000')
  assert.equal(rest.headers.etag, first.headers.etag)
  assert.equal(rest.headers['annals-positions'], '0-10')
  assert.deepEqual(Buffer.concat([first.body, rest.body]), await portal.log.text(0, 10))
  assert.equal(portal.log.recorded.length, 2)
})

test('R4: an If-Range that names anything else is answered with the whole of now', async () => {
  await using portal = await startPortalWithTen()
  const { id } = portal.log
  const others = ['"other.0-4"', `W/"${id}.0-4"`, `"${id}.0-4-gzip"`, `"${id}.0-4000"`, `"${id}.4-0"`]
  for (const ifRange of [...others, 'Wed, 21 Oct 2026 07:28:00 GMT', 'x']) {
    const answer = await ask(portal.port, past, { headers: { range: 'bytes=0-9', 'if-range': ifRange } })
    assert.deepEqual([answer.status, answer.body.length], [200, bytesOfPast], ifRange)
  }
})

test('R4: If-Range without a range that counts is ignored', async () => {
  await using portal = await startPortalWithTen()
  const ifRange = `"${portal.log.id}.0-1"`
  for (const range of [undefined, 'bytes=0-1,3-4']) {
    const answer = await ask(portal.port, past, { headers: { 'if-range': ifRange, ...(range && { range }) } })
    assert.deepEqual([answer.status, answer.headers['annals-positions']], [200, '0-4'])
  }
})

test('R4: a range on the condition of another answer is answered with the whole', async () => {
  await using portal = await startPortalWithTen()
  const headers = (etag: string) => ({ range: 'bytes=0-9', 'if-match': etag })
  assert.equal((await ask(portal.port, past, { headers: headers('"x.0-1"') })).status, 200)
  assert.equal((await ask(portal.port, past, { headers: headers(`"${portal.log.id}.0-4"`) })).status, 206)
})

test('R5: a compressed answer decodes to the very bytes, and has a tag of its own', async () => {
  await using portal = await startPortal()
  portal.log.preload(9000, 200)
  const whole = await portal.log.text(0, 9000)
  const window = `${path}?before_date=2026-01-01T02:30:00`
  for (const [coding, decode] of [
    ['zstd', zstdDecompressSync],
    ['gzip', gunzipSync],
  ] as const) {
    const { status, headers, body } = await ask(portal.port, window, {
      headers: { 'accept-encoding': coding },
    })
    assert.equal(status, 200)
    assert.equal(headers['content-encoding'], coding)
    assert.equal(headers['transfer-encoding'], 'chunked')
    assert.equal(headers['content-length'], undefined)
    assert.equal(headers['annals-content-length'], String(whole.length))
    assert.equal(headers['accept-ranges'], 'none')
    assert.equal(headers.etag, `"${portal.log.id}.0-9000-${coding}"`)
    assert.ok(body.length < whole.length / 2)
    assert.ok(decode(body).equals(whole), 'one frame, or one member, is all of it')
    const again = { 'accept-encoding': coding, 'if-none-match': headers.etag ?? '' }
    assert.equal((await ask(portal.port, window, { headers: again })).status, 304)
  }
})

test('R5: zstd comes first at equal q, and HEAD says what GET would be', async () => {
  await using portal = await startPortalWithTen()
  const headers = { 'accept-encoding': 'gzip, zstd' }
  const answer = await ask(portal.port, past, { method: 'HEAD', headers })
  assert.equal(answer.headers['content-encoding'], 'zstd')
  assert.equal(answer.headers['annals-content-length'], '400')
})

test('R5: who refuses identity gets even nothing compressed', async () => {
  await using portal = await startPortalWithTen()
  const headers = { 'accept-encoding': 'gzip, identity;q=0', range: 'bytes=0-1' }
  const answer = await ask(portal.port, `${path}?before_date=2020-01-01`, { headers })
  assert.equal(answer.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(answer.body).length, 0)
})

test('R5: HTTP/1.0 is answered uncompressed, with a length, and the connection ends', async () => {
  await using portal = await startPortalWithTen()
  const lines = ['GET ' + past + ' HTTP/1.0', `Authorization: ${admin}`, 'Accept-Encoding: gzip', '', '']
  const [head = '', body = ''] = (await raw(portal.port, lines.join('\r\n'))).split('\r\n\r\n')
  assert.match(head, /^content-length: 400$/im)
  assert.doesNotMatch(head, /chunked|content-encoding/i)
  assert.equal(body, (await portal.log.text(0, 4)).toString())
})

test('R5: beyond the bound on compression the answer is plain, or refused to whom plain is refused', async () => {
  await using portal = await startPortal({ compressedAnswers: 0 })
  portal.log.preload(10, 100)
  const plain = await ask(portal.port, past, { headers: { 'accept-encoding': 'zstd' } })
  assert.deepEqual([plain.status, plain.headers['content-encoding']], [200, undefined])
  assert.equal(plain.headers.etag, `"${portal.log.id}.0-4"`)
  const refused = await ask(portal.port, past, { headers: { 'accept-encoding': 'zstd, identity;q=0' } })
  assert.equal(refused.status, 503)
})

test('I9: where the read cannot be recorded the answer says so, and is given', async () => {
  await using portal = await startPortalWithTen()
  portal.log.recordingFails = 'STORAGE_FULL'
  const answer = await ask(portal.port, past)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['annals-not-recorded'], 'storage-full')
  assert.equal(answer.body.length, bytesOfPast)
  const refused = await ask(portal.port, `${path}?x=1`)
  assert.deepEqual([refused.status, refused.headers['annals-not-recorded']], [400, 'storage-full'])
  assert.equal(portal.metrics.notRecorded, 1)
})

test('S7: the entry of a read says who, from where, which window and which positions', async () => {
  await using portal = await startPortalWithTen()
  await ask(portal.port, `${past}&elapsed_hours=1`)
  const [line = ''] = portal.log.recorded
  assert.match(line, / portal-01 \S+ \S+ 29001 \[audit@32473 /)
  assert.match(line, / actor="admin".* outcome="success" session="session-1" target="portal"/)
  assert.match(
    line,
    / start="2025-12-31T23:00:04.000000Z" end="2026-01-01T00:00:04.000000Z" from="0" to="4" bytes="400"/,
  )
  assert.match(line, /\[detail@32473 source="127\.0\.0\.1" method="GET"\]/)
})

test('the answer after a finished one comes on the same connection, and so do pipelined ones', async () => {
  await using portal = await startPortal({ smallAnswerBytes: 500, answerBufferBytes: 1000 })
  portal.log.preload(100, 100)
  const window = `${path}?before_date=2026-01-01T00:01:00`
  const one = getLines(window)
  const compressed = getLines(window, 'Accept-Encoding: gzip')
  const last = getLines('/healthz', 'Connection: close')
  const text = await raw(portal.port, one + one + compressed + getLines(past) + one + last)
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 6)
  assert.ok(text.endsWith('ok\n'))
  assert.equal(
    text.split(String(await portal.log.text(0, 60))).length,
    4,
    'three of them are the whole window',
  )
})
