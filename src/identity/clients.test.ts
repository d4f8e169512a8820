import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { drain, pending } from '../database/outbox.ts'
import { openDatabase } from '../database/database.ts'
import { isAnnalsError, type ErrorCode } from '../errors.ts'
import type { NewClient } from './clients.ts'
import { readScope, recordScope } from './scope.ts'
import { bearerOf, clientsOver, tokenFor } from './testing/clients-fixture.ts'
import { by, identityFixture, type IdentityFixture, password } from './testing/identity-fixture.ts'

const engineScope = 'service:audit-trail:engine:engine-01'
const hour = 3_600_000
const siem: NewClient = { name: 'siem', scopes: [readScope] }
const shop: NewClient = {
  name: 'shop',
  scopes: [recordScope],
  recordBounds: { components: ['Shop'], codes: [[40_000, 40_999]], ownCodes: false },
}

function refused(code: ErrorCode, message?: RegExp) {
  return (error: unknown) =>
    isAnnalsError(error, code) && (message === undefined || message.test(error.message))
}

const invalidClient = { name: 'OAuthError', error: 'invalid_client' }
const unauthenticated = refused('UNAUTHENTICATED')

test('a client is made with its secret, which is told once and stored nowhere', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const { clientId, clientSecret, name, isChanged, eventIds } = await clients.add(
    { ...siem, description: 'pulls the logs' },
    by,
  )
  assert.match(clientSecret, /^[\w-]{43}$/)
  assert.deepEqual([name, isChanged, eventIds.length], ['siem', true, 1])
  const now = fixture.clock.wallMicros()
  assert.deepEqual(await clients.list(), [
    {
      clientId,
      name: 'siem',
      description: 'pulls the logs',
      scopes: [readScope],
      recordBounds: undefined,
      isEnabled: true,
      expiresAt: undefined,
      createdAt: now,
      createdBy: '*cli:root',
      owner: undefined,
      lastUsedAt: undefined,
      secrets: [{ createdAt: now, expiresAt: undefined }],
    },
  ])
  for (const file of [fixture.database.file, `${fixture.database.file}-wal`])
    assert.ok(!readFileSync(file).includes(clientSecret), file)
})

test('S2: a client gets a token with its secret, opens what its scopes name, and its use is listed', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const client = await clients.add({ ...siem, scopes: [engineScope.replace('engine-01', 'ENGINE-01')] }, by)
  fixture.clock.pass(hour)
  const { name, rights } = await bearerOf(fixture, await tokenFor(fixture, client))
  assert.equal(name, `client:${client.clientId}`)
  assert.deepEqual(rights, { reads: ['engine-01'], records: undefined })
  assert.equal((await clients.list())[0]?.lastUsedAt, fixture.clock.wallMicros())
})

test('a name that is taken, and what no client can be, make none', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  await clients.add(siem, by)
  const past = fixture.clock.wallMicros()
  const wrong: readonly [NewClient, ReturnType<typeof refused>][] = [
    [siem, refused('ALREADY_EXISTS', /^there is a client "siem" already$/)],
    [{ ...siem, name: 'a\nb' }, refused('INVALID_INPUT', /^the name of a client has /)],
    [{ ...siem, name: 'new', scopes: [] }, refused('INVALID_INPUT', /at least one scope/)],
    [
      { ...siem, name: 'new', scopes: ['service:audit'] },
      refused('INVALID_INPUT', /"service:audit" is no scope/),
    ],
    [{ ...siem, name: 'new', description: 'a\nb' }, refused('INVALID_INPUT', /one line/)],
    [{ ...siem, name: 'new', expiresAt: past }, refused('INVALID_INPUT', /expired before it is made/)],
    [
      { ...siem, name: 'new', recordBounds: shop.recordBounds },
      refused('INVALID_INPUT', /are for the scope/),
    ],
    [{ ...shop, recordBounds: undefined }, refused('INVALID_INPUT', /needs the components and the codes/)],
  ]
  for (const [client, expected] of wrong) await assert.rejects(clients.add(client, by), expected)
  assert.equal((await clients.list()).length, 1)
})

