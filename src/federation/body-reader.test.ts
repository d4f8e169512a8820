import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as immediate } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { BodyReader } from './body-reader.ts'
import { EngineFailure } from './failure.ts'

const stallMs = 60_000

describe('the body of an engine’s answer', () => {
  test('every byte comes once and in order, whatever the sizes of chunks and buffers', async () => {
    const sent = Buffer.from(Array.from({ length: 10_000 }, (_, k) => k % 251))
    for (const [chunk, want] of [
      [1, 7],
      [1000, 333],
      [64, 64],
      [10_000, 4096],
      [17, 10_000],
    ] as const) {
      const chunks: Buffer[] = []
      for (let at = 0; at < sent.length; at += chunk) chunks.push(sent.subarray(at, at + chunk))
      const reader = new BodyReader(
        Readable.from(chunks, { objectMode: false }),
        sent.length,
        never(),
        stallMs,
      )
      const got = Buffer.alloc(sent.length)
      for (let filled = 0; filled < got.length;) {
        const read = await reader.read(got.subarray(filled, filled + want))
        assert.ok(read > 0)
        filled += read
      }
      assert.ok(got.equals(sent))
      reader.close()
    }
  })

  test('R7: nothing is taken that was not asked for', async () => {
    let produced = 0
    const body = new Readable({
      highWaterMark: 1000,
      read() {
        produced += 100
        this.push(Buffer.alloc(100))
      },
    })
    const reader = new BodyReader(body, 1_000_000, never(), stallMs)
    await reader.read(Buffer.alloc(50))
    for (let k = 0; k < 20; k++) await immediate()
    assert.ok(produced <= 1300, `${produced} bytes`)
    reader.close()
  })

  test('I8: an end before the last promised byte is a cut, never a short read', async () => {
    const reader = new BodyReader(Readable.from([Buffer.from('abc')]), 10, never(), stallMs)
    const target = Buffer.alloc(10)
    assert.equal(await reader.read(target), 3)
    await assert.rejects(reader.read(target), { reason: 'cut' })
  })

  test('a connection that breaks off is a cut, and what had come before is still read', async () => {
    const body = new PassThrough()
    const reader = new BodyReader(body, 10, never(), stallMs)
    body.write('abc')
    assert.equal(await reader.read(Buffer.alloc(10)), 3)
    const waiting = reader.read(Buffer.alloc(10))
    body.destroy(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }))
    await assert.rejects(waiting, { reason: 'cut' })
  })

  test('no byte for too long is a stall, counted only while somebody waits', async () => {
    const body = new PassThrough()
    const reader = new BodyReader(body, 10, never(), 30)
    await new Promise((done) => setTimeout(done, 60))
    body.write('abc')
    assert.equal(await reader.read(Buffer.alloc(10)), 3)
    await assert.rejects(reader.read(Buffer.alloc(10)), { reason: 'stalled' })
    assert.ok(body.destroyed)
  })

  test('whoever gives up ends a read that waits, and the connection with it', async () => {
    const giveUp = new AbortController()
    const body = new PassThrough()
    const reader = new BodyReader(body, 10, giveUp.signal, stallMs)
    const waiting = reader.read(Buffer.alloc(10))
    giveUp.abort(new EngineFailure('disconnected'))
    await assert.rejects(waiting, { reason: 'disconnected' })
    assert.ok(body.destroyed)
  })

  test('a body that was read whole runs to its end, so that its connection is kept', async () => {
    const body = new PassThrough()
    const reader = new BodyReader(body, 3, never(), stallMs)
    body.end('abc')
    assert.equal(await reader.read(Buffer.alloc(3)), 3)
    const ended = once(body, 'end')
    reader.close()
    await ended
    assert.equal(body.errored, null)
  })

  test('closing it before its end ends the connection', () => {
    const body = new PassThrough()
    new BodyReader(body, 10, never(), stallMs).close()
    assert.ok(body.destroyed)
  })
})

function never(): AbortSignal {
  return new AbortController().signal
}
