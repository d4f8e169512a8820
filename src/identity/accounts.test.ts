import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drain, pending } from '../database/outbox.ts'
import { openDatabase } from '../database/database.ts'
import { isAnnalsError, type ErrorCode } from '../errors.ts'
import { accountStates } from './account-state.ts'
import { Accounts } from './accounts.ts'
import { readScope } from './scope.ts'
import { bearerOf, clientsOver, tokenFor } from './testing/clients-fixture.ts'
import { by, identityFixture, password } from './testing/identity-fixture.ts'

const session = { actor: 'admin', session: 'session-1' }

function refused(code: ErrorCode) {
  return (error: unknown) => isAnnalsError(error, code)
}

test('an account is made with its profile, and listed without its password', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const [admin, reader] = await accounts.list()
  assert.deepEqual(admin, {
    name: 'admin',
    profile: 'main-administrator',
    createdAt: fixture.clock.wallMicros(),
    passwordChangedAt: fixture.clock.wallMicros(),
    failures: 0,
    lastFailedAt: undefined,
    lockedUntil: undefined,
  })
  assert.equal(reader?.profile, 'user')
})

test('a name that is taken, or breaks the rules, or a weak password makes no account', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const account = { name: 'new', profile: 'user', password } as const
  await assert.rejects(accounts.add({ ...account, name: 'admin' }, by), refused('ACCOUNT_EXISTS'))
  await assert.rejects(accounts.add({ ...account, name: 'a@b' }, by), refused('INVALID_INPUT'))
  await assert.rejects(accounts.add({ ...account, password: 'weak' }, by), refused('INVALID_INPUT'))
  assert.equal((await accounts.list()).length, 2)
})

test('S7: every change is recorded with its code, by whom, and about whom', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  await accounts.setPassword('reader', 'Another-Horse-8', session)
  await accounts.setProfile('reader', 'central-administrator', session)
  await accounts.remove('reader', session)
  await drain(fixture.database, fixture.recorder.record)
  assert.deepEqual(
    fixture.recorder.events.map(({ message }) => message),
    [
      '[Portal|USER|20201|*cli:root] User admin is created',
      '[Portal|USER|20201|*cli:root] User reader is created',
      '[Portal|USER|20203|admin] User reader is created',
      '[Portal|USER|20204|admin] Updated profile of 1 users',
      '[Portal|USER|20202|admin] User reader is removed',
    ],
  )
  for (const { target, session, occurred } of fixture.recorder.events.slice(2)) {
    assert.deepEqual([target, session, occurred], ['reader', 'session-1', fixture.clock.wallMicros()])
  }
})

test('a change names the events that wait to be recorded', async () => {
  await using fixture = await identityFixture()
  const change = await fixture.identity.accounts.setProfile('reader', 'central-administrator', by)
  assert.equal(change.isChanged, true)
  assert.deepEqual(await pending(fixture.database, change.eventIds), change.eventIds)
  await drain(fixture.database, fixture.recorder.record)
  assert.deepEqual(await pending(fixture.database, change.eventIds), [])
})

test('what is so already is no change, and is not recorded', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const before = await accountStates(fixture.database)('reader')
  const nothing = { name: 'reader', isChanged: false, eventIds: [] }
  assert.deepEqual(await accounts.setProfile('reader', 'user', by), nothing)
  assert.deepEqual(await accounts.unlock('reader', by), nothing)
  assert.deepEqual(await accountStates(fixture.database)('reader'), before)
})

test('every change raises the credential version', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const read = accountStates(fixture.database)
  const versions = [(await read('reader'))?.credentialVersion]
  await accounts.setPassword('reader', password, by)
  versions.push((await read('reader'))?.credentialVersion)
  await accounts.setProfile('reader', 'central-administrator', by)
  versions.push((await read('reader'))?.credentialVersion)
  await fixture.database.write
    .insertInto('login_failure')
    .values({ account: 'reader', network: '192.0.2.9', failures: 1 })
    .execute()
  await accounts.unlock('reader', by)
  versions.push((await read('reader'))?.credentialVersion)
  assert.deepEqual(versions, [1, 2, 3, 4])
})

test('an account made anew under an old name is another account', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const read = accountStates(fixture.database)
  const before = await read('reader')
  await accounts.remove('reader', by)
  await accounts.add({ name: 'reader', profile: 'user', password }, by)
  assert.notEqual((await read('reader'))?.id, before?.id)
})

