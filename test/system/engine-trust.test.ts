// Who is let in where, and how the certificates that decide it are replaced while everything goes on.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { connect as plainConnect } from 'node:net'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ConnectionOptions } from 'node:tls'
import { innerPaths } from '../../src/federation/inner-api.ts'
import type { AuditLine } from '../conformance/audit-line.ts'
import { refusal } from '../conformance/refusal.ts'
import { type Answer, ask, type Server } from '../conformance/wire.ts'
import {
  type EngineProcess,
  enginePath,
  enginesPath,
  entriesOf,
  importInto,
  type JoinablePortal,
  joinBehindProxy,
  numberOf,
  type ProxiedEngine,
  readsOf,
  shownAs,
  startEngine,
  untilUp,
} from './engine-process.ts'
import { writeLargeLog } from './fixture.ts'
import { forgedFor, type Shown, startImpostor, stolenFrom } from './impostor.ts'
import {
  administrator,
  annals,
  hostName as portalName,
  type PortalProcess,
  startPortal,
  temporaryDirectory,
  until,
} from './portal-process.ts'
import { begin } from './slow-client.ts'

const name = 'engine-01.example.com'
const past = 'before_date=2026-01-01T00:00:00Z'

// Each waits for its processes, or for time limits, most of the time.
suite('trust between a portal and its engines', { concurrency: 3 }, () => {
  test('an engine lets in its portal, and nobody else', async (context) => {
    const portal = await open(context)
    const directory = temporaryDirectory(context)
    const { engine, port } = await joinBehindProxy(context, portal, {
      data: join(directory, name),
      hostName: name,
    })
    const other = await startEngine(context, { data: join(directory, 'other'), hostName: 'engine-02' })
    const before = readsOf(engine).length

    await context.test('the portal’s certificate opens the inner API, and nothing else', async () => {
      assert.match(
        await knock(port, stolenFrom(portal)),
        /^HTTP\/1\.1 200 OK\r\n[^]*"hostName":"engine-01\.example\.com"/,
      )
      for (const path of [
        '/',
        '/metrics',
        '/audit-trail/api/v1/portal/type/auditlog',
        '/audit-trail/inner/v1/none',
      ])
        assert.match(await knock(port, stolenFrom(portal), path), /^HTTP\/1\.1 404 /)
    })

    for (const [who, options] of [
      ['nobody: without a certificate', {}],
      ['a stranger: with a certificate in the portal’s name', await forgedFor(portalName)],
      ['another engine', stolenFrom(other)],
      ['itself', stolenFrom(engine)],
      ['the portal over TLS 1.2', { ...stolenFrom(portal), maxVersion: 'TLSv1.2' }],
    ] as const) {
      await context.test(`no byte is sent to ${who}`, async () => {
        for (const path of Object.values(innerPaths)) assert.equal(await knock(port, options, path), '')
      })
    }

    await context.test('plain HTTP is told so, and no more', async () => {
      const answer = await speak(plainConnect(port, '127.0.0.1'), innerPaths.description)
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.doesNotMatch(answer, /engine-01/)
    })

    await context.test('an engine that has not joined lets nobody in', async () => {
      const otherPort = portOf(other)
      for (const shown of [{}, stolenFrom(portal), await forgedFor(portalName)])
        assert.equal(await knock(otherPort, shown), '')
      // Who has its own key is the engine; even that is no portal.
      assert.match(await knock(otherPort, stolenFrom(other)), /^(|HTTP\/1\.1 403 [^]*FORBIDDEN[^]*)$/)
    })

    await context.test('the inner API is nowhere else', async () => {
      for (const path of Object.values(innerPaths)) {
        refusal(await ask(engine, path), 404, 'NOT_FOUND')
        refusal(await ask(portal, path, { credentials: administrator }), 404, 'NOT_FOUND')
      }
    })

    await context.test(
      'whoever knocked is in no log as a reader, and in the operator’s as a stranger',
      () => {
        assert.equal(readsOf(engine).length, before)
        assert.match(engine.errors(), /somebody who is not the portal/)
      },
    )

    await context.test('a connection that says nothing does not hold up a node that stops', async () => {
      const silent = [
        connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...stolenFrom(portal) }),
        plainConnect(port, '127.0.0.1'),
        plainConnect(Number(new URL(portal.baseUrl).port), '127.0.0.1'),
      ]
      await Promise.all(
        silent.map(async (socket) => {
          socket.on('error', () => undefined)
          await until(() => !socket.connecting)
        }),
      )
      // Longer than any node would wait for them would be seen here.
      for (const node of [engine, portal]) {
        const started = performance.now()
        assert.equal((await node.stop()).exitCode, 0)
        assert.ok(performance.now() - started < 9_000)
      }
      for (const socket of silent) socket.destroy()
    })
  })

  test('an engine that is disconnected is neither known nor called, and can come back', async (context) => {
    const portal = await open(context)
    const data = join(temporaryDirectory(context), name)
    const { engine, proxy } = await joinBehindProxy(context, portal, { data, hostName: name })
    assert.equal((await get(portal, enginePath(name))).status, 200)
    await annals(context, ['engines', 'disconnect', name, '--data', portal.data])
    refusal(await get(portal, enginePath(name)), 500, 'UNKNOWN_ENGINE')
    // The portal knows by now: before, it could have called once more.
    await until(() => proxy.connections === 0)
    const [accepted, reads] = [proxy.accepted, readsOf(engine).length]
    refusal(await get(portal, enginePath('engine-01')), 500, 'UNKNOWN_ENGINE')
    assert.equal((await get(portal, enginesPath)).body.length, 0)
    assert.deepEqual(await shownAs(context, portal, name), ['DISCONNECTED', null])
    // Several times as long as a portal waits before it looks at an engine that is not well.
    await sleep(3_000)
    assert.deepEqual([proxy.accepted, readsOf(engine).length], [accepted, reads])
    assert.equal(await numberOf(portal, `annals_engine_up{engine="${name}"}`), undefined)
    await annals(context, ['engines', 'reconnect', name, '--data', portal.data])
    await untilUp(portal, name)
    assert.deepEqual(await shownAs(context, portal, name), ['CONNECTED', null])
    assert.equal((await get(portal, enginePath(name))).status, 200)
    const codes = () =>
      entriesOf(portal)
        .map(({ code }) => code)
        .filter((code) => /^(2070\d|29042)$/.test(code))
    // The registry knows it a moment before the log.
    await until(() => codes().filter((code) => code === '20703').length > 1)
    assert.deepEqual(codes(), ['20701', '20703', '20704', '29042', '20703'])
  })

  test('certificates are replaced while everything is read, and no read fails', async (context) => {
    // A download rests for as long as a whole rotation takes.
    const portal = await open(context, ['--answer-stall-seconds', '3600'])
    const directory = temporaryDirectory(context)
    const engineOf = (hostName: string) => ({ hostName, data: join(directory, hostName) })
    await importInto(context, engineOf(name), writeLargeLog(join(directory, 'large.log'), 25_000))
    const [proxied, second] = await Promise.all([
      joinBehindProxy(context, portal, engineOf(name)),
      joinBehindProxy(context, portal, engineOf('engine-02.example.com')),
    ])
    const { engine } = proxied
    const reading = readOn(portal, [`${enginePath(name)}?elapsed_hours=1`, `${enginesPath}?elapsed_hours=1`])
    // One answer that begins with the old certificates and ends with the new ones.
    const download = await begin(portal, `${enginePath(name)}?${past}`)
    const drip = async (bytes: number) => {
      download.resume()
      await download.takeUntil(bytes)
    }
    await drip(100_000)

    await context.test(
      'an engine’s: announced, held by both, switched, and the old one is nothing any more',
      async (inner) => {
        const [old, before] = [stolenFrom(engine), shownBy(engine)]
        await rotate(context, engine)
        const after = await untilSwitched(context, engine, before)
        await until(async () => (await shownOf(context, portal, name)).certificate.fingerprint === after)
        assert.equal((await shownOf(context, portal, name)).nextCertificate, null)
        assert.deepEqual(told(engine, '29047'), [{ owner: name, certificate: after, by: 'cli' }])
        // The registry knows it a moment before the log.
        await until(() => told(portal, '29047').length > 0)
        assert.deepEqual(told(portal, '29046'), [{ owner: name, certificate: after, by: 'system' }])
        assert.deepEqual(told(portal, '29047'), [{ owner: name, certificate: after, by: 'system' }])
        assert.equal(await certificateAt(proxied), after)
        await reading.more()
        // Who has the old one is an impostor from now on. This is the only read that fails.
        await reading.pause()
        const { port } = await startImpostor(inner, old, (_request, response) => response.end('{}'))
        proxied.leadTo(port)
        const [element] = refusal(await get(portal, enginePath(name)), 500, 'UNREACHABLE_ENGINE')
        assert.match(String(element?.['message']), /certificate is not the one that it joined with/)
        proxied.leadTo(proxied.port)
        await untilUp(portal, name)
        reading.resume()
        await drip(8_000_000)
      },
    )

    await context.test(
      'the portal’s: the same with every engine, and the old one opens no engine',
      async () => {
        const [old, before] = [stolenFrom(portal), shownBy(portal)]
        assert.match(await knock(proxied.port, old), /^HTTP\/1\.1 200 /)
        await rotate(context, portal)
        const after = await untilSwitched(context, portal, before)
        for (const { engine, port } of [proxied, second]) {
          const { hostName } = engine
          await until(async () => (await shownOf(context, portal, hostName)).portalCertificate === after)
          await until(() => told(engine, '29047').some(({ certificate }) => certificate === after))
          const known = told(engine, '29046').filter(({ owner }) => owner === portalName)
          assert.deepEqual(known, [{ owner: portalName, certificate: after, by: 'system' }])
          assert.equal(await knock(port, old), '')
          assert.match(await knock(port, stolenFrom(portal)), /^HTTP\/1\.1 200 /)
        }
        const held = () => told(portal, '29046').filter(({ owner }) => owner === portalName)
        await until(() => held().length > 1)
        assert.deepEqual(
          held().map(({ certificate, by }) => [certificate, by]),
          [
            [after, 'cli'],
            [after, 'cli'],
          ],
        )
        assert.deepEqual(
          told(portal, '29047').filter(({ owner }) => owner === portalName),
          [{ owner: portalName, certificate: after, by: 'cli' }],
        )
        await reading.more()
        await drip(12_000_000)
      },
    )

    await context.test('both at once', async () => {
      const before = [shownBy(engine), shownBy(portal)]
      await Promise.all([rotate(context, engine), rotate(context, portal)])
      const after = [
        await untilSwitched(context, engine, before[0] ?? ''),
        await untilSwitched(context, portal, before[1] ?? ''),
      ]
      await until(async () => {
        const { certificate, nextCertificate, portalCertificate } = await shownOf(context, portal, name)
        return (
          nextCertificate === null && certificate.fingerprint === after[0] && portalCertificate === after[1]
        )
      })
      await reading.more()
    })

    await context.test('a download that was under way all the time is whole', async () => {
      download.resume()
      const received = await download.ended
      assert.ok(received.isWhole)
      const lines = entriesOf(engine).filter(({ time }) => time < Date.parse('2026-01-01T00:00:00Z') * 1000)
      assert.ok(received.body.equals(Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))))
    })

    await context.test('not one read failed', async () => {
      const { reads, failures } = await reading.end()
      context.diagnostic(`${reads} reads`)
      assert.deepEqual(failures, [])
      assert.ok(reads > 50)
    })

    await context.test(
      'an engine that is away holds up the portal’s rotation, and nothing else',
      async () => {
        await second.engine.stop()
        const before = shownBy(portal)
        await rotate(context, portal)
        const held = async () => (await shownOf(context, portal, name)).nextPortalCertificate
        await until(async () => (await held()) !== null)
        await sleep(1_500)
        // Those that hold the next one are shown it already.
        assert.equal(shownBy(portal), before)
        assert.equal((await get(portal, `${enginePath(name)}?elapsed_hours=1`)).status, 200)
        const again = await second.restart()
        const after = await untilSwitched(context, portal, before)
        await untilUp(portal, again.hostName)
        await until(async () => (await shownOf(context, portal, again.hostName)).portalCertificate === after)
        assert.equal((await get(portal, `${enginesPath}?elapsed_hours=1`)).status, 200)
        await again.stop()
      },
    )

    await context.test(
      'an engine that is killed in the middle of its rotation ends it when it is back',
      async () => {
        const before = shownBy(engine)
        const announced = () => told(portal, '29046').filter(({ owner }) => owner === name).length
        const earlier = announced()
        await rotate(context, engine)
        // An entry stays; that the registry holds both certificates may be over before a command has looked.
        await until(() => announced() > earlier)
        await engine.kill()
        const again = await proxied.restart()
        const after = await untilSwitched(context, engine, before)
        await until(async () => (await shownOf(context, portal, name)).certificate.fingerprint === after)
        assert.equal(told(again, '29047').filter(({ certificate }) => certificate === after).length, 1)
        await untilUp(portal, name)
        assert.equal((await get(portal, `${enginePath(name)}?elapsed_hours=1`)).status, 200)
        await again.stop()
      },
    )

    await context.test(
      'a rotation that was ordered while the portal was away begins at its next start',
      async () => {
        await portal.stop()
        const before = shownBy(portal)
        await rotate(context, portal)
        const again = { ...(await startPortal(context, { data: portal.data })), data: portal.data }
        await proxied.restart()
        await second.restart()
        const after = await untilSwitched(context, again, before)
        for (const hostName of [name, 'engine-02.example.com'])
          await until(async () => (await shownOf(context, again, hostName)).portalCertificate === after)
      },
    )
  })
})

