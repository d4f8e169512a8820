// Clients, profiles and token keys, changed by commands beside a running portal: what counts at once, what goes on, and
// what the log says of it (S2, S7).

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type AuditLine, readLine, readLines } from '../conformance/audit-line.ts'
import { type Answer, ask, type Credentials } from '../conformance/wire.ts'
import { addClient, basicOf, type OAuthClient, postForm, tokenOf, tokenPath } from './oauth-client.ts'
import {
  addAccount,
  administrator,
  annals,
  type PortalProcess,
  runAnnals,
  startPortal,
  storedLines,
  temporaryDirectory,
} from './portal-process.ts'

const logPath = '/audit-trail/api/v1/portal/type/auditlog?elapsed_hours=1'
const keysPath = '/oauth2/default/v1/keys'
const cli = `*cli:${userInfo().username}`

test('S2: a secret is replaced beside a running portal without a moment in which the client does not get in', async (context) => {
  const { portal, data } = await start(context)
  const old = await addClient(context, data, 'siem')
  const token = await tokenOf(portal, old)
  const file = join(temporaryDirectory(context), 'secret')
  await annals(context, ['client', 'rotate', 'siem', '--secret-file', file, '--data', data])
  const renewed = { ...old, clientSecret: readFileSync(file, 'utf8').trim() }
  assert.notEqual(renewed.clientSecret, old.clientSecret)
  for (const client of [old, renewed]) assert.equal(await read(portal, await tokenOf(portal, client)), 200)
  const last = await rotateAfterTheft(context, data, old)
  for (const client of [old, renewed]) assert.equal(await tokenStatus(portal, client), 401)
  assert.equal(await read(portal, token), 401)
  assert.equal(await read(portal, await tokenOf(portal, last)), 200)
})

test('what a client loses beside a running portal, a token that is in use loses at once', async (context) => {
  const { portal, data } = await start(context)
  const client = await addClient(context, data, 'siem')
  const token = await tokenOf(portal, client)
  const set = (...flags: string[]) => annals(context, ['client', 'set', 'siem', ...flags, '--data', data])
  assert.equal(await read(portal, token), 200)
  await set('--scope', 'service:audit-trail:engine:engine-01')
  const refusal = await readAnswer(portal, token)
  assert.equal(refusal.status, 403)
  assert.match(String(refusal.headers['www-authenticate']), /error="insufficient_scope"/)
  await set('--scope', 'service:audit-trail', '--disable')
  assert.deepEqual([await read(portal, token), await tokenStatus(portal, client)], [401, 401])
  await set('--enable')
  assert.equal(await read(portal, token), 200)
  await annals(context, ['client', 'remove', client.clientId, '--data', data])
  assert.deepEqual([await read(portal, token), await tokenStatus(portal, client)], [401, 401])
})

test('the list says when a client was last used, and until when each secret is good', async (context) => {
  const { portal, data } = await start(context)
  const client = await addClient(context, data, 'siem', ['--expires', '2099-01-01'])
  const before = Date.now() - 60_000
  await tokenOf(portal, client)
  await annals(context, ['client', 'rotate', 'siem', '--grace-hours', '2', '--data', data])
  const [listed] = JSON.parse(await annals(context, ['client', 'list', '--json', '--data', data])) as {
    readonly client_id: string
    readonly lastUsedAt: string
    readonly expiresAt: string
    readonly secrets: readonly { readonly expiresAt: string | null }[]
  }[]
  assert.equal(listed?.client_id, client.clientId)
  const used = Date.parse(listed.lastUsedAt)
  assert.ok(before < used && used <= Date.now(), listed.lastUsedAt)
  assert.match(listed.expiresAt, /^2099-01-01T00:00:00/)
  const [old, renewed] = listed.secrets.map(({ expiresAt }) => expiresAt)
  const hours = (Date.parse(old ?? '') - Date.now()) / 3_600_000
  assert.ok(1.9 < hours && hours <= 2, String(old))
  assert.equal(renewed, null)
})

