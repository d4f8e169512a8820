// Engines that fail, in every way that networks and broken servers know: what the caller, the log, the metrics and the
// operator are told, in bounded time, and that it passes. Times are only ever bounded from above, and generously.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { X509Certificate } from 'node:crypto'
import type { AuditLine } from '../conformance/audit-line.ts'
import { refusal } from '../conformance/refusal.ts'
import { type Answer, ask } from '../conformance/wire.ts'
import {
  type EngineProcess,
  enginePath,
  enginesPath,
  entriesOf,
  importInto,
  type JoinablePortal,
  joinBehindProxy,
  joinEngine,
  numberOf,
  type ProxiedEngine,
  shownAs,
  untilDown,
  untilUp,
} from './engine-process.ts'
import type { Fault } from './fault-proxy.ts'
import { portalFixture, writeLargeLog } from './fixture.ts'
import { forgedFor, startImpostor, stolenFrom } from './impostor.ts'
import { makeNamespace, skipWithoutNamespaces } from './network-namespace.ts'
import {
  administrator,
  annals,
  type PortalProcess,
  startPortal,
  temporaryDirectory,
  until,
} from './portal-process.ts'
import { begin, type Received, take, unchunk } from './slow-client.ts'

/**
 * What the portal is told: how long an engine may be silent, how long it is tried again, how long stopping may take. The first
 * two are longer than a busy machine may stand still, so that no fault is taken for another one.
 */
const [timeoutMs, resumeMs, stopMs] = [3_000, 6_000, 1_000]
/** A bound that no correct portal reaches, on however slow a machine. */
const boundMs = timeoutMs + resumeMs + 10_000
/** Bytes of an engine's that pass before a fault in the middle of its log. */
const middleBytes = 5_000_000
const past = 'before_date=2026-01-01T00:00:00Z'
const [faulty, steady] = ['faulty.example.com', 'steady.example.com']
const [one, all] = [`${enginePath(faulty)}?${past}`, `${enginesPath}?${past}`]

