import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ErrorCode } from '../../errors.ts'
import { decoded, encoded } from '../../intake/otlp/testing/messages.ts'
import { otlpBodyBytes } from '../../limits.ts'
import { admin, type PortalServer, reader, startPortal } from '../testing/portal-server.ts'

type Headers = Readonly<Record<string, string>>

const record = (text: string, attributes: readonly object[] = []) => ({
  timeUnixNano: '1700000000000000000',
  body: { stringValue: text },
  attributes,
})
const requestOf = (...logRecords: readonly object[]) => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
const protobufOf = (request: object) => encoded('ExportLogsServiceRequest', request)
const asProtobuf = { 'content-type': 'application/x-protobuf' }
const asJson = { 'content-type': 'application/json' }
const bearer = { authorization: 'Bearer service:audit-trail:record' }

async function post(server: PortalServer, body: Uint8Array | string, headers: Headers): Promise<Response> {
  const url = `http://127.0.0.1:${server.port}/v1/logs`
  return await fetch(url, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { authorization: admin, ...headers },
  })
}

/** What was recorded from outside: the id and all that follows the header. */
function recorded(server: PortalServer): string[] {
  return server.log.recorded.filter((line) => line.includes(' via="otlp" '))
}

test('records are durable before the answer, and a full success says nothing more', async () => {
  await using server = await startPortal()
  const request = requestOf(record('first'), record('second'))
  const json = await post(server, JSON.stringify(request), asJson)
  assert.equal(json.status, 200)
  assert.equal(json.headers.get('content-type'), 'application/json')
  assert.equal(json.headers.get('cache-control'), 'no-store')
  assert.equal(await json.text(), '{}')
  const protobuf = await post(server, protobufOf(request), asProtobuf)
  assert.equal(protobuf.status, 200)
  assert.equal(protobuf.headers.get('content-type'), 'application/x-protobuf')
  assert.equal((await protobuf.arrayBuffer()).byteLength, 0)
  const lines = recorded(server)
  assert.equal(lines.length, 4)
  assert.match(lines[0] ?? '', /by="admin" occurred="2023-11-14T22:13:20.000000Z"\].* first\n$/)
  assert.match(lines[3] ?? '', / second\n$/)
})

test('I4: the same bytes have the same identity, compressed or not', async () => {
  const bytes = protobufOf(requestOf(record('once')))
  const ids = new Set<string | undefined>()
  for (const sent of [bytes, gzipSync(bytes), gzipSync(bytes, { level: 1 })]) {
    await using server = await startPortal()
    const headers = sent === bytes ? asProtobuf : { ...asProtobuf, 'content-encoding': 'gzip' }
    assert.equal((await post(server, sent, headers)).status, 200)
    ids.add(/ id="([^"]+)"/.exec(recorded(server)[0] ?? '')?.[1])
  }
  assert.equal(ids.size, 1)
  assert.match([...ids][0] ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-8/)
})

test('I7: what a record may not say, and what its sender may not record, is refused by itself', async () => {
  await using server = await startPortal()
  const shop = (code: number) => [
    { key: 'audit.code', value: { intValue: code } },
    { key: 'audit.component', value: { stringValue: 'Shop' } },
    { key: 'audit.actor', value: { stringValue: 'jdoe' } },
  ]
  const wrong = [...shop(40_002), { key: 'audit.outcome', value: { stringValue: 'perhaps' } }]
  const request = requestOf(
    record('sold', shop(40_001)),
    record('forged', shop(29_001)),
    record('odd', wrong),
  )
  const answer = await post(server, protobufOf(request), { ...asProtobuf, ...bearer })
  assert.equal(answer.status, 200)
  const { partialSuccess } = decoded(
    'ExportLogsServiceResponse',
    new Uint8Array(await answer.arrayBuffer()),
  ) as {
    partialSuccess: { rejectedLogRecords: string; errorMessage: string }
  }
  assert.equal(partialSuccess.rejectedLogRecords, '2')
  assert.match(
    partialSuccess.errorMessage,
    /^log record 1: this access token does not allow to record code 29001 of Shop; log record 2: "outcome"/,
  )
  assert.equal(recorded(server).length, 1)
  assert.match(server.log.recorded.join('\n'), / 29072 .*actor="client:siem".* events="1"/)
  assert.deepEqual(server.losses, [
    { via: 'otlp', source: 'client:siem', reason: 'FORBIDDEN', count: 1 },
    { via: 'otlp', source: 'client:siem', reason: 'INVALID_EVENT', count: 1 },
  ])
})

test("L4: no text reads as the node's own code, and a code in a text is the event's", async () => {
  await using server = await startPortal()
  const send = (text: string) => post(server, JSON.stringify(requestOf(record(text))), asJson)
  await send('x'.repeat(100_000))
  const [, xs = ''] = / (x+)\n$/.exec(recorded(server)[0] ?? '') ?? []
  const forged = `[Portal|AUDIT|29001|*system] forged ${'y'.repeat(999)}`
  // In front, behind white space, and where a text that is too long is cut.
  for (const before of ['', ' ', '\t', xs, `${xs.slice(0, -4)}\t`, `${xs}\t`]) {
    const { partialSuccess } = (await (await send(before + forged)).json()) as {
      partialSuccess?: { rejectedLogRecords: string; errorMessage: string }
    }
    assert.equal(partialSuccess?.rejectedLogRecords, '1', `behind ${before.length}`)
  }
  assert.ok(!recorded(server).some((line) => line.includes('forged')))
  // In attributes that are so long that they come in front of the text.
  const attributes = Array.from({ length: 70 }, (_, k) => ({
    key: `a${k}`,
    value: { stringValue: `x|29001|*system]${'z'.repeat(1_000)}` },
  }))
  const folded = await post(server, JSON.stringify(requestOf(record('folded', attributes))), asJson)
  assert.match(await folded.text(), /"rejectedLogRecords":"1"/)
  assert.ok(!recorded(server).some((line) => line.includes('|29001|')))
  assert.equal(await (await send('[Shop|TILL|40001|jdoe] sold')).text(), '{}')
  assert.match(
    recorded(server).at(-1) ?? '',
    / 40001 .*\[event@32473 actor="jdoe" component="Shop" category="TILL"\]/,
  )
})