type Portal = PortalProcess & JoinablePortal

async function open(context: TestContext, args: readonly string[] = []): Promise<Portal> {
  const data = join(temporaryDirectory(context), 'portal')
  return { ...(await startPortal(context, { data, args })), data }
}

function get(portal: Server, path: string): Promise<Answer> {
  return ask(portal, path, { credentials: administrator })
}

/** Connects as somebody, asks for a path, and returns all that comes. */
function knock(
  port: number,
  options: Partial<Shown> & Pick<ConnectionOptions, 'maxVersion'>,
  path: string = innerPaths.description,
): Promise<string> {
  return speak(connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }), path)
}

async function speak(socket: ReturnType<typeof plainConnect>, path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  socket.on('close', () => resolve(text))
  socket.write(`GET ${path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n`)
  return await promise
}

function portOf(engine: EngineProcess): number {
  return Number(/listens +for its portal at \S+:(\d+)/.exec(engine.output())?.[1])
}

/** Reads one path after the other, without a pause, until it is told to end. */
function readOn(portal: Server, paths: readonly string[]) {
  const failures: string[] = []
  const over = new AbortController()
  let gate: PromiseWithResolvers<void> | undefined
  let [reads, underWay] = [0, 0]
  const read = async (path: string) => {
    underWay += 1
    const { status, body } = await get(portal, path).catch((error: unknown) => ({
      status: 0,
      body: String(error),
    }))
    underWay -= 1
    reads += 1
    if (status !== 200) failures.push(`${path}: ${status} ${body.toString()}`)
  }
  const running = Promise.all(
    paths.map(async (path) => {
      while (!over.signal.aborted) {
        await gate?.promise
        await read(path)
        // A node without a moment for anything else would prove less.
        await sleep(50)
      }
    }),
  )
  return {
    /** Resolves when everything was read once more, from now on. */
    more: async () => {
      const enough = reads + 2 * paths.length
      await until(() => reads >= enough)
    },
    /** Resolves when no read is under way. */
    pause: async () => {
      gate = Promise.withResolvers<void>()
      await until(() => underWay === 0)
    },
    resume: () => {
      gate?.resolve()
      gate = undefined
    },
    end: async () => {
      over.abort()
      await running
      return { reads, failures }
    },
  }
}

