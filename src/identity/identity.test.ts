import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { drain } from '../database/outbox.ts'
import { openDatabase } from '../database/database.ts'
import { AnnalsError, isAnnalsError, type ErrorCode } from '../errors.ts'
import { accountStates } from './account-state.ts'
import { Accounts } from './accounts.ts'
import { Hasher } from './hasher.ts'
import { openIdentity } from './identity.ts'
import { parseHash } from './password.ts'
import type { Principal } from './principal.ts'
import { mayReadAll } from './rights.ts'
import {
  basic,
  by,
  cheap,
  identityFixture,
  password,
  place,
  type IdentityFixture,
} from './testing/identity-fixture.ts'

const good = basic('admin', password)
const wrong = basic('admin', 'Wrong-Horse-7')

function logIn({ identity }: IdentityFixture, authorization: string | undefined = good): Promise<Principal> {
  return identity.authenticate({ authorization, source: '192.0.2.1' })
}

function refused(code: ErrorCode) {
  return (error: unknown) => isAnnalsError(error, code)
}

async function fail(
  fixture: IdentityFixture,
  authorization: string | undefined,
  times = 1,
): Promise<AnnalsError[]> {
  const errors: AnnalsError[] = []
  for (let i = 0; i < times; i += 1) {
    const error: unknown = await logIn(fixture, authorization).catch((error: unknown) => error)
    assert.ok(isAnnalsError(error))
    errors.push(error)
  }
  return errors
}

async function failuresOf({ identity }: IdentityFixture, name: string): Promise<number | undefined> {
  return (await identity.accounts.list()).find((account) => account.name === name)?.failures
}

/** How many rows and commits a piece of work wrote. */
async function writesOf({ database }: IdentityFixture, work: () => Promise<unknown>): Promise<number> {
  const total = async () => {
    const { rows } = await sql<{ total: number }>`select total_changes() as total`.execute(database.write)
    return rows[0]?.total ?? NaN
  }
  const before = await total()
  await work()
  return (await total()) - before
}

const reasons = ({ recorder }: IdentityFixture) =>
  recorder.events
    .filter(({ code }) => code === '20103')
    .map(({ eventParams }) => eventParams?.find(([name]) => name === 'reason')?.[1])

test('S1: a local account’s name and password prove it, and its profile says what it may', async () => {
  await using fixture = await identityFixture()
  const admin = await logIn(fixture)
  assert.deepEqual([admin.name, admin.scheme, mayReadAll(admin.rights)], ['admin', 'Basic', true])
  const reader = await logIn(fixture, basic('reader', password))
  assert.deepEqual([reader.name, mayReadAll(reader.rights)], ['reader', false])
})

test('S7: a login is recorded once, with the session that it began, and not at each call', async () => {
  await using fixture = await identityFixture()
  const first = await logIn(fixture)
  const again = await logIn(fixture)
  assert.equal(again.session, first.session)
  assert.deepEqual(fixture.recorder.codes, ['20101'])
  const [event] = fixture.recorder.events
  assert.equal(
    event?.message,
    `[Portal|LOGIN|20101|admin] User admin logged with session id ${first.session}`,
  )
  assert.equal(event.session, first.session)
  fixture.clock.pass(5 * 60_000)
  assert.notEqual((await logIn(fixture)).session, first.session)
  assert.deepEqual(fixture.recorder.codes, ['20101', '20101'])
})

test('S1: cached credentials are not hashed again for five minutes', async () => {
  await using fixture = await identityFixture()
  for (let i = 0; i < 5; i += 1) await logIn(fixture)
  assert.equal(fixture.hasher.verified.length, 1)
  fixture.clock.pass(5 * 60_000)
  await logIn(fixture)
  assert.equal(fixture.hasher.verified.length, 2)
})

test('S1: calls at once with the same credentials share one hash, one login and one session', async () => {
  await using fixture = await identityFixture()
  // The others are settled while the first one's entry is on its way to the disk.
  fixture.recorder.before = () => sleep(20)
  const principals = await Promise.all(Array.from({ length: 50 }, () => logIn(fixture)))
  assert.equal(new Set(principals.map(({ session }) => session)).size, 1)
  assert.equal(fixture.hasher.verified.length, 1)
  assert.deepEqual(fixture.recorder.codes, ['20101'])
})