test('a name that is no account is said to be none', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const changes = [
    () => accounts.setPassword('nobody', password, by),
    () => accounts.setProfile('nobody', 'user', by),
    () => accounts.unlock('', by),
    () => accounts.remove('nobody', by),
  ]
  for (const change of changes) await assert.rejects(change(), refused('ACCOUNT_UNKNOWN'))
})

test('the last main administrator can be neither removed nor made less', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  await assert.rejects(accounts.remove('admin', by), refused('ACCOUNT_REFUSED'))
  await assert.rejects(accounts.setProfile('admin', 'user', by), refused('ACCOUNT_REFUSED'))
  await accounts.setProfile('reader', 'main-administrator', by)
  await accounts.remove('admin', by)
  await assert.rejects(accounts.remove('reader', by), refused('ACCOUNT_REFUSED'))
})

test('of two processes that remove the last two main administrators at once, one is refused', async () => {
  await using fixture = await identityFixture()
  await fixture.identity.accounts.setProfile('reader', 'main-administrator', by)
  await using beside = await openDatabase(fixture.database.file)
  const command = new Accounts({
    ...fixture,
    database: beside,
    hostName: 'portal-01',
    readState: accountStates(beside),
  })
  const ends = await Promise.allSettled([
    fixture.identity.accounts.remove('admin', by),
    command.remove('reader', by),
  ])
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.equal((await command.list()).length, 1)
})

test('an account in whose name there are clients is removed only with word of what becomes of them', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const clients = clientsOver(fixture)
  await accounts.setProfile('reader', 'central-administrator', by)
  for (const name of ['siem', 'archive'])
    await clients.add({ name, scopes: [readScope], owner: 'reader' }, by)
  await assert.rejects(accounts.remove('reader', by), {
    code: 'ACCOUNT_REFUSED',
    message:
      'clients were made in the name of "reader": archive, siem; say --keep-clients or --remove-clients',
  })
  assert.equal((await accounts.list()).length, 2)
  // Whoever is given the name next has none of them.
  await accounts.remove('reader', by, 'keep')
  assert.deepEqual(
    (await clients.list()).map(({ owner }) => owner),
    [undefined, undefined],
  )
})

test('S7: clients that are kept go on without an owner, those that are removed end, and each is an entry', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const clients = clientsOver(fixture)
  for (const name of ['anna', 'bert']) {
    await accounts.add({ name, profile: 'central-administrator', password }, by)
  }
  const kept = await clients.add({ name: 'kept', scopes: [readScope], owner: 'anna' }, by)
  const ended = await clients.add({ name: 'ended', scopes: [readScope], owner: 'bert' }, by)
  const tokens = [await tokenFor(fixture, kept), await tokenFor(fixture, ended)] as const
  await drain(fixture.database, fixture.recorder.record)
  const before = fixture.recorder.events.length
  await accounts.remove('anna', by, 'keep')
  await accounts.remove('bert', by, 'remove')
  await bearerOf(fixture, tokens[0])
  await assert.rejects(bearerOf(fixture, tokens[1]), refused('UNAUTHENTICATED'))
  await drain(fixture.database, fixture.recorder.record)
  assert.deepEqual(
    fixture.recorder.events
      .slice(before)
      .filter(({ code }) => code !== '20103')
      .map(({ code, target, details }) => [code, target, details ?? []]),
    [
      ['29055', `client:${kept.clientId}`, [['formerOwner', 'anna']]],
      ['20202', 'anna', []],
      ['29056', `client:${ended.clientId}`, []],
      ['20202', 'bert', []],
    ],
  )
})

test('the owner of a client is the account, however its name is written', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  await accounts.add({ name: 'J\u00f6rg', profile: 'central-administrator', password }, by)
  await clientsOver(fixture).add({ name: 'siem', scopes: [readScope], owner: 'Jo\u0308rg' }, by)
  await assert.rejects(accounts.remove('Jo\u0308rg', by), refused('ACCOUNT_REFUSED'))
  await accounts.remove('Jo\u0308rg', by, 'remove')
  assert.deepEqual(await clientsOver(fixture).list(), [])
})

test('an account is given any profile that there is, and none that there is not', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const message = /^"Admin" is no profile: expected one of main-administrator, central-administrator, user$/
  const account = { name: 'new', profile: 'Admin', password }
  await assert.rejects(accounts.add(account, by), { code: 'INVALID_INPUT', message })
  await assert.rejects(accounts.setProfile('reader', 'Admin', by), { code: 'INVALID_INPUT', message })
  assert.equal((await accounts.list()).length, 2)
})
