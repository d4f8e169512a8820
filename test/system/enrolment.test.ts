// Engines join a real portal, with somebody in the middle who reads and changes everything, with tokens that are not
// good, and with crashes of either side between any two steps. What is recorded is read from the portal's log at rest.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAnnalsError } from '../../src/errors.ts'
import { askToJoin, type Join } from '../../src/federation/ask-to-join.ts'
import { joinMacHeader, joinPath, macOf, renderRequest } from '../../src/federation/enrolment.ts'
import { type JoinToken, parseToken } from '../../src/federation/join-token.ts'
import { node, requestOf } from '../../src/federation/testing/registry-fixture.ts'
import type { AuditLine } from '../conformance/audit-line.ts'
import { ask } from '../conformance/wire.ts'
import {
  enginePath,
  entriesOf,
  joinArgs,
  joinEngine,
  type JoinablePortal,
  launchEngine,
  makeToken,
  readsOf,
  shownAs,
  startEngine,
  untilUp,
} from './engine-process.ts'
import { startMeddler, type Alter, type Meddler } from './meddler.ts'
import {
  administrator,
  annals,
  type Command,
  hostName as portalName,
  type PortalProcess,
  startPortal,
  temporaryDirectory,
  until,
} from './portal-process.ts'

const now = Date.now() * 1000