// Each waits for its processes, or for time limits, most of the time.
suite('engines that fail', { concurrency: 2 }, () => {
  test('engines fail in many ways, and none of them is silent', async (context) => {
    const site = await build(context)
    const { portal, proxied, expected } = site
    const { proxy } = proxied
    // One that fails must not have the next ones fail.
    const prove = async (title: string, work: (inner: TestContext) => Promise<void>) => {
      await context.test(title, { timeout: 180_000 }, async (inner) => {
        inner.after(async () => {
          await heal(site)
          assert.equal(portal.process.exitCode ?? portal.process.signalCode, null, portal.errors())
        })
        await work(inner)
      })
    }

    for (const { title, reason, say, begin, end } of faults(proxied)) {
      await prove(`E2, E3: ${title}`, async () => {
        const before = await failuresOf(portal, reason)
        begin()
        await refusesBoth(site, say)
        assert.ok((await failuresOf(portal, reason)) > before, reason)
        await untilDown(portal, faulty)
        // It is kept a moment after it was noticed.
        await until(() => lastOutage(portal)?.code === '29043')
        // The calls that were under way when it began failed in their own way.
        await until(async () => say.test(String((await shownAs(context, portal, faulty))[1])))
        assert.equal((await shownAs(context, portal, faulty))[0], 'UNREACHABLE')
        await end()
        await recovers(site)
        assert.deepEqual(await shownAs(context, portal, faulty), ['CONNECTED', null])
      })
    }

    await prove(
      'E3: there is one element for each engine that fails, in order, and none for others',
      async () => {
        site.other.proxy.fault = { kind: 'swallow' }
        site.other.proxy.cutAll()
        proxy.refuse()
        proxy.cutAll()
        const elements = refusal(await soon(get(portal, all)), 500, 'UNREACHABLE_ENGINE')
        assert.deepEqual(
          elements.map(({ code, engine }) => [code, engine]),
          [
            ['UNREACHABLE_ENGINE', faulty],
            ['UNREACHABLE_ENGINE', site.other.engine.hostName],
          ],
        )
        // That an engine is unreachable may be recorded in between.
        const refused = entriesOf(portal).findLast(({ code }) => code === '29002')
        assert.equal(refused?.event['engines'], `${faulty} ${site.other.engine.hostName}`)
        site.other.proxy.fault = { kind: 'pass' }
        await proxy.accept()
        await untilUp(portal, site.other.engine.hostName)
        await recovers(site)
      },
    )

    for (const { title, answers, say } of impostors(site)) {
      await prove(`E2, E3: ${title}`, async (inner) => {
        proxied.leadTo(await answers(inner))
        await refusesBoth(site, say)
        proxied.leadTo(proxied.port)
        await recovers(site)
      })
    }

    for (const coding of ['identity', 'gzip'] as const) {
      const lines = [`Accept-Encoding: ${coding}`]
      const bytesOf = ({ body }: Received) => (coding === 'gzip' ? gunzipSync(unchunk(body)) : body)

      await prove(
        `R6: an engine that is cut off again and again is resumed: the client sees nothing of it (${coding})`,
        async () => {
          const [cuts, resumes] = [await failuresOf(portal, 'cut'), await resumesOf(portal)]
          for (const [path, body] of [
            [one, expected.faulty],
            [all, expected.all],
          ] as const) {
            proxy.fault = { kind: 'cut', afterBytes: middleBytes }
            proxy.cutAll()
            const received = await soon(take(portal, path, lines))
            assert.ok(received.isWhole && bytesOf(received).equals(body))
          }
          assert.ok((await failuresOf(portal, 'cut')) > cuts)
          assert.ok((await resumesOf(portal)) >= resumes + 4)
          proxy.fault = { kind: 'pass' }
          await recovers(site)
        },
      )

      await prove(`R6: an engine that stalls once is resumed on another connection (${coding})`, async () => {
        const [stalls, resumes] = [await failuresOf(portal, 'stalled'), await resumesOf(portal)]
        proxy.cutAll()
        proxy.fault = { kind: 'stall', afterBytes: middleBytes }
        const client = await begin(portal, one, lines)
        await until(() => proxy.bytesToClient > 0 && client.received() > 100_000)
        proxy.fault = { kind: 'pass' }
        const received = await soon(client.ended)
        assert.ok(received.isWhole && bytesOf(received).equals(expected.faulty))
        assert.ok((await failuresOf(portal, 'stalled')) > stalls)
        assert.ok((await resumesOf(portal)) > resumes)
      })

      for (const [title, fault] of [
        ['is cut off and does not come back', 'cut'],
        ['stalls and is not to be had again', 'stall'],
      ] as const) {
        await prove(`R6, I8: an engine that ${title} breaks the answer, visibly (${coding})`, async () => {
          for (const path of coding === 'identity' ? [one, all] : [all]) {
            const breaks = breaksOf(portal)
            proxy.cutAll()
            proxy.fault = { kind: fault, afterBytes: middleBytes }
            const client = await begin(portal, path, lines)
            await until(() => client.received() > 100_000)
            if (fault === 'cut') proxy.refuse()
            else proxy.fault = { kind: 'swallow' }
            const received = await soon(client.ended)
            assert.deepEqual([received.status, received.isWhole], [200, false])
            // What came is right as far as it goes.
            if (coding === 'identity')
              assert.ok(
                (path === one ? expected.faulty : expected.all)
                  .subarray(0, received.body.length)
                  .equals(received.body),
              )
            await isBroken(portal, path, 'engine', breaks)
            if (fault === 'cut') await proxy.accept()
            proxy.fault = { kind: 'pass' }
            await recovers(site)
          }
        })
      }
    }

    for (const path of [one, all]) {
      const what = path === one ? 'one engine' : 'all engines'
      await prove(
        `I8: an engine that is disconnected in the middle breaks the answer of ${what}, at once`,
        async () => {
          const breaks = breaksOf(portal)
          const client = await begin(portal, path)
          await client.takeUntil(100_000)
          await annals(context, ['engines', 'disconnect', 'faulty', '--data', portal.data])
          await until(() => proxy.connections === 0)
          client.resume()
          const received = await soon(client.ended)
          assert.deepEqual([received.status, received.isWhole], [200, false])
          await isBroken(portal, path, 'engine', breaks)
          refusal(await get(portal, one), 500, 'UNKNOWN_ENGINE')
          // A6: removed from what is connected, it is missed by nobody.
          assert.equal((await get(portal, all)).headers['annals-engines'], '2')
          await annals(context, ['engines', 'reconnect', 'faulty', '--data', portal.data])
          await recovers(site)
        },
      )

      await prove(
        `a client that goes away in the middle of the answer of ${what} takes every request with it`,
        async () => {
          const before = entriesOf(proxied.engine).length
          const breaks = breaksOf(portal)
          const client = await begin(portal, path)
          await client.takeUntil(100_000)
          assert.ok((await bulkAnswersOf(proxied.engine)) > 0)
          client.socket.destroy()
          await isBroken(portal, path, 'gone', breaks)
          await until(async () => (await bulkAnswersOf(proxied.engine)) === 0)
          await until(() =>
            entriesOf(proxied.engine)
              .slice(before)
              .some(({ code }) => code === '29003'),
          )
          // It was no fault of the engine's.
          assert.equal(await numberOf(portal, `annals_engine_up{engine="${faulty}"}`), 1)
        },
      )

      await prove(
        `a client that goes away before ${what} have fixed their snapshot is no failure of an engine`,
        async () => {
          proxy.fault = { kind: 'swallow' }
          proxy.cutAll()
          const breaks = breaksOf(portal)
          const client = await begin(portal, path)
          await laterRead(portal)
          // One that only ended its sending side may still want the answer.
          client.socket.resetAndDestroy()
          await isBroken(portal, path, 'gone', breaks)
          proxy.fault = { kind: 'pass' }
          proxy.cutAll()
          await recovers(site)
        },
      )
    }

    await context.test(
      'E10: a portal that stops breaks off what an engine still sends, and lets go of it',
      async () => {
        const clients = await Promise.all([begin(portal, one), begin(portal, all, ['Accept-Encoding: gzip'])])
        for (const client of clients) await client.takeUntil(50_000)
        const stopping = portal.stop()
        await until(() => proxy.connections === 0)
        for (const client of clients) client.resume()
        const { exitCode, errors } = await soon(stopping)
        assert.equal(exitCode, 0, errors)
        for (const client of clients) assert.equal((await client.ended).isWhole, false)
        const broken = entriesOf(portal).filter(
          ({ code, event }) => code === '29003' && event['reason'] === 'gone',
        )
        assert.ok(broken.length >= 2)
        assert.equal(lastOf(portal).code, '20004')
      },
    )

    await context.test('with more patience than a machine may need', async (patience) => {
      const args = ['--engine-timeout-seconds', '60', '--engine-resume-seconds', '60']
      const patient = { ...(await startPortal(patience, { data: portal.data, args })), data: portal.data }
      await untilUp(patient, faulty)
      // The password is verified by now: on a busy machine that takes longer than anything else here.
      assert.equal((await get(patient, one)).status, 200)

      await patience.test('R6: an engine that is killed and started again is resumed', async () => {
        const client = await begin(patient, one)
        await client.takeUntil(100_000)
        await proxied.engine.kill()
        await proxied.restart()
        client.resume()
        const received = await soon(client.ended)
        assert.ok(received.isWhole && received.body.equals(expected.faulty))
        await recovers({ ...site, portal: patient })
      })

      await patience.test(
        'E3: an engine that is disconnected while its snapshot is being fixed is named',
        async () => {
          proxy.fault = { kind: 'swallow' }
          proxy.cutAll()
          const answers = [get(patient, one), get(patient, all)]
          await laterRead(patient)
          await annals(context, ['engines', 'disconnect', 'faulty', '--data', patient.data])
          for (const answer of answers) {
            const elements = refusal(await soon(answer), 500, 'UNREACHABLE_ENGINE')
            assert.deepEqual(
              elements.map(({ engine }) => engine),
              [faulty],
            )
            assert.match(String(elements[0]?.['message']), /disconnected by an administrator/)
          }
        },
      )
    })
  })

  test(
    'E2, I8: a host that swallows packets is no worse than one that answers badly',
    { skip: skipWithoutNamespaces() },
    async (context) => {
      const namespace = makeNamespace(context)
      const data = join(temporaryDirectory(context), 'portal')
      const listen = ['--listen', `${namespace.hostAddress}:0`, '--allow-plain-http-beyond-loopback']
      const portal = {
        ...(await startPortal(context, {
          data,
          args: [...bounds, ...listen, '--public-url', 'https://portal-01'],
        })),
        data,
      }
      const engine = { hostName: faulty, data: join(temporaryDirectory(context), 'engine') }
      await importInto(context, engine, largeLog(context))
      const { prefix, address } = namespace
      const process = await joinEngine(context, portal, {
        ...engine,
        prefix,
        args: [
          '--portal-listen',
          `${address}:0`,
          '--listen',
          `${address}:0`,
          '--allow-plain-http-beyond-loopback',
        ],
      })
      const expected = pastOf(process)

      await context.test('E2: it is unreachable in time, and comes back', async () => {
        namespace.silence()
        refusal(await soon(get(portal, one)), 500, 'UNREACHABLE_ENGINE')
        refusal(await soon(get(portal, all)), 500, 'UNREACHABLE_ENGINE')
        await untilDown(portal, faulty)
        await until(async () =>
          /did not answer in time/.test(String((await shownAs(context, portal, faulty))[1])),
        )
        namespace.restore()
        await untilUp(portal, faulty)
        assert.ok((await get(portal, one)).body.equals(expected))
      })

      await context.test('R6: silent in the middle for a moment, it is resumed', async () => {
        const client = await begin(portal, one)
        await client.takeUntil(100_000)
        namespace.silence()
        client.resume()
        await until(async () => (await failuresOf(portal, 'stalled')) > 0)
        namespace.restore()
        const received = await soon(client.ended)
        assert.ok(received.isWhole && received.body.equals(expected))
        assert.ok((await resumesOf(portal)) > 0)
      })

      await context.test('I8: silent in the middle for good, it breaks the answer', async () => {
        const breaks = breaksOf(portal)
        const client = await begin(portal, one)
        await client.takeUntil(100_000)
        namespace.silence()
        client.resume()
        const received = await soon(client.ended)
        assert.deepEqual([received.status, received.isWhole], [200, false])
        await isBroken(portal, one, 'engine', breaks)
        namespace.restore()
        await untilUp(portal, faulty)
      })
    },
  )
})