test('of two processes that make a client of one name at once, one is refused', async () => {
  await using fixture = await identityFixture()
  await using beside = await openDatabase(fixture.database.file)
  const command = clientsOver({ ...fixture, database: { ...beside, file: fixture.database.file } })
  const ends = await Promise.allSettled([clientsOver(fixture).add(siem, by), command.add(siem, by)])
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const secrets = await fixture.database.read.selectFrom('client_secret').selectAll().execute()
  assert.deepEqual([(await command.list()).length, secrets.length], [1, 1])
})

test('two secrets are valid at once for the time of grace, and then the new one alone', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const old = await clients.add(siem, by)
  const { clientSecret } = await clients.rotate('siem', { graceSeconds: 3600, revokesTokens: false }, by)
  const renewed = { ...old, clientSecret }
  fixture.clock.pass(hour - 1)
  await tokenFor(fixture, old)
  await tokenFor(fixture, renewed)
  const [listed] = await clients.list()
  const since = fixture.clock.wallMicros() - (hour - 1) * 1000
  assert.deepEqual(listed?.secrets, [
    { createdAt: since, expiresAt: since + hour * 1000 },
    { createdAt: since, expiresAt: undefined },
  ])
  fixture.clock.pass(1)
  await assert.rejects(tokenFor(fixture, old), invalidClient)
  await tokenFor(fixture, renewed)
  assert.equal((await clients.list())[0]?.secrets.length, 1)
})

test('there are never more than two secrets: rotating again ends the oldest', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const first = await clients.add(siem, by)
  const rotation = { graceSeconds: 3600, revokesTokens: false }
  const second = await clients.rotate('siem', rotation, by)
  const third = await clients.rotate(first.clientId, rotation, by)
  assert.equal((await clients.list())[0]?.secrets.length, 2)
  await assert.rejects(tokenFor(fixture, first), invalidClient)
  await tokenFor(fixture, second)
  await tokenFor(fixture, third)
})

test('without grace every other secret ends at once; the tokens only where that is said', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const first = await clients.add(siem, by)
  const second = await clients.rotate('siem', { graceSeconds: 3600, revokesTokens: false }, by)
  const token = await tokenFor(fixture, first)
  const third = await clients.rotate('siem', { graceSeconds: 0, revokesTokens: false }, by)
  for (const ended of [first, second]) await assert.rejects(tokenFor(fixture, ended), invalidClient)
  await bearerOf(fixture, token)
  fixture.clock.pass(1)
  const fourth = await clients.rotate('siem', { graceSeconds: 0, revokesTokens: true }, by)
  await assert.rejects(bearerOf(fixture, token), unauthenticated)
  await assert.rejects(tokenFor(fixture, third), invalidClient)
  // One that is issued in the very moment of the change is one of after it.
  await bearerOf(fixture, await tokenFor(fixture, fourth))
})

test('what a client loses, its tokens lose at once, and get back with it', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const client = await clients.add({ ...siem, scopes: [readScope, engineScope] }, by)
  const token = await tokenFor(fixture, client, `${readScope} ${engineScope}`)
  const rights = async () => (await bearerOf(fixture, token)).rights.reads
  assert.equal(await rights(), 'all')
  await clients.set('siem', { scopes: [engineScope] }, by)
  assert.deepEqual(await rights(), ['engine-01'])
  await clients.set('siem', { isEnabled: false }, by)
  await assert.rejects(rights(), unauthenticated)
  await assert.rejects(tokenFor(fixture, client), invalidClient)
  await clients.set('siem', { isEnabled: true }, by)
  assert.deepEqual(await rights(), ['engine-01'])
})

test('a client that has expired gets no token, and those that it has are not good any more', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const client = await clients.add({ ...siem, expiresAt: fixture.clock.wallMicros() + 1_000_000 }, by)
  const token = await tokenFor(fixture, client)
  fixture.clock.pass(999)
  await bearerOf(fixture, token)
  fixture.clock.pass(1)
  await assert.rejects(bearerOf(fixture, token), unauthenticated)
  await assert.rejects(tokenFor(fixture, client), invalidClient)
  await clients.set('siem', { expiresAt: null }, by)
  await bearerOf(fixture, token)
})

