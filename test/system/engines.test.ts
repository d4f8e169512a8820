// Engines read through their portal, over the wire and with real processes: every promise about an answer holds for
// one engine's log and for all of them as one. What is expected is read from the engines' own files at rest.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type AuditLine, readLines, timeOf } from '../conformance/audit-line.ts'
import { microsPerHour, withoutTimes } from '../conformance/prober.ts'
import { refusal } from '../conformance/refusal.ts'
import { type Answer, type Ask, ask, type Credentials, dial, requestText } from '../conformance/wire.ts'
import {
  type EngineProcess,
  enginePath,
  enginesPath,
  entriesOf,
  importInto,
  type JoinablePortal,
  joinEngine,
  numberOf,
  readsOf,
  startEngine,
  untilUp,
} from './engine-process.ts'
import { portalFixture, writeLargeLog } from './fixture.ts'
import {
  addAccount,
  administrator,
  hostName as portalName,
  type PortalProcess,
  startPortal,
  temporaryDirectory,
  until,
} from './portal-process.ts'

const user: Credentials = { name: 'anna', password: 'Just-a-user-1' }
/** All that was imported lies before it, and all that was recorded since lies behind. */
const past = 'before_date=2026-01-01T00:00:00Z'
const pastEnd = Date.parse('2026-01-01T00:00:00Z') * 1000
const zone = 'Europe/Zurich'