type Portal = PortalProcess & JoinablePortal

interface Site {
  readonly portal: Portal
  /** The engine that fails. */
  readonly proxied: ProxiedEngine
  /** Another one that can. */
  readonly other: ProxiedEngine
  /** What the first, and all of them, have of the past. */
  readonly expected: { readonly faulty: Buffer; readonly all: Buffer }
}

const bounds = [
  ['--engine-timeout-seconds', timeoutMs],
  ['--engine-resume-seconds', resumeMs],
  ['--stop-timeout-seconds', stopMs],
].flatMap(([flag, ms]) => [String(flag), String(Number(ms) / 1000)])

async function build(context: TestContext): Promise<Site> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = { ...(await startPortal(context, { data, args: bounds })), data }
  const engineOf = (hostName: string) => ({ hostName, data: join(directory, hostName) })
  await importInto(context, engineOf(faulty), largeLog(context))
  await importInto(context, engineOf(steady), portalFixture)
  const [proxied, other, last] = await Promise.all([
    joinBehindProxy(context, portal, engineOf(faulty)),
    joinBehindProxy(context, portal, engineOf('mute.example.com')),
    joinEngine(context, portal, engineOf(steady)),
  ])
  const past = pastOf(proxied.engine)
  return { portal, proxied, other, expected: { faulty: past, all: Buffer.concat([past, pastOf(last)]) } }
}

