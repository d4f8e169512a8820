// Recording at engines, with real processes: with an access token of the portal, which the engine judges by itself, and at
// the record socket, which whoever can open it may use.

import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Answer, ask, type Server } from '../conformance/wire.ts'
import { type EngineProcess, entriesOf, joinEngine, startEngine, untilUp } from './engine-process.ts'
import { addClient, basicOf, type OAuthClient, postForm, revokePath, tokenPath } from './oauth-client.ts'
import { administrator, annals, startPortal, temporaryDirectory, until } from './portal-process.ts'
import { askSocket, socketOf } from './socket-client.ts'

const publicUrl = 'https://audit.example.com'
const recordScope = 'service:audit-trail:record'
const portalArgs = ['--public-url', publicUrl]

test('recording at engines', async (context) => {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'portal')
  const portal = { ...(await startPortal(context, { data, args: portalArgs })), data }
  const recorder = await addRecorder(context, data, 'recorder')
  const join1 = { data: join(directory, 'alpha'), hostName: 'alpha.example.com' }
  let alpha = await joinEngine(context, portal, join1)
  const beta = await joinEngine(context, portal, { data: join(directory, 'beta'), hostName: 'beta' })

  await context.test(
    'an engine is told of its portal’s tokens when it has joined, and records that',
    async () => {
      await until(() => entriesOf(alpha).some(({ code }) => code === '29075'))
      const { event } = entriesOf(alpha).find(({ code }) => code === '29075') ?? {}
      assert.equal(event?.['issuer'], `${publicUrl}/oauth2/default`)
      assert.equal(event?.['keys']?.split(' ').length, 2)
    },
  )

  await context.test('L2: a token for an engine records there, in the name of its client', async () => {
    for (const name of ['alpha', 'Alpha.Example.com', logOf(alpha)]) {
      const answer = await record(alpha, 'alpha', await engineToken(portal, recorder, name))
      assert.equal(answer.status, 201, answer.body.toString())
      const { isNew, log } = recordedIn(answer)
      assert.deepEqual([isNew, log], [true, logOf(alpha)])
    }
    const { audit, event } = entriesOf(alpha).findLast(({ code }) => code === '10006') ?? {}
    assert.deepEqual([audit?.['via'], audit?.['by']], ['http', `client:${recorder.clientId}`])
    assert.equal(event?.['actor'], 'jdoe')
    const { code, detail } = entriesOf({ data }).findLast(({ code }) => code === '29051') ?? {}
    assert.deepEqual([code, detail?.['audience']], ['29051', logOf(alpha)])
  })

  await context.test('a client that was made just now records at once', async () => {
    const fresh = await addRecorder(context, data, 'fresh')
    assert.equal((await record(beta, 'beta', await engineToken(portal, fresh, 'beta'))).status, 201)
  })

  await context.test(
    'E5: a token for one engine is refused at the portal and at another, and the portal’s at an engine',
    async () => {
      const token = await engineToken(portal, recorder, 'alpha')
      const portals = await accessToken(portal, recorder, {})
      const cases: [Server, string, string][] = [
        [portal, 'portal-01', token],
        [beta, 'beta', token],
        [alpha, 'alpha', portals],
      ]
      for (const [server, name, token] of cases)
        assert.equal((await record(server, name, token)).status, 401, name)
      assert.deepEqual(
        [lastRefusal(beta, '29061'), lastRefusal(alpha, '29061')],
        ['token-audience', 'token-audience'],
      )
      assert.equal(lastRefusal({ data }, '20103'), 'token-audience')
      assert.equal((await record(portal, 'portal-01', portals)).status, 201)
    },
  )

  await context.test('E5: without a token, and with a password, an engine says what it wants', async () => {
    const headers = { 'content-type': 'application/json' }
    for (const asked of [{}, { credentials: administrator }]) {
      const answer = await ask(alpha, entriesPath('alpha'), { method: 'POST', headers, body: '{}', ...asked })
      assert.equal(answer.status, 401)
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="annals"')
    }
    assert.equal(lastRefusal(alpha, '29061'), 'other-scheme')
  })

  await context.test(
    'E6: a token records within the bounds of its client, and never the node’s own codes',
    async () => {
      const token = await engineToken(portal, recorder, 'alpha')
      for (const event of [other, { ...other, code: 10_006, component: 'Other' }, ownEvent]) {
        const answer = await record(alpha, 'alpha', token, event)
        assert.equal(answer.status, 403, answer.body.toString())
      }
      assert.equal(entriesOf(alpha).filter(({ code }) => code === '29072').length, 3)
      const wide = await addRecorder(context, data, 'wide', [
        '--record-components',
        'any',
        '--record-codes',
        'any',
      ])
      const wideToken = await engineToken(portal, wide, 'alpha')
      assert.equal((await record(alpha, 'alpha', wideToken, ownEvent)).status, 403)
      assert.equal((await record(alpha, 'alpha', wideToken, other)).status, 201)
    },
  )

  await context.test(
    'a token for an engine is had for nothing else, and for no engine that is not connected',
    async () => {
      const cases = [
        ['invalid_scope', { resource: resourceOf('alpha'), scope: 'service:audit-trail' }],
        ['invalid_target', { resource: resourceOf('gamma') }],
      ] as const
      for (const [error, form] of cases) {
        const answer = await askToken(portal, recorder, form)
        assert.deepEqual([answer.status, JSON.parse(answer.body.toString()).error], [400, error])
      }
    },
  )

  await context.test('a token that is revoked at the portal has ended at the engine too', async () => {
    const [token, kept] = [
      await engineToken(portal, recorder, 'alpha'),
      await engineToken(portal, recorder, 'alpha'),
    ]
    assert.equal((await record(alpha, 'alpha', token)).status, 201)
    const answer = await postForm(portal, revokePath, { token }, { credentials: basicOf(recorder) })
    assert.equal(answer.status, 200)
    assert.equal((await record(alpha, 'alpha', token)).status, 401)
    assert.equal(lastRefusal(alpha, '29061'), 'token-revoked')
    assert.equal((await record(alpha, 'alpha', kept)).status, 201)
  })

  await context.test('what a command changes beside the portal reaches the engine', async () => {
    const client = await addRecorder(context, data, 'ending')
    const token = await engineToken(portal, client, 'alpha')
    assert.equal((await record(alpha, 'alpha', token)).status, 201)
    await annals(context, ['client', 'set', 'ending', '--disable', '--data', data])
    await until(async () => (await record(alpha, 'alpha', token)).status === 401)
  })

  await context.test(
    'a key that is replaced: tokens of both are good; one that was stolen ends all',
    async () => {
      const before = await engineToken(portal, recorder, 'alpha')
      await annals(context, ['key', 'rotate', 'tokens', '--data', data])
      const after = await engineToken(portal, recorder, 'alpha')
      for (const token of [before, after]) assert.equal((await record(alpha, 'alpha', token)).status, 201)
      await annals(context, ['key', 'rotate', 'tokens', '--stolen', '--data', data])
      await until(async () => (await record(alpha, 'alpha', after)).status === 401)
      assert.equal((await record(alpha, 'alpha', before)).status, 401)
      assert.equal((await record(alpha, 'alpha', await engineToken(portal, recorder, 'alpha'))).status, 201)
      assert.ok(entriesOf(alpha).filter(({ code }) => code === '29075').length >= 3)
    },
  )

  await context.test(
    'an engine takes events while its portal is away, and when it starts meanwhile',
    async () => {
      const token = await engineToken(portal, recorder, 'alpha')
      await portal.kill()
      assert.equal((await record(alpha, 'alpha', token)).status, 201)
      assert.ok(existsSync(socketOf(alpha)))
      await alpha.kill()
      assert.ok(existsSync(socketOf(alpha)), 'a crash leaves the socket')
      alpha = await startEngine(context, join1)
      assert.equal((await record(alpha, 'alpha', token)).status, 201)
      assert.equal((await record(alpha, 'alpha', 'a.b.c')).status, 401)
    },
  )

  await context.test(
    'L2: the record socket takes events from whoever can open it, and no own codes',
    async () => {
      const path = socketOf(alpha)
      const { mode } = statSync(path)
      assert.equal(mode & 0o777, 0o660)
      assert.equal((await askSocket(path, '/healthz')).status, 200)
      const answer = await askSocket(path, entriesPath('alpha'), [finder, { ...finder, actor: 'local' }])
      assert.equal(answer.status, 200)
      const { audit, event } = entriesOf(alpha).at(-1) ?? {}
      assert.deepEqual([audit?.['via'], audit?.['by'], event?.['actor']], ['http', '*local', 'local'])
      assert.equal((await askSocket(path, entriesPath('alpha'), ownEvent)).status, 403)
      const forbidden = entriesOf(alpha).at(-1)
      assert.deepEqual(
        [forbidden?.code, forbidden?.event['actor'], forbidden?.detail['source']],
        ['29072', '*local', '*local'],
      )
      assert.equal((await askSocket(path, entriesPath('beta'), finder)).status, 404)
      assert.equal((await askSocket(path, '/audit-trail/api/v1/portal/type/auditlog')).status, 404)
    },
  )

  await context.test(
    'a portal has a record socket too, and replaces the one that its crash has left',
    async () => {
      const path = socketOf(portal)
      assert.ok(existsSync(path))
      const again = await startPortal(context, { data, args: portalArgs })
      const login = { code: 20_101, component: 'Portal', actor: 'jdoe', session: 's1' }
      assert.equal((await askSocket(path, entriesPath('portal-01'), login)).status, 201)
      assert.equal(entriesOf(portal).findLast(({ code }) => code === '20101')?.audit['by'], '*local')
      const learned = () => entriesOf(alpha).filter(({ code }) => code === '29075').length
      const before = learned()
      await untilUp(again, alpha.hostName)
      assert.equal(learned(), before, 'what is known already is not told again')
      await again.stop()
      assert.equal(existsSync(path), false)
    },
  )

  await context.test('the record socket goes with the node', async () => {
    const { exitCode } = await alpha.stop()
    assert.equal(exitCode, 0)
    assert.equal(existsSync(socketOf(alpha)), false)
  })
})