// Each waits for its processes, or for time limits, most of the time.
suite('engines join a portal', { concurrency: 4 }, () => {
  test('engines join, and nobody in the middle has a say in it', async (context) => {
    const portal = await open(context)
    const meddler = await startMeddler(context, addressOf(portal))
    const changed = await node('mallory.example.com', now)
    const tokens: Made[] = []
    const prepared = async (hostName: string): Promise<Made> => {
      const made = await prepare(context, portal, hostName)
      tokens.push(made)
      return made
    }

    /** What could be put in the place of each field. */
    const fields = {
      version: 2,
      token: '0'.repeat(16),
      hostName: 'mallory.example.com',
      log: changed.log,
      logKey: changed.logKey,
      certificate: changed.certificate.pem,
      address: '127.0.0.1:19',
      nonce: 'A'.repeat(22),
      request: '0'.repeat(64),
    }

    await context.test(
      'a request of which anything was changed lets nobody join, and costs no token',
      async () => {
        const made = await prepared('middle-1.example.com')
        for (const { title, alter } of alterations(
          fields,
          Object.keys(JSON.parse(bodyFor(made)) as object),
        )) {
          meddler.change = { request: alter }
          await refuses(made.join(urlOf(meddler)), /not valid here/, title)
        }
        assert.deepEqual(await addedTo(portal, 'middle-1.example.com'), [])
        assert.deepEqual(await addedTo(portal, 'mallory.example.com'), [])
        meddler.change = {}
        // The very same token is still good.
        assert.equal((await made.join(urlOf(meddler))).hostName, portalName)
        assert.equal((await addedTo(portal, 'middle-1.example.com')).length, 1)
      },
    )

    await context.test(
      'an answer of which anything was changed is not believed, and the next one is',
      async () => {
        const made = await prepared('middle-2.example.com')
        meddler.change = {}
        await made.join(urlOf(meddler))
        const [exchange] = meddler.seen.slice(-1)
        const keys = Object.keys(JSON.parse(exchange?.answer?.body.toString() ?? '{}') as object)
        assert.deepEqual(keys, [
          'version',
          'hostName',
          'log',
          'logKey',
          'keys',
          'certificate',
          'nonce',
          'request',
        ])
        for (const { title, alter } of alterations(fields, keys)) {
          meddler.change = { answer: alter }
          await refuses(
            made.join(urlOf(meddler)),
            /does not come from the portal|was changed on its way/,
            title,
          )
        }
        // An answer to another request, whole and genuine.
        const { body = Buffer.alloc(0), headers = new Headers() } = exchange?.answer ?? {}
        const mac = headers.get(joinMacHeader) ?? ''
        meddler.change = { answer: (_body, given) => (given.set(joinMacHeader, mac), body) }
        await refuses(made.join(urlOf(meddler)), /does not come from the portal/, 'an earlier answer')
        meddler.change = {}
        await made.join(urlOf(meddler))
        // However often it was asked, it joined once.
        assert.equal((await addedTo(portal, 'middle-2.example.com')).length, 1)
      },
    )

    await context.test(
      'an engine that is told something else than its portal said ends, and says why',
      async () => {
        const token = await makeToken(context, portal)
        const engine = { data: join(temporaryDirectory(context), 'data'), hostName: 'middle-3.example.com' }
        const args = ['--join', urlOf(meddler), '--token-file', token]
        meddler.change = { answer: (body) => body.toString().replace(portalName, 'portal-99') }
        const outcome = await launchEngine(context, { ...engine, args }).ended
        assert.equal(outcome.exitCode, 5, outcome.errors)
        assert.match(outcome.errors, /the answer does not come from the portal that made the token/)
        assert.ok(!existsSync(join(engine.data, 'portal.json')))
        meddler.change = {}
        await startEngine(context, { ...engine, args })
        await untilUp(portal, engine.hostName)
        assert.equal((await addedTo(portal, engine.hostName)).length, 1)
        assert.ok(!outcome.errors.includes(secretOf(token)))
      },
    )

    await context.test('whoever sits in the middle never sees a secret', () => {
      assert.ok(meddler.seen.length > 20)
      const seen = meddler.seen.map(({ path, request, answer }) =>
        [
          path,
          ...[request, answer].flatMap((message) => [message?.body.toString(), ...(message?.headers ?? [])]),
        ].join('\n'),
      )
      const text = seen.join('\n')
      assert.match(text, /middle-1\.example\.com/)
      for (const { token, secret } of tokens) {
        assert.ok(text.includes(token.id))
        const bytes = Buffer.from(secret, 'base64url')
        for (const secretBytes of [bytes, token.key])
          for (const form of ['base64url', 'base64', 'hex'] as const)
            assert.ok(!text.includes(secretBytes.toString(form)))
      }
      assert.ok(tokens.every(({ secret }) => !portal.errors().includes(secret)))
    })
  })

  test('a token is good for one join', async (context) => {
    const portal = await open(context)
    const refusedWith = async (made: Made, expected: RegExp) =>
      refuses(made.join(portal.baseUrl), expected, expected.source)

    await context.test(
      'the same request again is answered again, and nothing is recorded twice',
      async () => {
        const made = await prepare(context, portal, 'replayed.example.com')
        const body = bodyFor(made)
        const [first, second] = [await post(portal, made.token, body), await post(portal, made.token, body)]
        assert.deepEqual([first.status, second.status], [200, 200])
        const [one, two] = [await factsOf(first), await factsOf(second)]
        assert.deepEqual(two, one)
        assert.equal((await addedTo(portal, 'replayed.example.com')).length, 1)
        // After the engine was taken out, a replay must not bring it back.
        await annals(context, ['engines', 'disconnect', 'replayed', '--data', portal.data])
        const late = await post(portal, made.token, body)
        assert.equal(late.status, 403)
        assert.match(await late.text(), /used already/)
        assert.equal((await shownAs(context, portal, 'replayed.example.com'))[0], 'DISCONNECTED')
      },
    )

    await context.test('a token that was used is refused to everybody else', async () => {
      const made = await prepare(context, portal, 'first.example.com')
      await made.join(portal.baseUrl)
      await refusedWith(await made.as('second.example.com'), /used already.*annals engines token/)
      // Nor for the same name with another key, or at another address.
      await refusedWith(await made.as('first.example.com'), /used already/)
      await refusedWith(
        { ...made, join: (url) => made.join(url, { address: '127.0.0.1:10' }) },
        /used already/,
      )
      assert.equal((await addedTo(portal, 'first.example.com')).length, 1)
      assert.equal((await addedTo(portal, 'second.example.com')).length, 0)
    })

    await context.test('of two engines with one token, at the same moment, one joins', async () => {
      const made = await prepare(context, portal, 'race-1.example.com')
      const both = [made, await made.as('race-2.example.com')]
      const settled = await Promise.allSettled(both.map(({ join }) => join(portal.baseUrl)))
      assert.deepEqual(settled.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      const added = [
        ...(await addedTo(portal, 'race-1.example.com')),
        ...(await addedTo(portal, 'race-2.example.com')),
      ]
      assert.equal(added.length, 1)
    })

    await context.test('a token that has expired is refused, and so is its own join again', async () => {
      const [unused, used] = [
        await prepare(context, portal, 'late-1.example.com'),
        await prepare(context, portal, 'late-2.example.com'),
      ]
      await used.join(portal.baseUrl)
      expire(portal, unused.token)
      expire(portal, used.token)
      await refusedWith(unused, /has expired.*annals engines token/)
      await refusedWith(used, /has expired/)
    })

    await context.test('a token for one engine is refused to another', async () => {
      const made = await prepare(context, portal, 'other.example.com', ['--for', 'bound.example.com'])
      await refusedWith(made, /is for the engine bound\.example\.com only/)
      await (await made.as('bound.example.com')).join(portal.baseUrl)
    })

    await context.test('a wrong token is refused in the words of one that there is not', async () => {
      const made = await prepare(context, portal, 'wrong.example.com')
      const key = randomBytes(32)
      for (const token of [
        { id: made.token.id, key },
        { id: 'f'.repeat(16), key },
      ])
        await refusedWith(
          { ...made, join: (url) => askToJoin({ ...made.asked(url), token }) },
          /this token is not valid here$/,
        )
      assert.equal((await addedTo(portal, 'wrong.example.com')).length, 0)
    })

    await context.test('an engine with a token that is not good ends, and says who must act', async () => {
      const directory = temporaryDirectory(context)
      const token = await makeToken(context, portal, ['--for', 'somebody-else'])
      const engine = { data: join(directory, 'data'), hostName: 'refused.example.com' }
      const outcome = await launchEngine(context, { ...engine, args: joinArgs(portal, token) }).ended
      assert.equal(outcome.exitCode, 5)
      assert.match(outcome.errors, /refuses: this token is for the engine somebody-else only/)
      assert.ok(!outcome.errors.includes(secretOf(token)))
    })

    await context.test('a host name that is none cannot join, whoever asks', async () => {
      const data = join(temporaryDirectory(context), 'data')
      const outcome = await launchEngine(context, {
        data,
        hostName: 'no_host',
        args: joinArgs(portal, 'none'),
      }).ended
      assert.equal(outcome.exitCode, 2)
      assert.match(outcome.errors, /host name/)
      const made = await prepare(context, portal, 'name.example.com')
      for (const hostName of ['no_host', 'UPPER', '']) {
        const body = JSON.stringify({ ...(JSON.parse(bodyFor(made)) as object), hostName })
        const answer = await post(portal, made.token, body)
        assert.equal(answer.status, 400)
        assert.match(await answer.text(), /hostName.* is to be a host name/)
      }
      // The portal's own is one, and is taken.
      await refusedWith(await made.as(portalName), /is the portal's own name/)
    })

    await context.test('a request that is not authenticated is told nothing but that', async () => {
      for (const body of ['', '{}', '{"token":7}', 'x'.repeat(1_000)]) {
        const answer = await fetch(portal.baseUrl + joinPath, { method: 'POST', body })
        assert.equal(answer.status, 400, body.slice(0, 20))
      }
      const made = await prepare(context, portal, 'bare.example.com')
      const answer = await fetch(portal.baseUrl + joinPath, { method: 'POST', body: bodyFor(made) })
      assert.equal(answer.status, 403)
      assert.match(await answer.text(), /this token is not valid here/)
      const large = await fetch(portal.baseUrl + joinPath, { method: 'POST', body: 'x'.repeat(100_000) })
      assert.equal(large.status, 413)
    })
  })

  test('a host name belongs to one engine', async (context) => {
    const portal = await open(context)
    const directory = temporaryDirectory(context)
    const hostName = 'engine-01.example.com'
    const start = async (data: string, args: readonly string[] = []) =>
      launchEngine(context, {
        data: join(directory, data),
        hostName,
        args: joinArgs(portal, await makeToken(context, portal, args)),
      })
    let third: Command | undefined
    const first = await joinEngine(context, portal, { data: join(directory, 'first'), hostName })

    await context.test('a second engine of that name is refused while the first is connected', async () => {
      const { exitCode, errors } = await (await start('second')).ended
      assert.equal(exitCode, 5)
      assert.match(
        errors,
        /engine-01\.example\.com is connected already: .*annals engines disconnect.*--replace/,
      )
      assert.equal((await addedTo(portal, hostName)).length, 1)
    })

    await context.test('--replace lets it take the place, as an act that is recorded', async () => {
      const second = await start('second', ['--replace', 'engine-01'])
      await untilConnected(portal, join(directory, 'second'))
      const codes = entriesOf(portal).map(({ code }) => code)
      assert.equal((await addedTo(portal, hostName)).length, 2)
      assert.equal(codes.filter((code) => code === '20702').length, 1)
      assert.ok(codes.indexOf('20702') < codes.lastIndexOf('20701'))
      // The first is called no more.
      const before = readsOf(first).length
      assert.equal((await ask(portal, enginePath('engine-01'), { credentials: administrator })).status, 200)
      assert.equal(readsOf(first).length, before)
      second.process.kill('SIGTERM')
      await second.ended
    })

    await context.test('an engine that was disconnected gives up its name', async () => {
      await annals(context, ['engines', 'disconnect', 'engine-01', '--data', portal.data])
      third = await start('third')
      await untilConnected(portal, join(directory, 'third'))
      assert.equal((await addedTo(portal, hostName)).length, 3)
      assert.deepEqual(await shownAs(context, portal, hostName), ['CONNECTED', null])
    })

    await context.test('an engine that has joined ignores --join', async () => {
      const data = join(directory, 'third')
      third?.process.kill('SIGTERM')
      await third?.ended
      const again = { data, hostName, args: ['--join', 'http://127.0.0.1:1', '--token-file', '/nowhere'] }
      const engine = await startEngine(context, again)
      await untilUp(portal, hostName)
      assert.match(engine.output(), new RegExp(`portal +${portalName}, joined at ${portal.baseUrl}`))
      assert.equal((await addedTo(portal, hostName)).length, 3)
    })
  })

  test('a crash of either side between any two steps leaves a join that can be finished', async (context) => {
    let portal = await open(context)
    // Engines know the meddler alone: at each start the portal may listen elsewhere.
    const target = addressOf(portal)
    const meddler = await startMeddler(context, target)
    const start = async (): Promise<Portal> => {
      const { data } = portal
      const again = { ...(await startPortal(context, { data })), data }
      Object.assign(target, addressOf(again))
      return again
    }

    /** An engine that joins through the meddler. */
    const candidate = async (hostName: string) => {
      const token = await makeToken(context, portal)
      const data = join(temporaryDirectory(context), 'engine')
      const engine = { data, hostName, args: ['--join', urlOf(meddler), '--token-file', token] }
      return {
        file: join(data, 'portal.json'),
        launch: () => launchEngine(context, engine),
        /** Starts it again, exactly as before, and demands that all is well in the end. */
        finish: async () => {
          const running = await startEngine(context, engine)
          await untilUp(portal, hostName)
          assert.equal((await addedTo(portal, hostName)).length, 1)
          assert.equal(entriesOf(portal).filter(isOf('20703', hostName)).length, 1)
          const answer = await ask(portal, enginePath(hostName), { credentials: administrator })
          assert.equal(answer.status, 200)
          assert.ok(entriesOf(running).filter(({ code }) => code === '29048').length <= 1)
          await running.stop()
        },
      }
    }

    await context.test('a portal that cannot be reached: the engine says so, and may try again', async () => {
      const engine = await candidate('crash-0.example.com')
      await portal.stop()
      const { exitCode, errors } = await engine.launch().ended
      assert.equal(exitCode, 4, errors)
      assert.match(errors, /cannot be reached.*Start the engine again with the same token/)
      portal = await start()
      await engine.finish()
    })

    await context.test('what is no portal is said to be none', async () => {
      const server = createServer((_request, response) => response.writeHead(404).end('nothing here')).listen(
        0,
        '127.0.0.1',
      )
      context.after(() => server.close())
      await until(() => server.listening)
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const engine = { data: join(temporaryDirectory(context), 'data'), hostName: 'lost.example.com' }
      const args = ['--join', url, '--token-file', await makeToken(context, portal)]
      const { exitCode, errors } = await launchEngine(context, { ...engine, args }).ended
      assert.equal(exitCode, 5)
      assert.match(errors, /there is no portal that engines can join: it answers with status 404/)
    })

    await context.test('the request is lost', async () => {
      const engine = await candidate('crash-1.example.com')
      meddler.change = { request: () => undefined }
      assert.equal((await engine.launch().ended).exitCode, 4)
      assert.equal((await addedTo(portal, 'crash-1.example.com')).length, 0)
      meddler.change = {}
      await engine.finish()
    })

    await context.test('the answer is lost', async () => {
      const engine = await candidate('crash-2.example.com')
      meddler.change = { answer: () => undefined }
      assert.equal((await engine.launch().ended).exitCode, 4)
      meddler.change = {}
      await engine.finish()
    })

    await context.test(
      'the portal is killed once it has answered, and the engine gets the answer',
      async () => {
        const engine = await candidate('crash-3.example.com')
        meddler.change = { answer: (body) => (portal.process.kill('SIGKILL'), body) }
        const command = engine.launch()
        await until(() => existsSync(engine.file))
        meddler.change = {}
        await portal.ended
        portal = await start()
        await untilUp(portal, 'crash-3.example.com')
        command.process.kill('SIGTERM')
        await command.ended
        await engine.finish()
      },
    )

    await context.test(
      'the portal is killed once it has answered, and the engine never hears of it',
      async () => {
        const engine = await candidate('crash-4.example.com')
        meddler.change = { answer: () => void portal.process.kill('SIGKILL') }
        assert.equal((await engine.launch().ended).exitCode, 4)
        meddler.change = {}
        await portal.ended
        portal = await start()
        await engine.finish()
      },
    )

    for (const [k, title] of [
      'the engine is killed before it gets the answer',
      'the engine is killed when it has the answer',
      'the engine is killed once it knows its portal',
      'the engine is killed a little later',
    ].entries()) {
      await context.test(title, async () => {
        const engine = await candidate(`crash-1${k}.example.com`)
        const command = engine.launch()
        const kill = () => void command.process.kill('SIGKILL')
        meddler.change = { answer: (body) => (k === 0 && kill(), k === 1 && setImmediate(kill), body) }
        if (k > 1) await until(() => existsSync(engine.file))
        if (k === 3) await sleep(50)
        if (k > 1) kill()
        await command.ended
        meddler.change = {}
        await engine.finish()
      })
    }
  })
})

type Portal = PortalProcess & JoinablePortal

async function open(context: TestContext): Promise<Portal> {
  const data = join(temporaryDirectory(context), 'portal')
  return { ...(await startPortal(context, { data })), data }
}

/** An engine that joins from within this process, so that a test can say every word of it. */
interface Made {
  readonly token: JoinToken
  readonly secret: string
  readonly asked: (url: string) => Join
  readonly join: (url: string, changes?: Partial<Join>) => ReturnType<typeof askToJoin>
  /** Another engine, with another log, and the same token. */
  readonly as: (hostName: string) => Promise<Made>
}

async function prepare(
  context: TestContext,
  portal: JoinablePortal,
  hostName: string,
  args: readonly string[] = [],
): Promise<Made> {
  const file = await makeToken(context, portal, args)
  const token = parseToken(readFileSync(file, 'utf8').trim())
  return await madeOf(token, secretOf(file), hostName)
}

async function madeOf(token: JoinToken, secret: string, hostName: string): Promise<Made> {
  const engine = await node(hostName, now)
  // Nobody is there. Whether the portal then reaches it is not what is asked here.
  const asked = (url: string) => ({ url, token, engine, address: '127.0.0.1:9' })
  return {
    token,
    secret,
    asked,
    join: (url, changes = {}) => askToJoin({ ...asked(url), ...changes }),
    as: (other) => madeOf(token, secret, other),
  }
}

function secretOf(tokenFile: string): string {
  const [, secret = ''] = readFileSync(tokenFile, 'utf8').trim().split('.')
  assert.equal(secret.length, 43)
  return secret
}

function bodyFor({ token, asked }: Made): string {
  const { engine, address } = asked('')
  return renderRequest(requestOf({ ...engine, address }, token.id)).toString()
}

/** Posts a body as whoever holds the token can, whatever it says. */
function post(portal: Portal, token: JoinToken, body: string): Promise<Response> {
  const headers = { [joinMacHeader]: macOf(token.key, 'engine', Buffer.from(body)) }
  return fetch(portal.baseUrl + joinPath, { method: 'POST', body, headers })
}

/** What an answer says, but for what is new in each. */
async function factsOf(answer: Response): Promise<object> {
  const { nonce: _nonce, ...facts } = (await answer.json()) as Record<string, unknown>
  return facts
}

interface Alteration {
  readonly title: string
  readonly alter: Alter
}

/** Every field put in another's place, and what can be done to a message as a whole. */
function alterations(fields: Readonly<Record<string, unknown>>, keys: readonly string[]): Alteration[] {
  const edit = (title: string, change: (message: Record<string, unknown>) => object): Alteration => ({
    title,
    alter: (body) => JSON.stringify(change(JSON.parse(body.toString()) as Record<string, unknown>)),
  })
  const each = keys.map((key) => edit(key, (message) => ({ ...message, [key]: fields[key] })))
  const header = (title: string, change: (headers: Headers) => void): Alteration => ({
    title,
    alter: (body, headers) => (change(headers), body),
  })
  return [
    ...each,
    edit('one field more', (message) => ({ ...message, more: '' })),
    { title: 'the same in other bytes', alter: (body) => `${body.toString()} ` },
    header('without its MAC', (headers) => headers.delete(joinMacHeader)),
    header('with a MAC of nothing', (headers) => headers.set(joinMacHeader, '0'.repeat(64))),
    header('with a MAC in capitals', (headers) =>
      headers.set(joinMacHeader, (headers.get(joinMacHeader) ?? '').toUpperCase()),
    ),
  ]
}

async function refuses(joining: Promise<unknown>, expected: RegExp, title: string): Promise<void> {
  await assert.rejects(
    joining,
    (error) => isAnnalsError(error, 'JOIN_REFUSED') && expected.test(error.message),
    title,
  )
}

function addressOf({ baseUrl }: Portal): { host: string; port: number } {
  const { hostname, port } = new URL(baseUrl)
  return { host: hostname, port: Number(port) }
}

function urlOf({ host, port }: Meddler): string {
  return `http://${host}:${port}`
}

/** The entries of an engine that was added, once all that the portal has to record is recorded. */
async function addedTo(portal: Portal, hostName: string): Promise<AuditLine[]> {
  using database = openDatabase(portal)
  const waiting = database.prepare('select count(*) as n from outbox')
  await until(() => waiting.get()?.['n'] === 0)
  return entriesOf(portal).filter(isOf('20701', hostName))
}

function isOf(code: string, hostName: string): (entry: AuditLine) => boolean {
  return (entry) => entry.code === code && entry.event['engine'] === hostName
}

// What half an hour would do.
function expire(portal: Portal, { id }: JoinToken): void {
  using database = openDatabase(portal)
  const past = Date.now() * 1000 - 1
  database.prepare('update engine_token set expires_at = ? where id = ?').run(past, id)
}

function openDatabase({ data }: Portal): DatabaseSync & Disposable {
  const database = new DatabaseSync(join(data, 'annals.db'), { timeout: 5_000 })
  return Object.assign(database, { [Symbol.dispose]: () => database.close() })
}

/** Waits until the portal has called the engine that has its data there. */
async function untilConnected(portal: Portal, data: string): Promise<void> {
  await until(() => existsSync(join(data, 'portal.json')))
  const log = entriesOf({ data })[0]?.audit['log']
  await until(() => entriesOf(portal).some(({ code, event }) => code === '20703' && event['log'] === log))
}