test('S7: every change of a client is an entry in the name of who made it, and no secret is anywhere in the log', async (context) => {
  const { portal, data } = await start(context)
  const client = await addClient(context, data, 'siem', ['--owner', administrator.name])
  const stolen = await rotateAfterTheft(context, data, client)
  await annals(context, ['client', 'set', 'siem', '--disable', '--data', data])
  await annals(context, ['client', 'remove', 'siem', '--data', data])
  assert.equal((await portal.stop()).exitCode, 0)
  const changes = entries(data).filter(({ code }) => ['29054', '29055', '29056'].includes(code))
  assert.deepEqual(
    changes.map(({ code, event }) => [code, event['actor'], event['target'], event['change']]),
    [
      ['29054', undefined],
      ['29055', 'secret'],
      ['29055', 'switched off'],
      ['29056', undefined],
    ].map(([code, change]) => [code, cli, `client:${client.clientId}`, change]),
  )
  assert.equal(changes[0]?.detail['owner'], administrator.name)
  const text = storedLines(data).join('\n')
  for (const { clientSecret } of [client, stolen]) assert.ok(!text.includes(clientSecret))
})

test('an account in whose name there are clients is removed beside the portal as the person says', async (context) => {
  const { portal, data } = await start(context)
  const clients: OAuthClient[] = []
  for (const name of ['anna', 'bert']) {
    await addAccount(context, data, { name, password: 'Administers-well-1' }, 'central-administrator')
    clients.push(await addClient(context, data, `of-${name}`, ['--owner', name]))
  }
  const tokens = await Promise.all(clients.map((client) => tokenOf(portal, client)))
  const { exitCode, errors } = await runAnnals(context, ['account', 'remove', 'anna', '--data', data])
  assert.equal(exitCode, 5)
  assert.match(errors, /of-anna; say --keep-clients or --remove-clients/)
  await annals(context, ['account', 'remove', 'anna', '--keep-clients', '--data', data])
  await annals(context, ['account', 'remove', 'bert', '--remove-clients', '--data', data])
  assert.deepEqual(await Promise.all(tokens.map((token) => read(portal, token))), [200, 401])
})

test('S1: an auditor reads once that is switched on, and a change of a profile counts for whoever is signed in', async (context) => {
  const { portal, data } = await start(context)
  const auditor = { name: 'audrey', password: 'Reads-and-reads-1' }
  const profile = (...args: string[]) => annals(context, ['profile', ...args, '--data', data])
  const status = (credentials: Credentials) =>
    ask(portal, logPath, { credentials }).then((answer) => answer.status)
  await profile('enable', 'auditor')
  await addAccount(context, data, auditor, 'auditor')
  assert.equal(await status(auditor), 200)
  await profile('role', 'add', 'changing', '--allow', 'record-events')
  await profile('add', 'own', '--role', 'changing')
  await annals(context, ['account', 'set-profile', auditor.name, 'own', '--data', data])
  assert.equal(await status(auditor), 403)
  await profile('role', 'set', 'changing', '--allow', 'read-audit-log')
  assert.equal(await status(auditor), 200)
  await profile('role', 'set', 'changing', '--allow', 'record-events')
  assert.equal(await status(auditor), 403)
  const told = (await entriesOf(portal)).filter(({ code }) => /^202(?:0[4-9]|1\d)$/.test(code))
  assert.deepEqual(
    told.map(({ code, event }) => [code, event['actor']]),
    ['20206', '20209', '20206', '20209', '20204', '20207', '20207'].map((code) => [code, cli]),
  )
})

