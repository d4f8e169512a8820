import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import type { Socket } from 'node:net'
import { instanceHeadBytes, instanceReadBytes } from '../limits.ts'
import { connectorOf } from './connector.ts'
import { InstanceSocket, type SocketBounds } from './instance-socket.ts'
import { InstanceSilent } from './silence.ts'
import {
  chunkedAnswer,
  countedAnswer,
  question,
  type ScriptedInstance,
  startScriptedInstance,
} from './testing/scripted-instance.ts'

const bounds: SocketBounds = { connectMs: 60_000, stallMs: 60_000, lullMs: 60_000 }

interface Opened {
  readonly instance: ScriptedInstance
  readonly socket: InstanceSocket
}

/** A connection to an instance that answers with what `answer` writes. */
async function open(
  context: TestContext,
  answer: (socket: Socket, question: string) => unknown,
  different: Partial<SocketBounds> = {},
): Promise<Opened> {
  const instance = await startScriptedInstance(context, answer)
  const common = Buffer.allocUnsafeSlow(instanceReadBytes)
  const socket = new InstanceSocket(connectorOf(instance.at), 'acme.example:8443', common, {
    ...bounds,
    ...different,
  })
  context.after(() => socket.fail(new InstanceSilent('cut')))
  return { instance, socket }
}

/** Reads a body to its end, through a buffer of so many bytes. */
async function whole(socket: InstanceSocket, bytes = 1000): Promise<Buffer> {
  const [target, parts] = [Buffer.alloc(bytes), [] as Buffer[]]
  for (let read = await socket.read(target); read > 0; read = await socket.read(target))
    parts.push(Buffer.from(target.subarray(0, read)))
  return Buffer.concat(parts)
}

/** Writes in pieces of so many bytes, at the pace of whoever reads. */
async function writePieces(socket: Socket, bytes: Buffer, piece: number): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += piece)
    if (!socket.write(bytes.subarray(at, at + piece))) await once(socket, 'drain')
}