const changes: Record<string, (fixture: IdentityFixture, accounts: Accounts) => Promise<unknown>> = {
  'a new password': (_, accounts) => accounts.setPassword('admin', 'Another-Horse-8', by),
  'another profile': async (_, accounts) => {
    await accounts.setProfile('reader', 'main-administrator', by)
    return accounts.setProfile('admin', 'user', by)
  },
  removal: async (_, accounts) => {
    await accounts.setProfile('reader', 'main-administrator', by)
    return accounts.remove('admin', by)
  },
  'a lock': (fixture) => fail(fixture, wrong, 5),
  'removal and another account of that name and password': async (_, accounts) => {
    await accounts.setProfile('reader', 'main-administrator', by)
    await accounts.remove('admin', by)
    return accounts.add({ name: 'admin', profile: 'user', password }, by)
  },
}

for (const [name, change] of Object.entries(changes)) {
  test(`cached credentials end at once with ${name}, made in another process`, async () => {
    await using fixture = await identityFixture()
    await logIn(fixture)
    await using database = await openDatabase(fixture.database.file)
    const command = new Accounts({
      ...fixture,
      database,
      hostName: 'portal-01',
      readState: accountStates(database),
    })
    await change(fixture, command)
    const before = fixture.hasher.verified.length
    await logIn(fixture).catch(() => {})
    assert.equal(fixture.hasher.verified.length, before + 1)
  })
}

test('cached credentials end with a lock, whoever wrote it', async () => {
  await using fixture = await identityFixture()
  await logIn(fixture)
  const locked_until = fixture.clock.wallMicros() + 1
  const lock = { account: 'admin', network: '192.0.2.1', failures: 5, locked_until }
  await fixture.database.write.insertInto('login_failure').values(lock).execute()
  await assert.rejects(logIn(fixture), refused('UNAUTHENTICATED'))
})

test('S4: five failures in a row lock the account, and the right password is refused like any other', async () => {
  await using fixture = await identityFixture()
  const errors = [...(await fail(fixture, wrong, 5)), ...(await fail(fixture, good))]
  assert.equal(
    new Set(errors.map(({ code, message, retryAfterSeconds }) => `${code} ${message} ${retryAfterSeconds}`))
      .size,
    1,
  )
  assert.equal(errors[0]?.code, 'UNAUTHENTICATED')
  assert.deepEqual(reasons(fixture), [...Array.from({ length: 5 }, () => 'wrong-password'), 'locked'])
  await drain(fixture.database, fixture.recorder.record)
  assert.equal(fixture.recorder.events.at(-1)?.message, '[Portal|LOGIN|20104|admin] User admin is locked')
  fixture.clock.pass(15 * 60_000)
  assert.equal((await logIn(fixture)).name, 'admin')
  assert.equal(await failuresOf(fixture, 'admin'), 0)
})

test('S4: an account is locked once, however often it is tried then', async () => {
  await using fixture = await identityFixture()
  await fail(fixture, wrong, 12)
  await drain(fixture.database, fixture.recorder.record)
  assert.equal(fixture.recorder.codes.filter((code) => code === '20104').length, 1)
  const [admin] = await fixture.identity.accounts.list()
  assert.equal(admin?.lockedUntil, fixture.clock.wallMicros() + 15 * 60_000_000)
  assert.equal(admin.lastFailedAt, fixture.clock.wallMicros())
})

test('S4: an administrator ends a lock', async () => {
  await using fixture = await identityFixture()
  await fail(fixture, wrong, 5)
  await fixture.identity.accounts.unlock('admin', by)
  assert.equal((await logIn(fixture)).name, 'admin')
})