test('engines are read through their portal as the portal itself is', async (context) => {
  const data = join(temporaryDirectory(context), 'portal')
  const environment = { ANNALS_TIME_ZONE: zone }
  const start = async (): Promise<Portal> => ({
    ...(await startPortal(context, { data, environment })),
    data,
  })
  let portal = await start()
  await addAccount(context, data, user, 'user')

  await context.test('A3: without an engine, all engines are 200 and empty', async () => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }] as const) {
      const answer = await get(portal, enginesPath, { headers })
      assert.deepEqual([answer.status, answer.headers['annals-engines']], [200, '0'])
      assert.equal(decoded(answer).length, 0)
    }
  })

  const [beta, large, own] = await joinThree(context, portal)
  // In order of host name.
  const engines = [beta, large, own]

  await context.test('A2: a short name, a full name and any case mean the same engine', async () => {
    const [log] = logsOf([beta])
    for (const name of ['beta', 'BETA', 'beta.example.com', 'Beta.Example.COM']) {
      const answer = await get(portal, `${enginePath(name)}?${past}`)
      assert.deepEqual([answer.status, answer.headers['annals-log']], [200, log], name)
    }
  })

  await context.test(
    'A2, E1: a short name of two engines is refused, and the message lists both',
    async () => {
      const [element] = refusal(await get(portal, enginePath('engine-01')), 500, 'UNKNOWN_ENGINE')
      assert.match(String(element?.['message']), /engine-01\.example\.com, engine-01\.example\.org/)
      for (const { hostName } of [large, own])
        assert.equal((await get(portal, `${enginePath(hostName)}?${past}`)).status, 200)
    },
  )

  await context.test(
    'E1: an engine that is not connected is unknown, and the refusal is an entry',
    async () => {
      for (const name of ['gamma', 'beta.example.org', 'engine-0', portalName]) {
        const elements = refusal(await get(portal, enginePath(name)), 500, 'UNKNOWN_ENGINE')
        assert.deepEqual(
          elements.map(({ engine }) => engine),
          [name],
        )
        const { code, event } = lastReadOf(portal)
        assert.deepEqual(
          [code, event['reason'], event['target']],
          ['29002', 'UNKNOWN_ENGINE', `engine/${name}`],
        )
      }
    },
  )

  await context.test('E6: the right to read is asked for before the engine', async () => {
    const before = readsOf(beta).length
    for (const path of [enginePath('beta'), enginePath('gamma'), enginesPath])
      refusal(await get(portal, path, { credentials: user }), 403, 'FORBIDDEN')
    refusal(await ask(portal, enginePath('gamma')), 401, 'UNAUTHENTICATED')
    assert.equal(readsOf(beta).length, before)
  })

  await context.test('E4: a wrong parameter is refused, and reaches no engine', async () => {
    const before = readsOf(beta).length
    for (const path of [enginePath('beta'), enginesPath])
      refusal(await get(portal, `${path}?elapsed_hours=x`), 400, 'INVALID_PARAMETER')
    assert.equal(readsOf(beta).length, before)
  })

  await context.test('A3: all engines are each engine’s own answer, in order of host name', async () => {
    const each = []
    for (const { hostName } of engines) each.push((await get(portal, `${enginePath(hostName)}?${past}`)).body)
    const all = await get(portal, `${enginesPath}?${past}`)
    assert.equal(all.headers['annals-engines'], '3')
    assert.ok(all.body.equals(Buffer.concat(each)))
    // The one without history is there too: it has just nothing to say of that time.
    const now = await get(portal, enginesPath)
    const logs = readLines(now.body).map(({ audit }) => audit['log'])
    assert.deepEqual([...new Set(logs)], logsOf(engines))
  })

  for (const [what, path, sources] of [
    ['one engine', enginePath('beta'), [beta]],
    ['one large engine', enginePath(large.hostName), [large]],
    ['all engines', enginesPath, engines],
  ] as const) {
    await context.test(`the answer of ${what}`, async (inner) => {
      for (const [title, prove] of answerTests(portal, path, sources)) await inner.test(title, prove)
    })
  }

  await context.test('W5: a time without an offset is the portal’s, for engines too', async () => {
    const all = entriesOf(beta)
    const { time } = all[2_000] ?? { time: 0 }
    const end = Math.ceil(time / 1_000_000) * 1_000_000
    // Winter in Zurich: its clocks are an hour ahead.
    const local = timeOf(end + microsPerHour).slice(0, 19)
    const expected = bytesOf([beta], (line) => line.time < end)
    assert.ok(all.some((line) => line.time >= end && line.time < end + microsPerHour))
    const answer = await get(portal, `${enginePath('beta')}?before_date=${local}`)
    assert.ok(answer.body.equals(expected))
    const together = await get(portal, `${enginesPath}?before_date=${local}&elapsed_hours=24`)
    const day = (line: AuditLine) => line.time < end && line.time >= end - 24 * microsPerHour
    assert.ok(together.body.equals(bytesOf(engines, day)))
  })

  await context.test(
    'R4: a portal that was started anew continues what it can, and never mixes',
    async () => {
      const one = await get(portal, enginePath(large.hostName))
      const all = await get(portal, enginesPath)
      await portal.stop()
      portal = await start()
      await Promise.all(engines.map(({ hostName }) => untilUp(portal, hostName)))
      // The tag of one log says which positions: nothing has to be remembered.
      const rest = await resume(portal, enginePath(large.hostName), one, 2_000_000)
      assert.equal(rest.status, 206)
      assert.ok(rest.body.equals(one.body.subarray(2_000_000)))
      // That of all names a set, which is forgotten: the whole, as it is now, under a tag of its own.
      const again = await resume(portal, enginesPath, all, 2_000_000)
      assert.equal(again.status, 200)
      assert.notEqual(again.headers.etag, all.headers.etag)
      assert.ok(again.body.length > all.body.length)
      assert.equal(again.headers['content-length'], String(again.body.length))
      // And from there it goes on as before.
      const more = await resume(portal, enginesPath, again, 3_000_000)
      assert.deepEqual([more.status, more.headers.etag], [206, again.headers.etag])
      assert.ok(more.body.equals(again.body.subarray(3_000_000)))
    },
  )

  await context.test(
    'S7: a read is durable in both logs before the head of its answer: kill -9 of all right after it',
    async () => {
      for (const path of [`${enginePath(large.hostName)}?${past}`, enginesPath]) {
        const head = await headThenKill(portal, path, [portal, ...engines])
        const tag = /^etag: "([^"]+)"/im.exec(head)?.[1] ?? ''
        const read = path === enginesPath ? engines : [large]
        for (const engine of read) {
          const { code, event, position } = lastReadOf(engine)
          assert.deepEqual([code, event['actor']], ['29001', 'admin'], engine.hostName)
          // Without a window the snapshot ends at its own entry.
          if (path === enginesPath) assert.equal(event['to'], String(position))
        }
        const { code, event, detail } = lastReadOf(portal)
        if (path === enginesPath) assert.deepEqual([code, event['set']], ['29006', tag])
        else assert.deepEqual([code, `${detail['log']}.${event['from']}-${event['to']}`], ['29001', tag])
        if (path === enginesPath) return
        portal = await start()
        for (const [k, { hostName, data }] of engines.entries())
          engines[k] = await startEngine(context, { hostName, data })
        await Promise.all(engines.map(({ hostName }) => untilUp(portal, hostName)))
      }
    },
  )
})