/** More than all the buffers between an engine and a client hold. */
function largeLog(context: TestContext): string {
  return writeLargeLog(join(temporaryDirectory(context), 'large.log'), 30_000)
}

function pastOf(engine: EngineProcess): Buffer {
  const end = Date.parse('2026-01-01T00:00:00Z') * 1000
  const lines = entriesOf(engine).filter(({ time }) => time < end)
  return Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
}

interface Case {
  readonly title: string
  readonly reason: string
  /** What the caller is told. */
  readonly say: RegExp
  readonly begin: () => void
  readonly end: () => Promise<void>
}

function faults({ proxy }: ProxiedEngine): Case[] {
  const faultOf = (fault: Fault) => ({
    begin: () => {
      proxy.fault = fault
      proxy.cutAll()
    },
    end: async () => {
      proxy.fault = { kind: 'pass' }
      proxy.cutAll()
    },
  })
  const refusing = {
    begin: () => {
      proxy.refuse()
      proxy.cutAll()
    },
    end: () => proxy.accept(),
  }
  return [
    { title: 'a connection that is refused', reason: 'refused', say: /connection was refused/, ...refusing },
    {
      title: 'a host that takes all and says nothing',
      reason: 'timeout',
      say: /in time/,
      ...faultOf({ kind: 'swallow' }),
    },
    {
      title: 'a connection that is reset',
      reason: 'cut',
      say: /was cut|ended the connection/,
      ...faultOf({ kind: 'reset' }),
    },
    {
      title: 'a connection that is cut before a byte',
      reason: 'cut',
      say: /was cut|ended the connection/,
      ...faultOf({ kind: 'cut', afterBytes: 0 }),
    },
    {
      title: 'a server that does not speak TLS',
      reason: 'tls',
      say: /no TLS connection/,
      ...faultOf({ kind: 'garbage' }),
    },
  ]
}