test('S4: whoever fails from elsewhere locks nobody out where they are at home, nor on the machine itself', async () => {
  await using fixture = await identityFixture()
  const { identity, clock } = fixture
  const from = (source: string, authorization = good) => identity.authenticate({ authorization, source })
  await from('192.0.2.1')
  // For three hours, from ever new addresses, with a lock that is renewed as soon as it has ended.
  for (let minutes = 0; minutes < 180; minutes += 1) {
    await assert.rejects(from(`198.51.100.${minutes}`, wrong), refused('UNAUTHENTICATED'))
    clock.pass(60_000)
    if (minutes % 9 !== 0) continue
    assert.equal((await from('192.0.2.1')).name, 'admin')
    assert.equal((await from('127.0.0.1')).name, 'admin')
    assert.equal((await from('::1')).name, 'admin')
  }
  await assert.rejects(from('203.0.113.5'), refused('UNAUTHENTICATED'))
  await identity.accounts.unlock('admin', by)
  assert.equal((await from('203.0.113.5')).name, 'admin')
})

test('S4: who fails at home is locked out there, and not elsewhere', async () => {
  await using fixture = await identityFixture()
  const from = (source: string, authorization = good) =>
    fixture.identity.authenticate({ authorization, source })
  await from('2001:db8::1')
  for (let i = 0; i < 5; i += 1)
    await assert.rejects(from(`2001:db8::${i}`, wrong), refused('UNAUTHENTICATED'))
  await assert.rejects(from('2001:db8::1'), refused('UNAUTHENTICATED'))
  assert.equal((await from('192.0.2.7')).name, 'admin')
  await drain(fixture.database, fixture.recorder.record)
  const locked = fixture.recorder.events.find(({ code }) => code === '20104')
  assert.deepEqual(locked?.details?.at(-1), ['network', '2001:db8:0:0::/64'])
})

test('S4: an account is at home in the 16 networks that it signed in from last', async () => {
  await using fixture = await identityFixture()
  for (let i = 0; i < 20; i += 1) {
    await fixture.identity.authenticate({ authorization: good, source: `192.0.2.${i}` })
    fixture.clock.pass(1)
  }
  const { rows } = await sql<{
    network: string
  }>`select network from known_network order by last_login_at`.execute(fixture.database.read)
  assert.deepEqual(
    rows.map(({ network }) => network),
    Array.from({ length: 16 }, (_, i) => `192.0.2.${i + 4}`),
  )
  fixture.clock.pass(31 * 86_400_000)
  await fixture.identity.authenticate({ authorization: good, source: '192.0.2.99' })
  const left = await fixture.database.read.selectFrom('known_network').select('network').execute()
  assert.deepEqual(
    left.map(({ network }) => network),
    ['192.0.2.99'],
  )
})

test('S4: a success clears the failures, and a call with cached credentials is no login', async () => {
  await using fixture = await identityFixture()
  await fail(fixture, basic('reader', 'x'), 2)
  await fail(fixture, wrong, 4)
  await logIn(fixture)
  assert.equal(await failuresOf(fixture, 'admin'), 0)
  assert.equal(await failuresOf(fixture, 'reader'), 2)
  await fail(fixture, wrong, 4)
  await logIn(fixture)
  assert.equal(await failuresOf(fixture, 'admin'), 4)
})

test('S4: failures at once are counted exactly, and none slips by', async () => {
  await using fixture = await identityFixture({ lockout: { failures: 20, minutes: 15 } })
  const calls = [wrong, wrong, basic('admin', 'Other-Horse-7'), wrong, basic('admin', 'Third-Horse-7'), wrong]
  const ends = await Promise.allSettled([...calls, ...calls].map((header) => logIn(fixture, header)))
  assert.ok(ends.every(({ status }) => status === 'rejected'))
  assert.equal(await failuresOf(fixture, 'admin'), 12)
})

test('S4: of guesses at once, those behind the one that locks are refused even where they are right', async () => {
  await using fixture = await identityFixture()
  const guesses = [1, 2, 3, 4, 5].map((i) => basic('admin', `Wrong-Horse-${i}`))
  const ends = await Promise.allSettled([...guesses, good].map((header) => logIn(fixture, header)))
  assert.ok(ends.every(({ status }) => status === 'rejected'))
  assert.equal(reasons(fixture).at(-1), 'locked')
})