const finder = { code: 10_006, component: 'alpha', actor: 'jdoe', fields: { milliseconds: '5' } }
const other = { code: 10_007, component: 'alpha', actor: 'jdoe', message: 'something else' }
const ownEvent = { code: 29_001, component: 'alpha', actor: 'jdoe', message: 'forged' }

async function addRecorder(
  context: TestContext,
  data: string,
  name: string,
  bounds = ['--record-components', 'alpha', '--record-codes', '10006'],
): Promise<OAuthClient> {
  return await addClient(context, data, name, ['--scope', recordScope, ...bounds])
}

function entriesPath(log: string): string {
  return `/audit-trail/api/v2/logs/${log}/entries`
}

function resourceOf(name: string): string {
  return `${publicUrl}/audit-trail/api/v2/logs/${name}`
}

function askToken(
  portal: Server,
  client: OAuthClient,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const asked = { grant_type: 'client_credentials', ...form }
  return postForm(portal, tokenPath, asked, { credentials: basicOf(client) })
}

async function accessToken(
  portal: Server,
  client: OAuthClient,
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await askToken(portal, client, form)
  assert.equal(answer.status, 200, answer.body.toString())
  return JSON.parse(answer.body.toString()).access_token
}

function engineToken(portal: Server, client: OAuthClient, name: string): Promise<string> {
  return accessToken(portal, client, { resource: resourceOf(name) })
}

function record(server: Server, log: string, token: string, event: object = finder): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  return ask(server, entriesPath(log), { method: 'POST', headers, body: JSON.stringify(event) })
}

function recordedIn({ body }: Answer): { readonly isNew: unknown; readonly log: unknown } {
  const { new: isNew, log } = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>
  return { isNew, log }
}

function logOf(engine: Pick<EngineProcess, 'data'>): string {
  return entriesOf(engine)[0]?.audit['log'] ?? ''
}

function lastRefusal(node: { readonly data: string }, code: string): string | undefined {
  return entriesOf(node).findLast((entry) => entry.code === code)?.event['reason']
}