interface ImpostorCase {
  readonly title: string
  readonly say: RegExp
  /** Starts it, and returns its port. */
  readonly answers: (context: TestContext) => Promise<number>
}

// What a server answers, by its paths. What is left out is 500.
interface Answers {
  readonly window?: object | string
  readonly entries?: RequestListener
}

function impostors({ proxied: { engine } }: Site): ImpostorCase[] {
  const stolen = stolenFrom(engine)
  const { hostName } = engine
  const log = entriesOf(engine)[0]?.audit['log']
  const times = { start: 0, end: 1, now: 1, recorded: true }
  const window = { log, from: 0, to: 5, bytes: 1_000, ...times }
  const described = { hostName, log, size: 5, bytes: 1_000, version: '0', clock: Date.now() * 1000 }
  const holds = ['0'.repeat(64)]
  const description = { ...described, certificates: [new X509Certificate(stolen.cert).toString()], holds }
  const startWith = (answers: Answers) => async (context: TestContext) => {
    const { port } = await startImpostor(context, stolen, (request, response) => {
      const path = request.url ?? ''
      const json = path.includes('/description')
        ? description
        : path.includes('/window')
          ? answers.window
          : undefined
      if (path.includes('/entries') && answers.entries !== undefined) answers.entries(request, response)
      else if (json === undefined) response.writeHead(500).end('oops')
      else response.end(typeof json === 'string' ? json : JSON.stringify(json))
    })
    return port
  }
  const head = { 'content-range': 'bytes 0-999/1000', 'content-length': '1000' }
  const entries =
    (status: number, headers: object, bytes: number): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { ...head, ...headers }).end(Buffer.alloc(bytes, 'x'))
  return [
    {
      title: 'an impostor with a certificate of its own',
      say: /certificate is not the one that it joined with/,
      answers: async (context) => {
        const { port, asked } = await startImpostor(
          context,
          await forgedFor(hostName),
          (_request, response) => response.end('{}'),
        )
        // Not even a question.
        context.after(() => assert.deepEqual(asked, []))
        return port
      },
    },
    {
      title: 'TLS of an older version, with the right certificate',
      say: /no TLS connection/,
      answers: async (context) =>
        (
          await startImpostor(context, stolen, (_request, response) => response.end('{}'), {
            maxVersion: 'TLSv1.2',
          })
        ).port,
    },
    { title: 'status 500', say: /status 500/, answers: startWith({}) },
    { title: 'what is no JSON', say: /answered badly/, answers: startWith({ window: '<html>' }) },
    {
      title: 'an answer without an end',
      say: /too great length/,
      answers: startWith({ window: ' '.repeat(100_000) }),
    },
    {
      title: 'another log',
      say: /answered badly/,
      answers: startWith({ window: { ...window, log: 'other' } }),
    },
    {
      title: 'a window that cannot be',
      say: /answered badly/,
      answers: startWith({ window: { ...window, bytes: 3 } }),
    },
    { title: 'status 500 for entries', say: /status 500/, answers: startWith({ window }) },
    {
      title: 'entries of a wrong length',
      say: /answered badly/,
      answers: startWith({ window, entries: entries(206, { 'content-length': '999' }, 999) }),
    },
    {
      title: 'another range of entries',
      say: /answered badly/,
      answers: startWith({ window, entries: entries(206, { 'content-range': 'bytes 0-999/1001' }, 1000) }),
    },
    {
      title: 'all entries instead of a range',
      say: /answered badly/,
      answers: startWith({ window, entries: entries(200, {}, 1000) }),
    },
    {
      title: 'fewer entries than were promised, every time',
      say: /was cut|ended the connection/,
      answers: startWith({
        window,
        entries: (_request, response) => {
          response.writeHead(206, head).flushHeaders()
          response.destroy()
        },
      }),
    },
  ]
}