test('R7: the memory of a portal does not grow with what engines send and a slow client has not taken', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  // Longer than a busy machine stands still.
  const args = ['--engine-timeout-seconds', '5']
  const portal = { ...(await startPortal(context, { data, args })), data }
  const file = writeLargeLog(join(directory, 'large.log'), 130_000)
  await Promise.all(
    ['engine-01', 'engine-02'].map(async (hostName) => {
      const engine = { hostName, data: join(directory, hostName) }
      await importInto(context, engine, file)
      await joinEngine(context, portal, engine)
    }),
  )
  // What the portal needs at all is in use by then.
  await get(portal, `${enginesPath}?before_date=2025-01-01T01:00:00Z`)
  const before = residentMegabytes(portal.pid)
  const socket = await dial(portal)
  socket.write(requestText(`${enginesPath}?${past}`, administrator))
  let [head, received] = ['', 0]
  const take = (bytes: Buffer) => {
    if (head === '') head = bytes.toString('latin1')
    received += bytes.length
  }
  socket.on('data', take)
  // Long enough for all of it, and longer than an engine may be silent: the silence is the client's.
  for (let pause = 0; pause < 2; pause++) {
    await until(() => received > (pause + 0.1) * 100_000_000)
    socket.pause()
    await sleep(6_000)
    socket.resume()
  }
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1])
  const start = head.indexOf('\r\n\r\n') + 4
  assert.ok(length > 240_000_000, `${length} bytes`)
  await until(() => received - start >= length)
  assert.equal(received - start, length)
  socket.destroy()
  const grown = residentMegabytes(portal.pid) - before
  context.diagnostic(`${Math.round(length / 1e6)} MB: from ${before} MB to at most ${before + grown} MB`)
  assert.ok(grown < 100, `${grown} MB more`)
  // However long it takes: no byte was late by an engine's fault.
  const metrics = (await ask(portal, '/metrics')).body.toString()
  assert.doesNotMatch(metrics, /^annals_engine_failures_total\{/m)
  assert.equal(await numberOf(portal, 'annals_engine_resumes_total'), 0)
})

interface Portal extends PortalProcess, JoinablePortal {}

type Proof = readonly [title: string, prove: () => Promise<void>]