test('a client that is removed is gone with its secrets and its tokens, and its name can be given again', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const client = await clients.add(siem, by)
  const token = await tokenFor(fixture, client)
  await clients.remove(client.clientId, by)
  await assert.rejects(bearerOf(fixture, token), unauthenticated)
  await assert.rejects(tokenFor(fixture, client), invalidClient)
  const again = await clients.add(siem, by)
  assert.notEqual(again.clientId, client.clientId)
  await assert.rejects(tokenFor(fixture, client), invalidClient)
  const secrets = await fixture.database.read.selectFrom('client_secret').selectAll().execute()
  assert.equal(secrets.length, 1)
})

test('what there is not is said to be not there, and nothing is recorded', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const gone = refused('DOES_NOT_EXIST', /^there is no client "nobody"$/)
  await assert.rejects(clients.set('nobody', { isEnabled: false }, by), gone)
  await assert.rejects(clients.rotate('nobody', { graceSeconds: 0, revokesTokens: true }, by), gone)
  await assert.rejects(clients.remove('nobody', by), gone)
  assert.ok((await codes(fixture)).every((code) => !code.startsWith('2905')))
})

test('a client that is called as the id of another does not take its place', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const { clientId } = await clients.add({ ...siem, name: 'zebra' }, by)
  await clients.add({ ...siem, name: clientId }, by)
  assert.equal((await clients.set(clientId, { isEnabled: false }, by)).name, 'zebra')
  await clients.remove(clientId, by)
  assert.deepEqual(
    (await clients.list()).map(({ name }) => name),
    [clientId],
  )
})

test('bounds of recording go with the scope that they are for', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  await clients.add(shop, by)
  const bounds = { components: 'any', codes: 'any', ownCodes: true } as const
  await clients.set('shop', { recordBounds: bounds }, by)
  assert.deepEqual((await clients.list())[0]?.recordBounds, bounds)
  await clients.set('shop', { scopes: [recordScope, readScope] }, by)
  assert.deepEqual((await clients.list())[0]?.recordBounds, bounds)
  await assert.rejects(
    clients.set('shop', { scopes: [readScope], recordBounds: bounds }, by),
    refused('INVALID_INPUT', /are for the scope/),
  )
  await clients.set('shop', { scopes: [readScope, readScope] }, by)
  const [listed] = await clients.list()
  assert.deepEqual([listed?.scopes, listed?.recordBounds], [[readScope], undefined])
  await assert.rejects(
    clients.set('shop', { scopes: [recordScope] }, by),
    refused('INVALID_INPUT', /needs the components and the codes/),
  )
})

test('the owner of a client must be allowed to make it', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  await fixture.identity.accounts.add({ name: 'carl', profile: 'central-administrator', password }, by)
  const own = { ...shop, recordBounds: { components: 'any', codes: 'any', ownCodes: true } } as const
  await assert.rejects(
    clients.add({ ...siem, owner: 'nobody' }, by),
    refused('ACCOUNT_UNKNOWN', /^there is no account "nobody"$/),
  )
  await assert.rejects(
    clients.add({ ...siem, owner: 'reader' }, by),
    refused('CHANGE_REFUSED', /^the account "reader" may not make clients: it is no administrator$/),
  )
  await assert.rejects(
    clients.add({ ...own, owner: 'carl' }, by),
    refused(
      'CHANGE_REFUSED',
      /may not let a client record the node's own codes: it is no main administrator$/,
    ),
  )
  await clients.add({ ...shop, owner: 'carl' }, by)
  await assert.rejects(clients.set('shop', { recordBounds: own.recordBounds }, by), refused('CHANGE_REFUSED'))
  await clients.add({ ...own, name: 'own', owner: 'admin' }, by)
  await clients.add({ ...own, name: 'nobodys' }, by)
  assert.deepEqual(
    (await clients.list()).map(({ name, owner }) => [name, owner]),
    [
      ['nobodys', undefined],
      ['own', 'admin'],
      ['shop', 'carl'],
    ],
  )
})

