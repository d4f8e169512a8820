// What a gateway passes on, and what it passes back, byte by byte.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import {
  chunkedAnswer,
  countedAnswer,
  type ScriptedInstance,
  startScriptedInstance,
} from '../agora/testing/scripted-instance.ts'
import { type AgoraServer, type AgoraServerOptions, client, startAgora } from './testing/agora-server.ts'
import { ask, dial, raw, until } from './testing/client.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'

interface Opened {
  readonly instance: ScriptedInstance
  readonly agora: AgoraServer
}

async function open(
  context: TestContext,
  answer: (socket: Socket, question: string) => unknown,
  options: AgoraServerOptions = {},
): Promise<Opened> {
  const instance = await startScriptedInstance(context, answer)
  return { instance, agora: await startAgora(context, instance, options) }
}

/** A raw request with a client's token, on a connection that ends with its answer. */
function requestLines(target: string, lines: readonly string[] = [], version = '1.1'): string {
  const head = [`GET ${target} HTTP/${version}`, 'Host: agora.eu.example', `Authorization: ${client}`]
  return [...head, ...(version === '1.1' ? ['Connection: close'] : []), ...lines, '', ''].join('\r\n')
}

const fine = (socket: Socket) => socket.write(countedAnswer('abc'))

describe('what a gateway asks an instance', () => {
  test('path and query go as they came, and of the headers those that an instance should know', async (context) => {
    const { instance, agora } = await open(context, fine)
    const target = '/audit-trail/api/v1/engine/Engine%2d01/type/auditlog?before_date=2025-01-01&x=%0d%0a+%zz'
    await ask(agora.port, target, {
      headers: {
        authorization: client,
        accept: 'text/plain',
        'accept-encoding': 'zstd, gzip',
        range: 'bytes=0-9',
        'if-range': '"a"',
        'if-none-match': '"b"',
        'user-agent': 'siem/1.0',
        cookie: 'session=secret',
        'x-forwarded-for': '10.9.9.9',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-real-ip': '10.9.9.9',
        forwarded: 'for=10.9.9.9',
        via: '1.1 evil',
        te: 'trailers',
        upgrade: 'h2c',
        connection: 'keep-alive, x-custom',
        'x-custom': 'y',
        expect: 'x',
      },
    })
    assert.deepEqual(instance.questions[0]?.split('\r\n'), [
      `GET ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${instance.port}`,
      `authorization: ${client}`,
      'accept: text/plain',
      'accept-encoding: zstd, gzip',
      'range: bytes=0-9',
      'if-range: "a"',
      'if-none-match: "b"',
      'user-agent: siem/1.0',
      'via: 1.1 annals-agora',
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-proto: http',
    ])
  })

  test('behind a proxy that is trusted, the client is whom that names', async (context) => {
    const { instance, agora } = await open(context, fine, { trusts: (address) => address === '127.0.0.1' })
    const headers = { authorization: client, 'x-forwarded-for': '10.1.1.1, 192.0.2.7' }
    await ask(agora.port, path, { headers })
    assert.match(instance.questions[0] ?? '', /\r\nx-forwarded-for: 192\.0\.2\.7\r\n/)
  })

  test('a target in absolute form is asked for as a path', async (context) => {
    const { instance, agora } = await open(context, fine)
    await raw(agora.port, requestLines(`http://other.example${path}?elapsed_hours=1`))
    assert.match(instance.questions[0] ?? '', new RegExp(`^GET ${path}\\?elapsed_hours=1 HTTP/1\\.1\r\n`))
  })

  test('no trick with a path reaches another resource of the instance', async (context) => {
    const { instance, agora } = await open(context, fine)
    for (const target of [
      '/audit-trail/api/v1/portal/type/../../../../../oauth2/default/v1/token',
      '/audit-trail/api/v1/portal/type/%2e%2e/%2e%2e/x',
      '/audit-trail/api/v1/engine/../portal/type/auditlog',
      '/audit-trail/api/v1/engine/a/../../portal/type/auditlog',
      `/${path}`,
      `${path}/`,
      `${path}//`,
      '/audit-trail//api/v1/portal/type/auditlog',
      '/audit-trail/api/v1/portal/type%2fauditlog',
      '/audit-trail/api/v1/portal;x/type/auditlog',
      '/oauth2/default/v1/token',
      '/oauth2/default/v1/keys',
      '/.well-known/oauth-authorization-server/oauth2/default',
      'http://127.0.0.1/oauth2/default/v1/keys',
      '/',
      '*',
    ]) {
      const answer = await raw(agora.port, requestLines(target))
      assert.match(answer, /^HTTP\/1\.1 (?:404|400) /, target)
    }
    assert.deepEqual(instance.questions, [])
  })

  test('what is encoded in the place of an engine stays so, and stays in its place', async (context) => {
    const { instance, agora } = await open(context, fine)
    for (const name of [
      '%2e%2e',
      'a%2f..%2fb',
      '%2e%2e%2f%2e%2e%2fportal',
      'a%00b',
      'a%0d%0aX:%20y',
      '..%5c',
    ]) {
      const target = `/audit-trail/api/v1/engine/${name}/type/auditlog`
      const answer = await raw(agora.port, requestLines(target))
      if (answer.startsWith('HTTP/1.1 200 '))
        assert.ok(instance.questions.at(-1)?.startsWith(`GET ${target} HTTP/1.1\r\n`), name)
      else assert.match(answer, /^HTTP\/1\.1 4/)
    }
    assert.ok(!instance.questions.some((question) => /^X:/m.test(question)))
    assert.match(agora.log.recorded.join('\n'), /^$/, 'what an instance answered is recorded there')
  })

  test('R6: a client of HTTP/1.0, which could not tell an end from a break, is given nothing compressed', async (context) => {
    const { instance, agora } = await open(context, fine)
    const answer = await raw(agora.port, requestLines(path, ['Accept-Encoding: gzip'], '1.0'))
    assert.match(answer, /\r\ncontent-length: 3\r\n[^]*\r\n\r\nabc$/i)
    assert.match(instance.questions[0] ?? '', /\r\naccept-encoding: identity\r\n/)
    assert.match(instance.questions[0] ?? '', /\r\nvia: 1\.0 annals-agora\r\n/)
  })

  test('questions on one connection go to the instance one after the other', async (context) => {
    const waiting: Socket[] = []
    const { instance, agora } = await open(context, (socket) => waiting.push(socket))
    const lines = requestLines(path).replace('Connection: close\r\n', '')
    const socket = await dial(agora.port, `${lines}${lines}${requestLines(path)}`)
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    for (let k = 1; k <= 3; k++) {
      await until(() => instance.questions.length === k)
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal(instance.questions.length, k)
      waiting[k - 1]?.write(countedAnswer(`<${k}>`))
    }
    await once(socket, 'close')
    assert.match(Buffer.concat(chunks).toString(), /<1>[^]*<2>[^]*<3>$/)
    assert.equal(instance.connections.length, 1)
  })
})