test('S4: what was verified does not count where the password was replaced meanwhile', async () => {
  await using fixture = await identityFixture()
  fixture.hasher.afterVerify = () => fixture.identity.accounts.setPassword('admin', 'Another-Horse-8', by)
  await assert.rejects(logIn(fixture), refused('UNAUTHENTICATED'))
})

test('S4: what was verified does not count where the account was removed meanwhile, or made anew', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  const reader = basic('reader', password)
  fixture.hasher.afterVerify = () => accounts.remove('reader', by)
  await assert.rejects(logIn(fixture, reader), refused('UNAUTHENTICATED'))
  fixture.hasher.afterVerify = async () => {}
  await accounts.add({ name: 'reader', profile: 'user', password }, by)
  fixture.hasher.afterVerify = async () => {
    await accounts.remove('reader', by)
    await accounts.add({ name: 'reader', profile: 'user', password: 'Another-Horse-8' }, by)
  }
  await assert.rejects(logIn(fixture, reader), refused('UNAUTHENTICATED'))
})

test('a password that was only hashed anew while it was verified is still the right one', async () => {
  await using fixture = await identityFixture()
  const password_hash = await fixture.hasher.hash(password)
  fixture.hasher.afterVerify = () =>
    fixture.database.write.updateTable('account').set({ password_hash }).where('name', '=', 'admin').execute()
  assert.equal((await logIn(fixture)).name, 'admin')
})

test('another profile that was given while the password was verified is the one that counts', async () => {
  await using fixture = await identityFixture()
  const { accounts } = fixture.identity
  fixture.hasher.afterVerify = () => accounts.setProfile('reader', 'central-administrator', by)
  assert.equal(mayReadAll((await logIn(fixture, basic('reader', password))).rights), true)
})

test('S6: unknown, external, locked and wrong are refused in the same words after the same work', async () => {
  await using fixture = await identityFixture()
  await fail(fixture, basic('reader', 'x'), 6)
  await fail(fixture, basic('nobody', 'x'), 1)
  const kinds = {
    'wrong-password': basic('admin', 'Wrong'),
    unknown: basic('nobody', password),
    external: basic('ann@example.com', password),
    locked: basic('reader', password),
  }
  const seen = new Map<string, unknown>()
  for (const [kind, header] of Object.entries(kinds)) {
    const [recorded, hashed] = [fixture.recorder.events.length, fixture.hasher.verified.length]
    let errors: AnnalsError[] = []
    const writes = await writesOf(fixture, async () => {
      errors = await fail(fixture, header)
    })
    const { code, message, detail, retryAfterSeconds } = errors[0] ?? {}
    seen.set(kind, {
      answer: [code, message, detail, retryAfterSeconds],
      hashes: fixture.hasher.verified.slice(hashed),
      entries: fixture.recorder.codes.slice(recorded),
      writes,
    })
    assert.equal(reasons(fixture).at(-1), kind)
  }
  const [first] = seen.values()
  assert.deepEqual(first, {
    answer: ['UNAUTHENTICATED', 'valid credentials of a local account are needed', undefined, undefined],
    hashes: ['$argon2id$v=19$m=64,t=2,p=1'],
    entries: ['20103'],
    writes: 1,
  })
  for (const [kind, work] of seen) assert.deepEqual(work, first, kind)
})

test('S3: Basic refuses an external account', async () => {
  await using fixture = await identityFixture()
  await assert.rejects(logIn(fixture, basic('ann@example.com', password)), refused('UNAUTHENTICATED'))
  assert.deepEqual(reasons(fixture), ['external'])
})

test('S5: where Basic is switched off, nothing is hashed, and nobody gets in', async () => {
  await using fixture = await identityFixture({ basicEnabled: false })
  for (const header of [good, wrong, basic('nobody', 'x'), 'Basic !', undefined]) {
    await assert.rejects(logIn(fixture, header ?? ''), refused('UNAUTHENTICATED'))
  }
  assert.deepEqual(fixture.hasher.verified, [])
  assert.deepEqual(new Set(reasons(fixture)), new Set(['basic-off']))
})

