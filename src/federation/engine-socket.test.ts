import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { engineHeldBytes, innerHeadBytes } from '../limits.ts'
import { EngineSocket } from './engine-socket.ts'
import { EngineFailure } from './failure.ts'
import { ReadBuffers } from './read-buffers.ts'
import { answerOf, startScriptedServer } from './testing/scripted-server.ts'

const stallMs = 60_000

describe('a connection to an engine', () => {
  test('a request is whole, and its answer too, one after the other on one connection', async (context) => {
    const server = await startScriptedServer(context, (socket, request) =>
      socket.write(answerOf(`<${request.length}>`)),
    )
    const socket = new EngineSocket(server.connect, 'engine-01:8444', new ReadBuffers())
    const head = await socket.ask({
      method: 'POST',
      path: '/a?b',
      headers: { range: 'bytes=0-1' },
      body: 'ü',
    })
    assert.deepEqual([head.status, head.bytes], [200, 4])
    assert.equal(await textOf(socket, 4), `<${server.requests[0]?.length}>`)
    assert.equal(
      server.requests[0],
      'POST /a?b HTTP/1.1\r\nhost: engine-01:8444\r\nrange: bytes=0-1\r\ncontent-length: 2\r\n\r\nü',
    )
    assert.ok(socket.isFree)
    await socket.ask({ method: 'GET', path: '/' })
    await textOf(socket, 4)
    assert.equal(server.connections.length, 1)
    socket.fail(new EngineFailure('cut'))
  })

  test('every byte comes once and in order, whatever the sizes of chunks and buffers', async (context) => {
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, k) => k % 251))
    const whole = answerOf(sent)
    for (const [chunk, want] of [
      [7, 100_000],
      [1000, 333],
      [whole.length, 4096],
      [100_000, 300_000],
      [whole.length, 1],
    ] as const) {
      const server = await startScriptedServer(context, async (socket) => {
        const parts = want === 1 ? 3_000 : whole.length
        for (let at = 0; at < parts; at += chunk) {
          if (!socket.write(whole.subarray(at, at + chunk))) await once(socket, 'drain')
        }
      })
      const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
      await socket.ask({ method: 'GET', path: '/' })
      const got = Buffer.alloc(want === 1 ? 2_000 : sent.length)
      for (let filled = 0; filled < got.length;) {
        const target = got.subarray(filled, filled + want)
        const read = await socket.read(target, stallMs)
        assert.equal(read, target.length)
        filled += read
      }
      assert.ok(got.equals(sent.subarray(0, got.length)))
      socket.fail(new EngineFailure('cut'))
    }
  })

  test('R7: nothing is taken that was not asked for', async (context) => {
    const bytes = 64 * 1024 * 1024
    const server = await startScriptedServer(
      context,
      (socket) => void socket.write(answerOf(Buffer.alloc(bytes))),
    )
    const buffers = new ReadBuffers()
    const socket = new EngineSocket(server.connect, 'e', buffers)
    await socket.ask({ method: 'GET', path: '/' })
    await socket.read(Buffer.alloc(10), stallMs)
    await sleep(100)
    // The rest waits with the system and with the engine.
    assert.ok((server.connections[0]?.writableLength ?? 0) > bytes / 2)
    // And what was held is given back as it is read.
    await socket.read(Buffer.alloc(2 * engineHeldBytes), stallMs)
    const lent = buffers.lend()
    assert.equal(lent.length, engineHeldBytes)
    socket.fail(new EngineFailure('cut'))
  })

  test('a connection that breaks off is a cut, and what had come before is still read', async (context) => {
    const server = await startScriptedServer(context, (socket) => socket.write(answerOf('abc', 10)))
    const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
    await socket.ask({ method: 'GET', path: '/' })
    const waiting = socket.read(Buffer.alloc(10), stallMs)
    await sleep(20)
    server.connections[0]?.destroy()
    assert.equal(await waiting, 3)
    await assert.rejects(socket.read(Buffer.alloc(10), stallMs), { reason: 'cut' })
    assert.equal(socket.isFree, false)
  })

  test('no byte for too long is a stall', async (context) => {
    const server = await startScriptedServer(context, (socket) => socket.write(answerOf('abc', 10)))
    const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
    await socket.ask({ method: 'GET', path: '/' })
    assert.equal(await socket.read(Buffer.alloc(3), 30), 3)
    await assert.rejects(socket.read(Buffer.alloc(3), 30), { reason: 'stalled' })
  })

  test('whoever ends it ends a question and a read that wait', async (context) => {
    const server = await startScriptedServer(context, (socket, request) => {
      if (request.startsWith('GET /body')) socket.write(answerOf('', 10))
    })
    const failure = new EngineFailure('disconnected')
    const silent = new EngineSocket(server.connect, 'e', new ReadBuffers())
    const asked = silent.ask({ method: 'GET', path: '/' })
    silent.fail(failure)
    await assert.rejects(asked, failure)
    const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
    await socket.ask({ method: 'GET', path: '/body' })
    const read = socket.read(Buffer.alloc(10), stallMs)
    socket.fail(failure)
    await assert.rejects(read, failure)
  })

  test('what is no answer ends it', async (context) => {
    for (const wrong of ['hello\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', 'x'.repeat(innerHeadBytes)]) {
      const server = await startScriptedServer(context, (socket) => socket.write(wrong))
      const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
      await assert.rejects(socket.ask({ method: 'GET', path: '/' }), { reason: 'answer' })
    }
  })

  test('more than was promised ends it, and so does what nobody asked for', async (context) => {
    const server = await startScriptedServer(context, (socket) => socket.write(answerOf('abcdef', 3)))
    const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
    await assert.rejects(
      socket.ask({ method: 'GET', path: '/' }).then(() => socket.read(Buffer.alloc(3), stallMs)),
      { reason: 'answer' },
    )
    assert.ok(socket.isEnded)
  })

  test('an answer whose length is not told has a status, and is the last', async (context) => {
    const chunked = 'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n'
    const server = await startScriptedServer(context, (socket) => socket.write(chunked))
    const socket = new EngineSocket(server.connect, 'e', new ReadBuffers())
    const { status, bytes } = await socket.ask({ method: 'GET', path: '/' })
    assert.deepEqual([status, bytes, socket.isFree], [500, undefined, false])
    socket.fail(new EngineFailure('cut'))
  })
})

async function textOf(socket: EngineSocket, bytes: number): Promise<string> {
  const target = Buffer.alloc(bytes)
  assert.equal(await socket.read(target, stallMs), bytes)
  return target.toString()
}