test('a token key is replaced beside a running portal: old tokens go on, unless the key was stolen', async (context) => {
  const { portal, data } = await start(context)
  const client = await addClient(context, data, 'siem')
  const old = await tokenOf(portal, client)
  const published = await kidsOf(portal)
  assert.equal(published.length, 2)
  await annals(context, ['key', 'rotate', 'tokens', '--data', data])
  const renewed = await tokenOf(portal, client)
  assert.ok(kidOf(renewed) !== kidOf(old) && published.includes(kidOf(renewed)))
  assert.deepEqual([await read(portal, old), await read(portal, renewed)], [200, 200])
  const shown = await annals(context, ['key', 'show', '--data', data])
  for (const [kid, state] of [
    [kidOf(renewed), 'current'],
    [kidOf(old), 'retired'],
  ])
    assert.ok(shown.includes(`${kid}, ${state} since `), shown)
  await annals(context, ['key', 'rotate', 'tokens', '--stolen', '--data', data])
  assert.deepEqual([await read(portal, old), await read(portal, renewed)], [401, 401])
  const anew = await kidsOf(portal)
  assert.ok([kidOf(old), kidOf(renewed), ...published].every((kid) => !anew.includes(kid)))
  assert.equal(await read(portal, await tokenOf(portal, client)), 200)
})

test('S2: what commands made before a portal is killed is there when it runs again, secrets, tokens and keys', async (context) => {
  // Part of what a token says, while the port may be another one.
  const args = ['--public-url', 'https://audit.example.com']
  const { portal, data } = await start(context, args)
  const client = await addClient(context, data, 'siem')
  const token = await tokenOf(portal, client)
  await portal.kill()
  const beside = await addClient(context, data, 'made-without-a-portal')
  const again = await startPortal(context, { data, args })
  assert.equal(await read(again, token), 200)
  for (const each of [client, beside]) assert.equal(await read(again, await tokenOf(again, each)), 200)
  const added = (await entriesOf(again)).filter(({ code }) => code === '29054')
  assert.deepEqual(
    added.map(({ event }) => event['name']),
    ['siem', 'made-without-a-portal'],
  )
})

async function start(
  context: TestContext,
  args: readonly string[] = [],
): Promise<{ readonly portal: PortalProcess; readonly data: string }> {
  const data = join(temporaryDirectory(context), 'data')
  return { portal: await startPortal(context, { data, args }), data }
}

async function rotateAfterTheft(
  context: TestContext,
  data: string,
  { clientId }: OAuthClient,
): Promise<OAuthClient> {
  const flags = ['--grace-hours', '0', '--revoke-tokens', '--json', '--data', data]
  const output = await annals(context, ['client', 'rotate', clientId, ...flags])
  const { client_secret: clientSecret } = JSON.parse(output) as { readonly client_secret: string }
  return { clientId, clientSecret }
}

async function tokenStatus(portal: PortalProcess, client: OAuthClient): Promise<number> {
  const form = { grant_type: 'client_credentials' }
  return (await postForm(portal, tokenPath, form, { credentials: basicOf(client) })).status
}

function readAnswer(portal: PortalProcess, token: string): Promise<Answer> {
  return ask(portal, logPath, { headers: { authorization: `Bearer ${token}` } })
}

async function read(portal: PortalProcess, token: string): Promise<number> {
  return (await readAnswer(portal, token)).status
}

async function kidsOf(portal: PortalProcess): Promise<string[]> {
  const { body } = await ask(portal, keysPath)
  const { keys } = JSON.parse(body.toString()) as { readonly keys: readonly { readonly kid: string }[] }
  return keys.map(({ kid }) => kid)
}

function kidOf(token: string): string {
  const [header = ''] = token.split('.')
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { readonly kid: string }).kid
}

async function entriesOf(portal: PortalProcess): Promise<AuditLine[]> {
  const { status, body } = await ask(portal, logPath, { credentials: administrator })
  assert.equal(status, 200)
  return readLines(body)
}

function entries(data: string): AuditLine[] {
  return storedLines(data).map((line) => readLine(Buffer.from(line)))
}