describe('what a gateway passes back', () => {
  test('status, headers and bytes are those of the instance, and what is for one hop is not', async (context) => {
    const text = [
      'HTTP/1.1 206 Whatever',
      'Date: Thu, 01 Jan 2026 00:00:00 GMT',
      'ETag: "log.0-3"',
      'Annals-Positions: 0-3',
      'X-Twice: 1',
      'x-twice: 2',
      'Content-Length: 3',
      'Connection: keep-alive, X-Hop',
      'Keep-Alive: timeout=5',
      'X-Hop: 1',
      'Upgrade: h2c',
      'Trailer: x',
      'Proxy-Connection: keep-alive',
      '',
      '\xe9\n\0',
    ].join('\r\n')
    const { agora } = await open(context, (socket) => socket.write(Buffer.from(text, 'latin1')))
    const answer = await ask(agora.port, path, { headers: { authorization: client } })
    assert.equal(answer.status, 206)
    assert.equal(answer.body.toString('latin1'), '\xe9\n\0')
    const own = answer.rawHeaders.slice(0, answer.rawHeaders.indexOf('Connection'))
    const expected = `Via|1.1 annals-agora|Date|Thu, 01 Jan 2026 00:00:00 GMT|ETag|"log.0-3"|Annals-Positions|0-3`
    assert.equal(own.join('|'), `${expected}|X-Twice|1|x-twice|2|Content-Length|3`)
    assert.deepEqual(agora.metrics.answers, [`${path} 206`])
    assert.deepEqual([agora.noted, agora.metrics.bytes, agora.metrics.underWay], [['answer'], 3, 0])
  })

  test("an instance's own refusal goes through as it is, without an offer of Basic", async (context) => {
    const refusal = '[{"code":"UNAUTHENTICATED","message":"x"}]'
    const head = `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${refusal.length}\r\n`
    const challenges = 'WWW-Authenticate: Basic realm="annals"\r\nWWW-Authenticate: Bearer realm="annals"\r\n'
    const { agora } = await open(context, (socket) => socket.write(`${head}${challenges}\r\n${refusal}`))
    const answer = await ask(agora.port, path, { headers: { authorization: client } })
    assert.deepEqual([answer.status, answer.body.toString()], [401, refusal])
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="annals"')
    assert.deepEqual(agora.log.recorded, [])
  })

  test('R5: what comes in chunks goes on in chunks, whole', async (context) => {
    const parts = [Buffer.alloc(200_000, 1), Buffer.alloc(1, 2), Buffer.alloc(300_000, 3)]
    const { agora } = await open(context, (socket) => socket.write(chunkedAnswer(parts)))
    const answer = await ask(agora.port, path, { headers: { authorization: client } })
    assert.equal(answer.headers['transfer-encoding'], 'chunked')
    assert.ok(answer.body.equals(Buffer.concat(parts)))
  })

  test('A5: to HEAD, and where nothing has changed, there is a head and no more', async (context) => {
    const heads = {
      HEAD: 'HTTP/1.1 200 OK\r\nContent-Length: 700\r\nETag: "a"\r\n\r\n',
      GET: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    }
    const { instance, agora } = await open(context, (socket, question) =>
      socket.write(question.startsWith('HEAD') ? heads.HEAD : heads.GET),
    )
    for (let k = 0; k < 2; k++) {
      const head = await ask(agora.port, path, { method: 'HEAD', headers: { authorization: client } })
      assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '700', 0])
      const same = await ask(agora.port, path, { headers: { authorization: client } })
      assert.deepEqual([same.status, same.headers.etag, same.body.length], [304, '"a"', 0])
    }
    assert.equal(instance.connections.length, 1)
  })

  test('R6: where the instance breaks off, so does the connection of the client, and an entry tells it', async (context) => {
    for (const begun of [countedAnswer('abc', '', 10), chunkedAnswer(['abc'], '')]) {
      const { agora } = await open(context, (socket) =>
        socket.write(begun, () => setTimeout(() => socket.destroy(), 20)),
      )
      await assert.rejects(ask(agora.port, path, { headers: { authorization: client } }), /aborted|hang up/)
      await until(() => agora.log.recorded.length > 0)
      const [entry = '', ...more] = agora.log.recorded
      assert.deepEqual(more, [])
      assert.match(entry, / 29003 .*actor="client:siem" component="Agora".*target="instance\/acme\/portal"/)
      assert.match(entry, /reason="instance" sent="3" bytes="(?:10|3)"/)
      assert.deepEqual(agora.metrics.breaks, ['instance'])
      assert.equal(agora.metrics.underWay, 0)
      assert.match(JSON.stringify(agora.logged), /an instance broke off/)
    }
  })

  test('R6: where the instance stops to send, the connection of the client is broken in the end', async (context) => {
    const stalls = (socket: Socket) => socket.write(countedAnswer('abc', '', 10))
    const { agora } = await open(context, stalls, { upstream: { stallMs: 50 } })
    await assert.rejects(ask(agora.port, path, { headers: { authorization: client } }), /aborted|hang up/)
    await until(() => agora.metrics.breaks.length > 0)
    assert.deepEqual(agora.metrics.breaks, ['instance'])
  })

  test('where the client leaves, the question to the instance ends, before the head and after it', async (context) => {
    for (const begun of ['', countedAnswer('abc', '', 10)]) {
      const { instance, agora } = await open(context, (socket) => begun === '' || socket.write(begun))
      const socket = await dial(agora.port, requestLines(path))
      await until(() => instance.questions.length > 0)
      if (begun !== '') await once(socket, 'data')
      // A client that only ended its sending side may still want the answer.
      socket.resetAndDestroy()
      await once(instance.connections[0] ?? assert.fail(), 'close')
      await until(() => agora.log.recorded.length > 0)
      assert.match(agora.log.recorded[0] ?? '', / 29003 .*reason="gone"/)
      assert.deepEqual([agora.metrics.breaks, agora.metrics.underWay], [['gone'], 0])
      assert.ok(!agora.noted.includes('cut'), 'the instance is not to blame')
    }
  })

  test('R7: who reads slowly makes the instance wait', async (context) => {
    const bytes = 32 * 1024 * 1024
    const { instance, agora } = await open(context, (socket) =>
      socket.write(countedAnswer(Buffer.alloc(bytes))),
    )
    const socket = await dial(agora.port, requestLines(path))
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok((instance.connections[0]?.writableLength ?? 0) > bytes / 2)
    let received = 0
    socket.on('data', ({ length }) => (received += length))
    await once(socket, 'close')
    assert.ok(received > bytes)
  })

  test('E10: there are so many answers at once, and no more', async (context) => {
    const waiting: Socket[] = []
    const { instance, agora } = await open(context, (socket) => waiting.push(socket), {
      bounds: { bulkAnswers: 1 },
    })
    const headers = { authorization: client }
    const first = ask(agora.port, path, { headers })
    await until(() => instance.questions.length === 1)
    const refused = await ask(agora.port, path, { headers })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '5')
    assert.match(refused.body.toString(), /^\[\{"code":"UNAVAILABLE","message":"too many answers/)
    waiting[0]?.write(countedAnswer('abc'))
    assert.equal((await first).status, 200)
    assert.equal(agora.metrics.underWay, 0)
  })
})