/** Demands E2 and E3 in bounded time, for this engine alone, with the entry and the operator's line that belong to them. */
async function refusesBoth({ portal }: Site, say: RegExp): Promise<void> {
  for (const [path, target] of [
    [one, `engine/${faulty}`],
    [all, 'engines'],
  ] as const) {
    const told = operatorLines(portal).length
    const elements = refusal(await soon(get(portal, path)), 500, 'UNREACHABLE_ENGINE')
    assert.deepEqual(
      elements.map(({ code, engine }) => [code, engine]),
      [['UNREACHABLE_ENGINE', faulty]],
    )
    assert.match(String(elements[0]?.['message']), say)
    // S7: recorded before it was answered.
    const entry = entriesOf(portal).findLast(({ code }) => code === '29002')
    assert.deepEqual(
      ['reason', 'engines', 'target'].map((name) => entry?.event[name]),
      ['UNREACHABLE_ENGINE', faulty, target],
    )
    await until(() =>
      operatorLines(portal)
        .slice(told)
        .some(
          ({ msg, engine, detail }) => msg === 'request refused' && engine === faulty && detail !== undefined,
        ),
    )
  }
  // The others are read as ever.
  await laterRead(portal)
}

/** Reads another engine. What the portal was asked before has come as far as to its own engines by then. */
async function laterRead(portal: Portal): Promise<void> {
  assert.equal((await get(portal, `${enginePath(steady)}?${past}`)).status, 200)
}