describe('a connection to an instance', () => {
  test('a question goes out as it is, and one follows the other on the same connection', async (context) => {
    const { instance, socket } = await open(context, (to, { length }) =>
      to.write(countedAnswer(`<${length}>`)),
    )
    const target = '/a/%2e%2e/b%2F?x=%00&y=\xe9'
    const head = await socket.ask({ method: 'GET', target, headers: { Range: 'bytes=0-1' } })
    assert.deepEqual([head.status, head.bytes], [200, 4])
    assert.deepEqual(head.rawHeaders, ['Content-Length', '4'])
    assert.ok(!socket.isFree)
    assert.equal((await whole(socket)).toString(), `<${instance.questions[0]?.length}>`)
    assert.equal(
      instance.questions[0],
      `GET ${target} HTTP/1.1\r\nHost: acme.example:8443\r\nRange: bytes=0-1`,
    )
    assert.ok(socket.isFree)
    await socket.ask(question)
    await whole(socket)
    assert.equal(instance.connections.length, 1)
  })

  test('every byte comes once and in order, whatever the sizes of pieces, chunks and buffers', async (context) => {
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, k) => k % 251))
    const parts = [sent.subarray(0, 1), sent.subarray(1, 70_000), sent.subarray(70_000)]
    for (const answer of [countedAnswer(sent), chunkedAnswer(parts)])
      for (const [piece, want] of [
        [7, 100_000],
        [1000, 333],
        [answer.length, 4096],
        [100_000, 300_000],
        [answer.length, 300_001],
      ] as const) {
        const { socket } = await open(context, (to) => writePieces(to, answer, piece))
        await socket.ask(question)
        assert.ok((await whole(socket, want)).equals(sent), `${piece} ${want}`)
        assert.ok(socket.isFree)
      }
  })

  test('an answer without a body leaves the connection free for the next', async (context) => {
    const heads = [
      'HTTP/1.1 200 OK\r\nContent-Length: 700\r\nETag: "a"\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ]
    const { instance, socket } = await open(context, (to) =>
      to.write(heads[instance.questions.length - 1] ?? ''),
    )
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
      ['GET', 200],
    ] as const) {
      assert.equal((await socket.ask({ ...question, method })).status, status)
      assert.equal((await whole(socket)).length, 0)
      assert.ok(socket.isFree)
    }
    assert.equal(instance.connections.length, 1)
  })

  test('R7: nothing is taken that was not asked for', async (context) => {
    const bytes = 16 * 1024 * 1024
    const { instance, socket } = await open(context, (to) => to.write(countedAnswer(Buffer.alloc(bytes))))
    await socket.ask(question)
    await socket.read(Buffer.alloc(10))
    await sleep(100)
    // The rest waits with the system and with the instance.
    assert.ok((instance.connections[0]?.writableLength ?? 0) > bytes / 2)
  })

  test('what comes slowly is passed on after a moment, and not held until a buffer is full', async (context) => {
    const { socket } = await open(context, (to) => to.write(countedAnswer('abc', '', 6)), { lullMs: 10 })
    await socket.ask(question)
    assert.equal(await socket.read(Buffer.alloc(1000)), 3)
  })

  test('R6: a connection that breaks off is a cut, and never the end of the body', async (context) => {
    for (const answer of [
      countedAnswer('abc', '', 10),
      chunkedAnswer(['abc'], ''),
      chunkedAnswer(['abc'], '0\r\n'),
    ])
      for (const end of ['end', 'destroy'] as const) {
        const { socket } = await open(context, (to) =>
          to.write(answer, () => setTimeout(() => to[end](), 10)),
        )
        await socket.ask(question)
        const target = Buffer.alloc(1000)
        assert.equal(await socket.read(target), 3)
        await assert.rejects(socket.read(target), { reason: 'cut' })
        assert.ok(socket.isEnded)
      }
  })

  test('an instance that sends nothing more has stalled', async (context) => {
    const { instance, socket } = await open(context, (to) => to.write(countedAnswer('', '', 10)), {
      stallMs: 30,
    })
    await socket.ask(question)
    await assert.rejects(socket.read(Buffer.alloc(1000)), { reason: 'stalled' })
    await once(instance.connections[0] ?? assert.fail(), 'close')
  })

  test('a connection is not used again where the instance says so, or has something more to say', async (context) => {
    const { socket } = await open(context, (to) => to.write(countedAnswer('abc', 'Connection: x, Close\r\n')))
    await socket.ask(question)
    await whole(socket)
    assert.ok(!socket.isFree && !socket.isEnded)
    const { instance, socket: talkative } = await open(context, (to) => to.write(countedAnswer('abc')))
    await talkative.ask(question)
    await whole(talkative)
    instance.connections[0]?.write('x')
    while (!talkative.isEnded) await sleep(5)
    assert.ok(!talkative.isFree)
  })

  test('the end of a connection that waits for its next question is heard', async (context) => {
    // More than is held, so that reading was stopped and begun again.
    const answer = countedAnswer(Buffer.alloc(1_000_000))
    const { socket } = await open(context, (to) => to.write(answer, () => setTimeout(() => to.destroy(), 50)))
    await socket.ask(question)
    await sleep(20)
    await whole(socket, 2_000_000)
    while (!socket.isEnded) await sleep(5)
    assert.ok(socket.isOver && !socket.isFree)
  })

  test('what is no answer is an answer that is bad, and nothing of it is passed on', async (context) => {
    for (const text of [
      'nonsense\r\n\r\n',
      'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
      'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nabc',
      'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: b\nSet-Cookie: c\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: \x00\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n',
      `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(instanceHeadBytes)}`,
    ]) {
      const { socket } = await open(context, (to) => to.write(Buffer.from(text, 'latin1')))
      await assert.rejects(socket.ask(question), { reason: 'answer' }, text.slice(0, 80))
      assert.ok(socket.isEnded)
    }
  })

  test('a head may come byte by byte, with the first of the body', async (context) => {
    const answer = countedAnswer('abc', 'ETag: "\xe9"\r\nX-Empty:\r\n')
    const { socket } = await open(context, (to) => writePieces(to, answer, 1))
    const { rawHeaders } = await socket.ask(question)
    assert.deepEqual(rawHeaders, ['Content-Length', '3', 'ETag', '"\xe9"', 'X-Empty', ''])
    assert.equal((await whole(socket)).toString(), 'abc')
  })

  test('what would be more than one question is none', async (context) => {
    const { instance, socket } = await open(context, () => undefined)
    for (const wrong of [
      { ...question, target: '/a HTTP/1.1' },
      { ...question, target: '/a\r\nX: y' },
      { ...question, headers: { range: 'x\r\nX-Forwarded-For: 1.2.3.4' } },
      { ...question, headers: { range: 'x\nX-Forwarded-For: 1.2.3.4' } },
    ])
      await assert.rejects(socket.ask(wrong), { code: 'ERR_ASSERTION' })
    assert.deepEqual(instance.questions, [])
  })

  test('a connection that is not made in time is a timeout', async (context) => {
    // It speaks TLS where nobody answers in it.
    const instance = await startScriptedInstance(context, () => undefined)
    const connect = connectorOf({ ...instance.at, url: `https://localhost:${instance.port}` })
    const socket = new InstanceSocket(connect, 'acme', Buffer.alloc(1000), { ...bounds, connectMs: 30 })
    await assert.rejects(socket.ask(question), { reason: 'timeout' })
  })
})