test('S7: calls that present nothing, or nothing that can be read, are recorded as such', async () => {
  await using fixture = await identityFixture()
  for (const header of ['', 'Digest x', 'Basic !!']) await fail(fixture, header)
  assert.deepEqual(reasons(fixture), ['no-credentials', 'other-scheme', 'malformed'])
  assert.deepEqual(new Set(fixture.recorder.events.map(({ target }) => target)), new Set(['(none)']))
  assert.deepEqual(fixture.hasher.verified, [])
})

test('S7: a name that is no account is never recorded in clear, but the same name is recognised', async () => {
  await using fixture = await identityFixture()
  for (const name of ['My-Password-1', 'My-Password-1', 'other', 'ann@example.com'])
    await fail(fixture, basic(name, 'x'))
  const text = JSON.stringify(fixture.recorder.events)
  assert.ok(!/My-Password|other|example/.test(text.replaceAll('other-scheme', '')))
  const names = fixture.recorder.events.map(({ target }) => String(target))
  for (const name of names) assert.match(name, /^\(unknown\) [0-9a-f]{8}$/)
  assert.deepEqual([names[0] === names[1], new Set(names).size], [true, 3])
})

test('S6: names that are no account make no rows, and lock nobody', async () => {
  await using fixture = await identityFixture()
  for (let i = 0; i < 8; i += 1) await fail(fixture, basic(`nobody-${i}`, 'x'))
  await fail(fixture, basic('', 'x'))
  const { rows } = await sql<{ n: number }>`select count(*) as n from login_failure`.execute(
    fixture.database.read,
  )
  assert.equal(rows[0]?.n, 1)
  await drain(fixture.database, fixture.recorder.record)
  assert.ok(!fixture.recorder.codes.includes('20104'))
  assert.equal((await logIn(fixture)).name, 'admin')
})

test('E9: where too many passwords wait, a call is refused before hashing, and recorded as busy', async () => {
  await using fixture = await identityFixture()
  const calls = Array.from({ length: 12 }, (_, i) => logIn(fixture, basic(`nobody-${i}`, 'x')))
  const ends = await Promise.allSettled([...calls, logIn(fixture)])
  const busy = ends.filter(
    (end) => end.status === 'rejected' && isAnnalsError(end.reason, 'TOO_MANY_REQUESTS'),
  )
  assert.equal(busy.length, 6)
  assert.equal(reasons(fixture).filter((reason) => reason === 'busy').length, 6)
  assert.equal(await failuresOf(fixture, 'admin'), 0)
})

test('E9: strangers leave room to be hashed for whoever is at home', async () => {
  await using fixture = await identityFixture()
  await logIn(fixture)
  fixture.clock.pass(5 * 60_000)
  const strangers = Array.from({ length: 12 }, (_, i) => logIn(fixture, basic(`nobody-${i}`, 'x')))
  const atHome = logIn(fixture)
  await Promise.allSettled(strangers)
  assert.equal((await atHome).name, 'admin')
})

test('E9: a network, and a name from elsewhere, can only be tried so often, before anything is hashed', async () => {
  await using fixture = await identityFixture({ lockout: { failures: 1000, minutes: 15 } })
  const from = (source: string, authorization: string) =>
    fixture.identity.authenticate({ authorization, source })
  const isLimited = async (source: string, authorization: string) => {
    const error: unknown = await from(source, authorization).catch((error: unknown) => error)
    return isAnnalsError(error, 'TOO_MANY_REQUESTS')
  }
  await from('192.0.2.1', good)
  // The name, from ever new addresses.
  let refusals = 0
  for (let i = 0; i < 25; i += 1) refusals += Number(await isLimited(`198.51.100.${i}`, wrong))
  assert.equal(refusals, 5)
  const hashed = fixture.hasher.verified.length
  const error: unknown = await from('203.0.113.1', good).catch((error: unknown) => error)
  assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS') && error.retryAfterSeconds === 3)
  assert.equal(fixture.hasher.verified.length, hashed)
  // At home it is a limit of its own.
  await assert.rejects(from('192.0.2.1', wrong), refused('UNAUTHENTICATED'))
  // One network, with ever new names.
  refusals = 0
  for (let i = 0; i < 105; i += 1) refusals += Number(await isLimited('203.0.113.7', basic(`n${i}`, 'x')))
  assert.equal(refusals, 5)
  // Each refusal is in one entry or counted in one, and each limit is recorded once.
  await fixture.identity.close()
  const limits = fixture.recorder.events.filter(({ code }) => code === '29058')
  assert.deepEqual(
    limits.map(({ eventParams }) => eventParams?.find(([name]) => name === 'limit')?.[1]),
    ['name', 'network'],
  )
  const summary = fixture.recorder.events.find(({ code }) => code === '29004')
  const counted = Number(/rate-limited: (\d+)/.exec(String(summary?.message))?.[1])
  assert.equal(reasons(fixture).filter((reason) => reason === 'rate-limited').length + counted, 11)
})

