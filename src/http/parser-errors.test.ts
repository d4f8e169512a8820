// What never becomes a request, or only just: raw bytes on a socket (contract, table E).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dial, getLines, raw, until } from './testing/client.ts'
import { admin, startPortal } from './testing/portal-server.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const authorization = `Authorization: ${admin}`

/** Splits what came from a connection that was closed into status, head and the refusal's code. */
function parse(text: string): { status: number; head: string; code: string | undefined } {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1])
  assert.equal(Buffer.byteLength(body), length, text)
  const isRefusal = /^content-type: application\/json$/im.test(head)
  const elements = isRefusal ? (JSON.parse(body) as { code: string }[]) : []
  return { status: Number(head.slice(9, 12)), head, code: elements[0]?.code }
}

test('a request that the parser refuses gets the same refusal as any other', async () => {
  await using portal = await startPortal()
  const cases = {
    'no request at all': 'hello\r\n\r\n',
    'a bad version': 'GET / HTTP/3.9\r\nHost: a\r\n\r\n',
    'a method in small letters with a colon': 'g:t / HTTP/1.1\r\nHost: a\r\n\r\n',
    'a blank in a header name': 'GET / HTTP/1.1\r\nHo st: a\r\n\r\n',
    'a control character in a header value': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n',
    'obsolete line folding': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
    'two lengths': 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
    'a length and chunks':
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a length that is no number': 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n',
    'a bare line feed in the head': 'GET / HTTP/1.1\nHost: a\n\n',
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  }
  for (const [name, bytes] of Object.entries(cases)) {
    const { status, code, head } = parse(await raw(portal.port, bytes))
    assert.deepEqual({ status, code }, { status: 400, code: 'MALFORMED_REQUEST' }, name)
    assert.match(head, /^connection: close$/im, name)
    assert.match(head, /^date: /im, name)
  }
  assert.equal(portal.log.recorded.length, 0)
})

test('a head that is too large is 431, in headers and in the request line', async () => {
  await using portal = await startPortal()
  for (const bytes of [getLines(path, `X: ${'a'.repeat(20_000)}`), getLines(`/${'a'.repeat(20_000)}`)]) {
    const { status, code } = parse(await raw(portal.port, bytes))
    assert.deepEqual({ status, code }, { status: 431, code: 'HEADERS_TOO_LARGE' })
  }
})

test('a head, or a body, that does not arrive in time is 408', async () => {
  await using portal = await startPortal({
    headersTimeoutMs: 50,
    requestTimeoutMs: 100,
    connectionsCheckMs: 20,
  })
  const head = 'POST /oauth2/default/v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n'
  for (const bytes of [head, `${head}\r\ngrant`]) {
    const { status, code } = parse(await raw(portal.port, bytes))
    assert.deepEqual({ status, code }, { status: 408, code: 'REQUEST_TIMEOUT' })
  }
  assert.deepEqual(portal.logged, [])
})

test('A5: a method that the parser has never heard of is 405 on a resource, and 404 elsewhere', async () => {
  await using portal = await startPortal()
  const ofMethod = async (line: string) => parse(await raw(portal.port, `${line}\r\nHost: a\r\n\r\n`))
  const refused = await ofMethod(`BREW ${path}?before_date=2026-01-01 HTTP/1.1`)
  assert.deepEqual([refused.status, refused.code], [405, 'METHOD_NOT_ALLOWED'])
  assert.match(refused.head, /^allow: GET, HEAD$/im)
  assert.equal((await ofMethod('BREW /pot HTTP/1.1')).status, 404)
  assert.equal((await ofMethod('BREW pot')).status, 400)
  assert.equal((await ofMethod('CONNECT a:443 HTTP/1.1')).status, 405)
})

test('a path that is not well percent-encoded is malformed', async () => {
  await using portal = await startPortal()
  for (const target of ['/%', '/%zz', '/%c3%28', `${path}%ff`]) {
    const { status, code } = parse(await raw(portal.port, getLines(target, 'Connection: close')))
    assert.deepEqual({ status, code }, { status: 400, code: 'MALFORMED_REQUEST' }, target)
  }
})

test('HTTP/1.1 needs a Host, and HTTP/1.0 does not', async () => {
  await using portal = await startPortal()
  const without = parse(
    await raw(portal.port, `GET ${path} HTTP/1.1\r\n${authorization}\r\nConnection: close\r\n\r\n`),
  )
  assert.deepEqual([without.status, without.code], [400, 'MALFORMED_REQUEST'])
  const old = parse(await raw(portal.port, `GET ${path} HTTP/1.0\r\n${authorization}\r\n\r\n`))
  assert.equal(old.status, 200)
})

test('A1: a target in absolute form, or percent-encoded, is the same resource', async () => {
  await using portal = await startPortal()
  for (const target of [`http://other.example${path}`, path.replace('portal', '%70ortal')]) {
    assert.equal(parse(await raw(portal.port, getLines(target, 'Connection: close'))).status, 200, target)
  }
  const bytes = `POST http://other.example${path}?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  assert.equal(parse(await raw(portal.port, bytes)).status, 405)
})

test('an expectation that is unknown is ignored', async () => {
  await using portal = await startPortal()
  const text = await raw(portal.port, getLines(path, 'Expect: a-miracle', 'Connection: close'))
  assert.equal(parse(text).status, 200)
})

test('a body of a GET is dropped, and the connection carries the next request', async () => {
  await using portal = await startPortal()
  const withBody = `${getLines('/healthz', 'Content-Length: 5').trimEnd()}\r\n\r\nhello`
  const text = await raw(portal.port, withBody + getLines('/version', 'Connection: close'))
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
})

test('a connection with a body of unknown or great length is not kept', async () => {
  await using portal = await startPortal()
  for (const lines of ['Content-Length: 99999999', 'Transfer-Encoding: chunked']) {
    assert.match(parse(await raw(portal.port, getLines('/healthz', lines))).head, /^connection: close$/im)
  }
})

test('R6: nothing is written into an answer that is under way', async () => {
  await using portal = await startPortal()
  portal.log.preload(1, 100)
  let open: () => void = () => undefined
  portal.log.gate = new Promise((resolve) => (open = resolve))
  const socket = await dial(portal.port, `${getLines(path)}no request\r\n\r\n`)
  let came = ''
  socket.on('data', (chunk) => (came += String(chunk)))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await until(() => portal.metrics.refusals.length > 0)
  open()
  await closed
  assert.equal(came, '', 'the connection is broken instead')
})

test('a client that only half closes gets its answer', async () => {
  await using portal = await startPortal()
  portal.log.preload(2, 50)
  const socket = await dial(portal.port, '')
  socket.end(getLines(path))
  let came = ''
  socket.on('data', (chunk) => (came += String(chunk)))
  await new Promise((resolve) => socket.once('close', resolve))
  assert.ok(came.endsWith(String(await portal.log.text(0, 2))))
})