/** Demands that an answer which broke after `before` others is an entry, a number, and where an engine is the cause a line. */
async function isBroken(
  portal: Portal,
  path: string,
  reason: 'engine' | 'gone',
  before: number,
): Promise<void> {
  await until(() => breaksOf(portal) > before)
  const { event } = lastBroken(portal)
  assert.deepEqual(
    [event['reason'], event['target']],
    [reason, path === one ? `engine/${faulty}` : 'engines'],
  )
  assert.ok(Number(event['sent']) < Number(event['bytes']) || reason === 'gone')
  const count = breaksOf(portal, reason)
  assert.equal(await numberOf(portal, `annals_http_broken_transfers_total{reason="${reason}"}`), count)
  if (reason === 'engine')
    await until(() => {
      const lines = operatorLines(portal).filter(
        ({ msg }) => msg === 'an engine broke off, and so did an answer',
      )
      assert.ok(lines.length <= count)
      return lines.length === count
    })
}

/** How many answers broke so far, for one reason or for any. */
function breaksOf(portal: Portal, reason?: string): number {
  const isMeant = (why: string | undefined) => reason === undefined || why === reason
  return entriesOf(portal).filter(({ code, event }) => code === '29003' && isMeant(event['reason'])).length
}

function lastBroken(portal: Portal): AuditLine {
  const entry = entriesOf(portal).findLast(({ code }) => code === '29003')
  assert.ok(entry !== undefined)
  return entry
}

/** Demands that everything is as it was before the fault, and that its beginning and its end are entries. */
async function recovers({ portal, expected }: Site): Promise<void> {
  await untilUp(portal, faulty)
  assert.ok((await get(portal, one)).body.equals(expected.faulty))
  assert.ok((await get(portal, all)).body.equals(expected.all))
  await until(() => lastOutage(portal)?.code !== '29043')
  const outages = outagesOf(portal).map(({ code }) => code)
  assert.deepEqual(
    outages,
    outages.map((_, k) => (k % 2 === 0 ? '29043' : '29044')),
  )
}

// Each is told once when it begins, and once when it has ended.
function outagesOf(portal: Portal): AuditLine[] {
  return entriesOf(portal).filter(
    ({ code, event }) => (code === '29043' || code === '29044') && event['engine'] === faulty,
  )
}

function lastOutage(portal: Portal): AuditLine | undefined {
  return outagesOf(portal).at(-1)
}

/** Ends whatever fault there is. */
async function heal({ proxied, other }: Site): Promise<void> {
  for (const { proxy } of [proxied, other]) {
    if (!proxy.isListening) await proxy.accept()
    proxy.fault = { kind: 'pass' }
    proxy.next.length = 0
  }
  proxied.leadTo(proxied.port)
}

function get(portal: Portal, path: string): Promise<Answer> {
  return ask(portal, path, { credentials: administrator })
}

/** Demands that something is over before the bound. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const started = performance.now()
  const value = await promise
  assert.ok(performance.now() - started < boundMs, 'in bounded time')
  return value
}

async function failuresOf(portal: Portal, reason: string): Promise<number> {
  return (await numberOf(portal, `annals_engine_failures_total{reason="${reason}"}`)) ?? 0
}

async function resumesOf(portal: Portal): Promise<number> {
  return (await numberOf(portal, 'annals_engine_resumes_total')) ?? 0
}

async function bulkAnswersOf(engine: EngineProcess): Promise<number> {
  return (await numberOf(engine, 'annals_http_bulk_answers')) ?? 0
}

function lastOf(node: { readonly data: string }): AuditLine {
  const entry = entriesOf(node).at(-1)
  assert.ok(entry !== undefined)
  return entry
}

function operatorLines(portal: Portal): Record<string, unknown>[] {
  const lines = portal.errors().split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