// What holds for every answer, whoever's log it is.
function answerTests(portal: Portal, path: string, sources: readonly EngineProcess[]): Proof[] {
  const isOne = sources.length === 1
  const [first] = sources
  const expected = bytesOf(sources, ({ time }) => time < pastEnd)
  const window = `${path}?${past}`
  const read = (asked: Ask = {}) => get(portal, window, asked)
  return [
    [
      'R1, R2: it is the engines’ own lines, byte for byte, of exact length, the same again and again',
      async () => {
        const [one, two] = [await read(), await read()]
        assert.equal(one.status, 200)
        assert.equal(one.headers['content-type'], 'text/plain; charset=utf-8')
        assert.equal(one.headers['content-length'], String(expected.length))
        assert.ok(one.body.equals(expected) && two.body.equals(expected))
        assert.equal(two.headers.etag, one.headers.etag)
      },
    ],
    [
      'R3: no entry in the window is 200 and an empty body',
      async () => {
        const answer = await get(portal, `${path}?before_date=1999-01-01`)
        assert.deepEqual([answer.status, answer.headers['content-length']], [200, '0'])
      },
    ],
    [
      'A5: HEAD is answered as GET without a body',
      async () => {
        const head = await read({ method: 'HEAD' })
        assert.deepEqual([head.status, head.body.length], [200, 0])
        assert.deepEqual(withoutTimes(head), withoutTimes(await read()))
      },
    ],
    [
      'R4: a strong ETag names the snapshot, and If-None-Match is answered with 304',
      async () => {
        const { headers } = await read()
        const lines = readLines(expected)
        const [from, to] = [lines[0]?.position, (lines.at(-1)?.position ?? 0) + 1]
        const [log] = logsOf(sources)
        if (isOne) assert.equal(headers.etag, `"${log}.${from}-${to}"`)
        else assert.match(String(headers.etag), /^"engines\.[0-9a-f]{32}"$/)
        assert.equal(headers['cache-control'], 'private, no-cache')
        assert.equal(headers.vary, 'Authorization, Accept-Encoding')
        const held = await read({ headers: { 'if-none-match': String(headers.etag) } })
        assert.deepEqual([held.status, held.body.length, held.headers.etag], [304, 0, headers.etag])
        assert.equal((await read({ headers: { 'if-none-match': '"x"' } })).status, 200)
      },
    ],
    [
      'R4: a range is that part of the whole, within a log and across the ends of several',
      async () => {
        const { length } = expected
        const seam = bytesOf(first === undefined ? [] : [first], ({ time }) => time < pastEnd).length
        const ranges = [
          [0, 1],
          [100, 300],
          [length - 1, length],
          [70_000, length - 70_000],
          [Math.max(0, seam - 150_000), Math.min(length, seam + 150_000)],
          [Math.max(0, seam - 1), Math.min(length, seam + 1)],
        ] as const
        for (const [start, end] of ranges) {
          const answer = await read({ headers: { range: `bytes=${start}-${end - 1}` } })
          assert.equal(answer.status, 206)
          assert.equal(answer.headers['content-range'], `bytes ${start}-${end - 1}/${length}`)
          assert.ok(answer.body.equals(expected.subarray(start, end)), `${start}-${end}`)
        }
        const answer = await read({ headers: { range: `bytes=${length}-` } })
        refusal(answer, 416, 'RANGE_NOT_SATISFIABLE')
        assert.equal(answer.headers['content-range'], `bytes */${length}`)
      },
    ],
    [
      'R4: If-Range goes on from its own snapshot after the window has moved',
      async () => {
        const whole = await get(portal, path)
        // Each read is an entry: the window has moved.
        await get(portal, path)
        const half = Math.floor(whole.body.length / 2)
        const rest = await resume(portal, path, whole, half)
        assert.deepEqual([rest.status, rest.headers.etag], [206, whole.headers.etag])
        const end = whole.body.length
        assert.equal(rest.headers['content-range'], `bytes ${half}-${end - 1}/${end}`)
        assert.ok(rest.body.equals(whole.body.subarray(half)))
      },
    ],
    [
      'R4: If-Range with anything else is answered with the whole as it is now',
      async () => {
        const whole = await get(portal, path)
        const etag = String(whole.headers.etag)
        for (const other of ['"x"', `W/${etag}`, etag.replace(/[^".](?="$)/, '~')]) {
          const headers = { range: 'bytes=5-', 'if-range': other }
          const answer = await get(portal, path, { headers })
          assert.equal(answer.status, 200, other)
          assert.ok(answer.body.length > whole.body.length)
        }
      },
    ],
    [
      'R5: compressed it is one stream of the same bytes, made at the portal',
      async () => {
        const { etag } = (await read()).headers
        for (const coding of ['zstd', 'gzip'] as const) {
          const answer = await read({ headers: { 'accept-encoding': coding } })
          assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, coding])
          assert.equal(answer.headers['annals-content-length'], String(expected.length))
          assert.equal(answer.headers['transfer-encoding'], 'chunked')
          assert.equal(answer.headers['accept-ranges'], 'none')
          assert.equal(answer.headers.etag, String(etag).replace(/"$/, `-${coding}"`))
          assert.ok(decoded(answer).equals(expected))
          // The only member says the length of all; so does the only frame.
          assert.equal(saidLength(coding, answer.body), expected.length)
        }
        const part = await read({ headers: { 'accept-encoding': 'zstd', range: 'bytes=0-9' } })
        assert.deepEqual([part.status, part.headers['content-encoding']], [206, undefined])
      },
    ],
    [
      'S7: it is one entry in each log that was read, and one in the portal’s',
      async () => {
        const before = sources.map((engine) => readsOf(engine).length)
        const [{ headers }, ended] = [await get(portal, path), lastReadOf(portal)]
        const [portalLog] = logsOf([portal])
        for (const [k, engine] of sources.entries()) {
          const [entry, ...more] = readsOf(engine).slice(before[k])
          assert.equal(more.length, 0)
          assert.deepEqual(
            [entry?.code, entry?.event['actor'], entry?.event['target'], entry?.detail['through']],
            ['29001', 'admin', `engine/${engine.hostName}`, portalLog],
          )
          // It lies outside its own snapshot, and is the read's "now" (W3).
          assert.equal(entry?.event['to'], String(entry?.position))
          if (isOne) assert.equal(headers['annals-now'], timeOf(entry?.time ?? 0))
        }
        assert.deepEqual([ended.code, ended.event['actor']], [isOne ? '29001' : '29006', 'admin'])
        assert.equal(ended.event['target'], isOne ? `engine/${first?.hostName}` : 'engines')
        assert.equal(ended.event['bytes'], headers['content-length'])
      },
    ],
  ]
}

async function joinThree(
  context: TestContext,
  portal: Portal,
): Promise<[EngineProcess, EngineProcess, EngineProcess]> {
  const directory = temporaryDirectory(context)
  const engineOf = (hostName: string) => ({ hostName, data: join(directory, hostName) })
  const [beta, large] = [engineOf('beta.example.com'), engineOf('engine-01.example.com')]
  await Promise.all([
    importInto(context, beta, portalFixture),
    importInto(context, large, writeLargeLog(join(directory, 'large.log'), 4_000)),
  ])
  const own = joinEngine(context, portal, engineOf('engine-01.example.org'))
  return await Promise.all([joinEngine(context, portal, beta), joinEngine(context, portal, large), own])
}

function get(portal: Portal, path: string, asked: Ask = {}): Promise<Answer> {
  return ask(portal, path, { credentials: administrator, ...asked })
}

function resume(portal: Portal, path: string, whole: Answer, start: number): Promise<Answer> {
  const headers = { range: `bytes=${start}-`, 'if-range': String(whole.headers.etag) }
  return get(portal, path, { headers })
}

/** The bytes of entries at rest, engine after engine. */
function bytesOf(engines: readonly EngineProcess[], isIn: (line: AuditLine) => boolean): Buffer {
  const lines = engines.flatMap((engine) => entriesOf(engine).filter(isIn))
  return Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
}

function logsOf(nodes: readonly { readonly data: string }[]): (string | undefined)[] {
  return nodes.map((node) => entriesOf(node)[0]?.audit['log'])
}

function lastReadOf(node: { readonly data: string }): AuditLine {
  const entry = readsOf(node).at(-1)
  assert.ok(entry !== undefined)
  return entry
}

function decoded({ headers, body }: Answer): Buffer {
  if (headers['content-encoding'] === 'zstd') return zstdDecompressSync(body)
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

// RFC 1952: the last four bytes of a member. RFC 8878 section 3.1.1: the head of a frame.
function saidLength(coding: 'gzip' | 'zstd', bytes: Buffer): number {
  if (coding === 'gzip') return bytes.readUInt32LE(bytes.length - 4)
  const descriptor = bytes[4] ?? 0
  const at = 5 + ((descriptor & 0x20) === 0 ? 1 : 0) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const size = descriptor >> 6
  if (size === 0) return bytes.readUInt8(at)
  return size === 1 ? bytes.readUInt16LE(at) + 256 : bytes.readUInt32LE(at)
}

async function headThenKill(portal: Portal, path: string, nodes: readonly PortalProcess[]): Promise<string> {
  const socket = await dial(portal)
  const head = new Promise<string>((resolve) => {
    socket.once('data', (bytes: Buffer) => {
      for (const { pid } of nodes) process.kill(pid, 'SIGKILL')
      resolve(bytes.toString('latin1'))
    })
  })
  // What follows the head may be cut off by the kill.
  socket.on('error', () => undefined)
  socket.write(requestText(path, administrator))
  const text = await head
  await Promise.all(nodes.map(({ ended }) => ended))
  socket.destroy()
  return text
}

/** The most that a process has had in memory so far. */
function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}
