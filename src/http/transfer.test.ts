// The way of an answer's bytes: back-pressure, clients that stall or leave, logs that fail half-way (R6, R7, S7).

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ask, dial, getLines, raw, until } from './testing/client.ts'
import { startPortal, type PortalServer } from './testing/portal-server.ts'

const path = '/audit-trail/api/v1/portal/type/auditlog'
const lineBytes = 1000

/** A portal with a log of 24 MB, more than any socket buffers. */
async function startLargePortal(bounds: Parameters<typeof startPortal>[0] = {}): Promise<PortalServer> {
  const portal = await startPortal(bounds)
  for (let i = 0; i < 6; i += 1) portal.log.preload(4000, lineBytes)
  return portal
}

/** A client that reads the head and the first bytes, and no more. */
async function dialAndStall(portal: PortalServer, ...lines: readonly string[]): Promise<Socket> {
  const socket = await dial(portal.port, getLines(path, ...lines))
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  return socket
}

const descriptors = () => readdirSync('/proc/self/fd').length

/** Reads a socket to its end, and resolves with how many bytes still came. */
async function drain(socket: Socket): Promise<number> {
  let bytes = 0
  socket.on('data', (chunk) => (bytes += chunk.length))
  socket.on('error', () => undefined)
  socket.resume()
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
  return bytes
}

test('R7: many large answers at once are each complete', async () => {
  await using portal = await startLargePortal()
  const codings = ['identity', 'identity', 'zstd', 'gzip']
  const whole = await portal.log.text(0, portal.log.size)
  const decode = { identity: (body: Buffer) => body, zstd: zstdDecompressSync, gzip: gunzipSync }
  const past = `${path}?before_date=2026-01-01T06:40:00`
  const answers = await Promise.all(
    codings.map((coding) => ask(portal.port, past, { headers: { 'accept-encoding': coding } })),
  )
  for (const { headers, body } of answers) {
    const coding = (headers['content-encoding'] ?? 'identity') as keyof typeof decode
    assert.ok(decode[coding](body).equals(whole), coding)
  }
  await until(() => portal.metrics.underWay === 0)
})

test('R4: a large part is exactly that part', async () => {
  await using portal = await startLargePortal({ answerBufferBytes: 10_007 })
  const answer = await ask(portal.port, path, { headers: { range: 'bytes=123456-7654321' } })
  assert.ok(answer.body.equals((await portal.log.text(0, 24_000)).subarray(123_456, 7_654_322)))
})

for (const coding of ['identity', 'gzip', 'zstd']) {
  test(`R7: a client that stops reading costs a bounded amount, and is cut off (${coding})`, async () => {
    await using portal = await startPortal({ answerStallMs: 150 })
    portal.log.preloadNoise(30_000_000)
    await ask(portal.port, '/healthz')
    const before = descriptors()
    const socket = await dialAndStall(portal, `Accept-Encoding: ${coding}`)
    await until(() => portal.metrics.breaks.length > 0)
    assert.deepEqual(portal.metrics.breaks, ['stalled'])
    assert.ok(portal.log.bytesRead < 20_000_000, `${portal.log.bytesRead} bytes read ahead`)
    await until(() => portal.log.recorded.length === 2)
    assert.match(portal.log.recorded[1] ?? '', / 29003 .* reason="stalled" sent="\d+" bytes="30000000"/)
    assert.ok((await drain(socket)) < 30_000_000)
    await until(() => portal.log.openReaders === 0 && descriptors() <= before)
  })

  test(`S7: a client that leaves half-way leaves nothing open, and an entry (${coding})`, async () => {
    await using portal = await startPortal()
    portal.log.preloadNoise(30_000_000)
    await ask(portal.port, '/healthz')
    const before = descriptors()
    for (let i = 0; i < 5; i += 1) {
      const socket = await dialAndStall(portal, `Accept-Encoding: ${coding}`)
      assert.ok(portal.log.openReaders > 0)
      socket.destroy()
      await until(() => portal.metrics.breaks.length === i + 1 && portal.log.openReaders === 0)
    }
    await until(() => descriptors() <= before && portal.metrics.underWay === 0)
    assert.deepEqual(new Set(portal.metrics.breaks), new Set(['gone']))
    const broken = portal.log.recorded.filter((line) => line.includes(' 29003 '))
    assert.equal(broken.length, 5)
    for (const line of broken) {
      const [, sent, bytes] = / reason="gone" sent="(\d+)" bytes="(\d+)"/.exec(line) ?? []
      assert.ok(Number(sent) < Number(bytes), line)
    }
  })

  test(`R6: an answer that cannot be finished is visibly broken (${coding})`, async () => {
    await using portal = await startLargePortal()
    portal.log.damagedFrom = 12_000_000
    await assert.rejects(
      ask(portal.port, path, { headers: { 'accept-encoding': coding } }),
      /aborted|hang up|ECONNRESET/,
    )
    const socket = await dial(portal.port, getLines(path, `Accept-Encoding: ${coding}`))
    let tail = Buffer.alloc(0)
    socket.on('data', (chunk) => (tail = Buffer.concat([tail.subarray(-100), chunk])))
    await new Promise((resolve) => socket.once('close', resolve))
    assert.ok(!tail.toString('latin1').endsWith('0\r\n\r\n'), 'no last chunk')
    await until(() => portal.metrics.breaks.length === 2)
    assert.deepEqual(portal.metrics.breaks, ['failed', 'failed'])
    assert.equal(portal.logged[0]?.level, 'error')
  })

  test(`R6: a log that cannot be read at all is a refusal, not a broken answer (${coding})`, async () => {
    await using portal = await startLargePortal()
    portal.log.damagedFrom = 0
    const answer = await ask(portal.port, path, { headers: { 'accept-encoding': coding } })
    assert.equal(answer.status, 500)
    assert.match(answer.body.toString(), /LOG_DAMAGED/)
    await until(() => portal.metrics.underWay === 0)
  })
}