test('a client whose owner is no administrator any more can be switched off, and not be given more', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  await fixture.identity.accounts.setProfile('reader', 'central-administrator', by)
  await clients.add({ ...siem, owner: 'reader' }, by)
  await fixture.identity.accounts.setProfile('reader', 'user', by)
  const more = [{ scopes: [readScope, engineScope] }, { isEnabled: true }, { expiresAt: null }]
  for (const settings of more)
    await assert.rejects(clients.set('siem', settings, by), refused('CHANGE_REFUSED', /is no administrator/))
  assert.equal((await clients.set('siem', { isEnabled: false }, by)).isChanged, true)
  await clients.rotate('siem', { graceSeconds: 0, revokesTokens: true }, by)
  await clients.remove('siem', by)
})

test('S7: every change is recorded with its code, by whom, about whom, and with what is so from then on', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const session = { actor: 'admin', session: 'session-1' }
  const expiresAt = Date.UTC(2027, 0, 1) * 1000
  const { clientId, clientSecret } = await clients.add({ ...shop, owner: 'admin', expiresAt }, session)
  await clients.set('shop', { expiresAt: null, description: 'the shop', isEnabled: false }, session)
  await clients.set('shop', { scopes: [readScope], isEnabled: true }, session)
  await clients.rotate('shop', { graceSeconds: 60, revokesTokens: true }, session)
  await clients.remove('shop', session)
  const events = await recorded(fixture)
  assert.deepEqual(
    events.map(({ message }) => message),
    [
      `[Portal|AUDIT|29054|admin] Client ${clientId} named shop is added`,
      `[Portal|AUDIT|29055|admin] Client ${clientId} named shop is changed - description, expiry, switched off`,
      `[Portal|AUDIT|29055|admin] Client ${clientId} named shop is changed - scopes, what it may record, switched on`,
      `[Portal|AUDIT|29055|admin] Client ${clientId} named shop is changed - secret`,
      `[Portal|AUDIT|29056|admin] Client ${clientId} named shop is removed`,
    ],
  )
  assert.deepEqual(
    events.map(({ details = [] }) => Object.fromEntries(details)),
    [
      {
        scopes: recordScope,
        records: 'Shop 40000-40999',
        expires: '2027-01-01T00:00:00.000Z',
        owner: 'admin',
      },
      { scopes: recordScope, records: 'Shop 40000-40999', expires: 'never', owner: 'admin' },
      { scopes: readScope, expires: 'never', owner: 'admin' },
      { graceSeconds: '60', tokens: 'revoked' },
      {},
    ],
  )
  for (const event of events) {
    assert.deepEqual([event.target, event.session, event.by], [`client:${clientId}`, 'session-1', '*system'])
    assert.ok(!JSON.stringify(event).includes(clientSecret))
  }
})

test('a change names the events that wait to be recorded, and what is so already is none', async () => {
  await using fixture = await identityFixture()
  const clients = clientsOver(fixture)
  const made = await clients.add(siem, by)
  assert.deepEqual(await pending(fixture.database, made.eventIds), made.eventIds)
  const same = { description: '', scopes: [readScope], expiresAt: null, isEnabled: true }
  const nothing = { clientId: made.clientId, name: 'siem', isChanged: false, eventIds: [] }
  assert.deepEqual(await clients.set('siem', same, by), nothing)
  assert.deepEqual(await clients.set('siem', {}, by), nothing)
  assert.equal((await recorded(fixture)).length, 1)
})

async function codes(fixture: IdentityFixture): Promise<string[]> {
  await drain(fixture.database, fixture.recorder.record)
  return fixture.recorder.codes
}

// Of clients.
async function recorded(fixture: IdentityFixture) {
  await codes(fixture)
  return fixture.recorder.events.filter(({ code }) => ['29054', '29055', '29056'].includes(code))
}