async function rotate(context: TestContext, { data }: { readonly data: string }): Promise<void> {
  await annals(context, ['key', 'rotate', 'tls', '--data', data])
}

/** The fingerprint of the certificate that a node shows, as it is at rest. */
function shownBy(node: { readonly data: string }): string {
  return new X509Certificate(stolenFrom(node).cert).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** Waits until a node shows another certificate, and no rotation is under way. Returns its fingerprint. */
async function untilSwitched(
  context: TestContext,
  node: { readonly data: string },
  before: string,
): Promise<string> {
  await until(() => shownBy(node) !== before)
  const shown = JSON.parse(await annals(context, ['key', 'show', '--json', '--data', node.data])) as ShownKeys
  assert.deepEqual([shown.certificate.fingerprint, shown.nextCertificate], [shownBy(node), null])
  return shownBy(node)
}

interface ShownKeys {
  readonly certificate: { readonly fingerprint: string }
  readonly nextCertificate: { readonly fingerprint: string } | null
}

interface ShownEngine extends ShownKeys {
  readonly portalCertificate: string
  readonly nextPortalCertificate: string | null
}

/** What `annals engines show` says of an engine. */
async function shownOf(
  context: TestContext,
  { data }: Pick<JoinablePortal, 'data'>,
  hostName: string,
): Promise<ShownEngine> {
  return JSON.parse(
    await annals(context, ['engines', 'show', hostName, '--json', '--data', data]),
  ) as ShownEngine
}

/** The certificate that an engine really shows, by its fingerprint. */
async function certificateAt({ port }: ProxiedEngine): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256.replaceAll(':', '').toLowerCase()
}

interface Told {
  readonly owner: string | undefined
  readonly certificate: string | undefined
  readonly by: string
}

/** What entries of a code say of certificates, and whether a person ordered it. */
function told(node: { readonly data: string }, code: string): Told[] {
  const saying = ({ event }: AuditLine): Told => ({
    owner: event['owner'],
    certificate: event['certificate'],
    by: event['actor']?.startsWith('*cli:') === true ? 'cli' : 'system',
  })
  return entriesOf(node)
    .filter((entry) => entry.code === code)
    .map(saying)
}