test('E10: beyond the bound on large answers the next one is refused and recorded, and small ones are not', async () => {
  await using portal = await startLargePortal({ bulkAnswers: 1 })
  const socket = await dialAndStall(portal)
  const refused = await ask(portal.port, path)
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers['retry-after']) > 0)
  assert.match(portal.log.recorded.at(-1) ?? '', / 29002 .*UNAVAILABLE/)
  assert.equal((await ask(portal.port, `${path}?before_date=2026-01-01T00:00:02`)).status, 200)
  socket.destroy()
  await until(() => portal.metrics.underWay === 0)
  assert.equal((await ask(portal.port, path, { headers: { range: 'bytes=0-999999' } })).status, 206)
})

test('R7: a large answer that waits behind another one on its connection is not cut off for it', async (context) => {
  await using portal = await startLargePortal({ answerStallMs: 300 })
  const range = 'Range: bytes=0-19999999'
  const text = getLines(path, range) + getLines(path, range) + getLines('/healthz', 'Connection: close')
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = await dial(portal.port, text)
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
    // The first answer alone takes longer than a stall by this, and each buffer much less.
    context.mock.timers.tick(chunk.length / 40_000)
  })
  await new Promise((resolve) => socket.once('close', resolve))
  context.mock.timers.reset()
  assert.deepEqual(portal.metrics.breaks, [])
  assert.ok(bytes > 40_000_000)
})

test('S7: a small answer that its client never takes is a broken transfer', async () => {
  await using portal = await startPortal()
  portal.log.preload(60, 1000)
  let open: () => void = () => undefined
  portal.log.gate = new Promise((resolve) => (open = resolve))
  const socket = await dial(portal.port, getLines(path))
  await until(() => portal.log.reads > 0)
  socket.resetAndDestroy()
  await until(() => portal.connections() === 0)
  open()
  await until(() => portal.metrics.breaks.length === 1)
  assert.match(portal.log.recorded.at(-1) ?? '', / 29003 .* reason="gone" sent="0" bytes="60000"/)
})

test('S7: small answers that pile up unread are cut off', async () => {
  await using portal = await startPortal({ answerStallMs: 100 })
  portal.log.preload(60, 1000)
  const socket = await dial(portal.port, getLines(`${path}?before_date=2026-01-01T00:01:00`).repeat(400))
  socket.pause()
  await until(() => portal.metrics.breaks.includes('stalled'))
  await drain(socket)
  assert.ok(portal.metrics.bytes < 400 * 60_000)
})

test('I9: a broken transfer that cannot be recorded is counted and logged', async () => {
  await using portal = await startLargePortal()
  const socket = await dialAndStall(portal)
  portal.log.recordingFails = 'STORAGE_FULL'
  socket.destroy()
  await until(() => portal.metrics.notRecorded === 1)
  assert.equal(portal.logged.at(-1)?.level, 'warn')
})

test('closing waits for the entry of an answer that it breaks off', async () => {
  let lines: readonly string[] = []
  {
    await using portal = await startLargePortal()
    await dialAndStall(portal)
    lines = portal.log.recorded
  }
  assert.match(lines.at(-1) ?? '', / 29003 /)
})

test('HTTP/1.0 gets a large answer whole', async () => {
  await using portal = await startLargePortal()
  const text = await raw(portal.port, getLines(path).replace('HTTP/1.1', 'HTTP/1.0'))
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, 24_000_000)
})