test('I9: where there is no room to record a login, it goes on', async () => {
  await using fixture = await identityFixture()
  fixture.recorder.refusesWith = 'STORAGE_FULL'
  assert.equal((await logIn(fixture)).name, 'admin')
  await assert.rejects(logIn(fixture, wrong), refused('UNAUTHENTICATED'))
  fixture.recorder.refusesWith = undefined
})

test('S7: a login that cannot be recorded for another reason is none, and is not remembered', async () => {
  await using fixture = await identityFixture()
  fixture.recorder.refusesWith = 'OUTCOME_UNKNOWN'
  await assert.rejects(logIn(fixture), refused('OUTCOME_UNKNOWN'))
  fixture.recorder.refusesWith = undefined
  await logIn(fixture)
  assert.deepEqual(fixture.recorder.codes, ['20101'])
})

test('a database that fails is an error for everyone, and lets nobody in', async () => {
  await using fixture = await identityFixture()
  await logIn(fixture)
  await fixture.database.close()
  for (const header of [good, basic('reader', password), wrong]) {
    await assert.rejects(logIn(fixture, header), (error) => !isAnnalsError(error, 'UNAUTHENTICATED'))
  }
})

test('S4: where a failure cannot be counted, the database’s error is told, not a refusal', async () => {
  await using fixture = await identityFixture()
  await sql`pragma query_only = 1`.execute(fixture.database.write)
  await assert.rejects(logIn(fixture, wrong), refused('UNAVAILABLE'))
  await sql`pragma query_only = 0`.execute(fixture.database.write)
})

test('a password that was hashed more cheaply is hashed anew at the next login, and stays valid', async () => {
  await using fixture = await identityFixture()
  const parameters = { ...cheap, memory: 256 }
  await using hasher = new Hasher({ parameters })
  await using identity = openIdentity({
    database: fixture.database,
    record: fixture.recorder.record,
    clock: fixture.clock,
    hostName: 'portal-01',
    hasher,
    options: { lockout: { failures: 5, minutes: 15 }, basicEnabled: true, tokenSeconds: 900 },
    place: () => place,
    others: { has: () => false, authenticate: () => Promise.reject(new Error('no other issuer')) },
    engines: fixture.engines,
  })
  const claim = { authorization: good, source: '192.0.2.1' }
  const read = accountStates(fixture.database)
  const before = await read('admin')
  const principals = await Promise.all([1, 2, 3].map(() => identity.authenticate(claim)))
  const after = await read('admin')
  assert.deepEqual(parseHash(before?.passwordHash ?? '').parameters, cheap)
  assert.deepEqual(parseHash(after?.passwordHash ?? '').parameters, parameters)
  assert.equal(after?.credentialVersion, before?.credentialVersion)
  principals.push(await identity.authenticate(claim))
  assert.equal(new Set(principals.map(({ session }) => session)).size, 1)
  fixture.clock.pass(5 * 60_000)
  assert.equal((await identity.authenticate(claim)).name, 'admin')
})

test('a stored password that cannot be read lets nobody in', async () => {
  await using fixture = await identityFixture()
  await fixture.database.write.updateTable('account').set({ password_hash: 'plain' }).execute()
  await assert.rejects(logIn(fixture), refused('INTERNAL'))
})