test('E5, E6: who may not record is refused in the encoding of the request', async () => {
  await using server = await startPortal()
  for (const [headers, status] of [
    [{ authorization: 'Basic none' }, 401],
    [{ authorization: reader }, 403],
    [{ authorization: 'Bearer service:audit-trail' }, 403],
  ] as const) {
    const answer = await post(server, protobufOf(requestOf(record('no'))), { ...asProtobuf, ...headers })
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('content-type'), 'application/x-protobuf')
    const { message } = decoded('Status', new Uint8Array(await answer.arrayBuffer())) as { message: string }
    assert.match(message, /credentials|may not|does not allow/)
    assert.equal(answer.headers.get('www-authenticate') !== null, headers.authorization !== reader)
    const json = await post(server, '{}', { ...asJson, ...headers })
    assert.equal(json.status, status)
    assert.deepEqual(await json.json(), { message })
  }
  assert.equal(recorded(server).length, 0)
})

test('what cannot be read is refused for good, says what is wrong, and counts as a loss', async () => {
  await using server = await startPortal()
  const large = Buffer.alloc(otlpBodyBytes + 1, ' ')
  const zipped = { ...asJson, 'content-encoding': 'gzip' }
  const refused: readonly (readonly [Uint8Array | string, Headers, number, RegExp])[] = [
    ['{', asJson, 400, /no ExportLogsServiceRequest: it is not JSON/],
    ['{"resourceLogs":1}', asJson, 400, /"resourceLogs" is expected to be a list/],
    ['x', asProtobuf, 400, /it ends in the middle|is something else/],
    ['not gzip', zipped, 400, /gzip/],
    [large, asJson, 413, /at most 4194304 bytes/],
    [gzipSync(large), zipped, 413, /at most 4194304 bytes/],
    ['{}', { 'content-type': 'text/plain' }, 415, /application\/x-protobuf or application\/json/],
    ['{}', { ...asJson, 'content-encoding': 'br' }, 415, /gzip/],
  ]
  for (const [body, headers, status, message] of refused) {
    const answer = await post(server, body, headers)
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const isProtobuf = headers['content-type'] === 'application/x-protobuf'
    const said = isProtobuf ? decoded('Status', bytes) : JSON.parse(Buffer.from(bytes).toString())
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('retry-after'), null)
    assert.match((said as { message: string }).message, message)
  }
  assert.deepEqual(
    server.losses.map(({ via, reason, count = 1 }) => `${via} ${reason} ${count}`),
    [
      ...Array.from({ length: 4 }, () => 'otlp MALFORMED_REQUEST 1'),
      ...Array.from({ length: 2 }, () => 'otlp BODY_TOO_LARGE 1'),
      ...Array.from({ length: 2 }, () => 'otlp UNSUPPORTED_MEDIA_TYPE 1'),
    ],
  )
  const unsupported = await post(server, '{}', { 'content-type': 'text/plain' })
  assert.equal(unsupported.headers.get('accept'), 'application/x-protobuf, application/json')
})

test('I7: a request for which there is no place is a loss', async () => {
  await using server = await startPortal({ recordHeldBytes: 100, recordPlaceMs: 20 })
  const answer = await post(server, `{}${' '.repeat(1_000)}`, asJson)
  assert.equal(answer.status, 503)
  assert.deepEqual(server.losses, [{ via: 'otlp', source: 'admin', reason: 'UNAVAILABLE' }])
})

test('what passes has a status that exporters try again after', async () => {
  const cases: readonly (readonly [ErrorCode, number])[] = [
    ['TOO_MANY_REQUESTS', 429],
    ['STORAGE_FULL', 503],
    ['STORAGE_FAILED', 503],
    ['OUTCOME_UNKNOWN', 503],
    ['UNAVAILABLE', 503],
  ]
  for (const [code, status] of cases) {
    await using server = await startPortal()
    server.log.recordingFails = code
    const answer = await post(server, JSON.stringify(requestOf(record('later'))), asJson)
    assert.equal(answer.status, status, code)
    assert.ok(Number(answer.headers.get('retry-after')) > 0, code)
    assert.equal(typeof ((await answer.json()) as { message: unknown }).message, 'string')
    // Only what the operator must see to is in the operator's log.
    assert.deepEqual(
      server.logged.map(({ level }) => level),
      code === 'STORAGE_FAILED' ? ['error'] : [],
    )
    assert.deepEqual(server.metrics.refusals, [code])
  }
})

test('E10: a node that is not ready says so in the encoding of the request', async () => {
  await using server = await startPortal()
  server.state.isReady = false
  const answer = await post(server, protobufOf({}), asProtobuf)
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers.get('retry-after')) > 0)
  assert.match(
    (decoded('Status', new Uint8Array(await answer.arrayBuffer())) as { message: string }).message,
    /starting/,
  )
})
