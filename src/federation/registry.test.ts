import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAnnalsError, type ErrorCode } from '../errors.ts'
import { joinTokenKeptMicros, joinTokenMicros } from '../limits.ts'
import { makeCertificate } from './certificate.ts'
import { shownState } from './engine.ts'
import { hashOf, macOf, renderRequest } from './enrolment.ts'
import { parseToken } from './join-token.ts'
import {
  by,
  node,
  portalName,
  registryFixture,
  type RegistryFixture,
  requestOf,
} from './testing/registry-fixture.ts'

const engine = await node('engine-01.example.com')
const reinstalled = await node('engine-01.example.com')
const second = await node('engine-02')

test('an engine joins with a token, and both sides know each other then', async () => {
  await using fixture = await registryFixture()
  const { registry, portal, clock } = fixture
  const joined = await fixture.join(engine)
  assert.equal(joined.isNew, true)
  assert.deepEqual({ ...joined.answer, nonce: '', request: '' }, { ...portal, nonce: '', request: '' })
  assert.deepEqual(await registry.list(), [
    {
      id: 1,
      ...engine,
      state: 'CONNECTING',
      address: 'engine-01.example.com:8443',
      stateAt: clock.now,
      joinedAt: clock.now,
      nextCertificate: undefined,
      portalCertificate: portal.certificate.fingerprint,
      nextPortalCertificate: undefined,
      lastContact: undefined,
      unreachable: undefined,
      described: undefined,
    },
  ])
})

test('a token, an engine and what becomes of it are recorded, with what tells one engine from another', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  const { token, id } = await registry.makeToken({}, by)
  await fixture.join(engine, token)
  await registry.noteConnected(1)
  await registry.disconnect('engine-01', by)
  await registry.reconnect('engine-01', by)
  assert.deepEqual(await messages(fixture), [
    `[Portal|AUDIT|29041|*cli:root] Token ${id} made, with which any engine can join until 2026-01-01T00:30:00.000000Z`,
    '[Portal|20701|*cli:root] Engine added',
    '[Portal|20703|*system] Engine connected',
    '[Portal|20704|*cli:root] Engine disconnected',
    '[Portal|AUDIT|29042|*cli:root] Engine engine-01.example.com is to be connected again',
  ])
  const [, added, ...others] = fixture.recorder.events
  assert.deepEqual(added?.eventParams, [
    ['engine', 'engine-01.example.com'],
    ['log', engine.log],
    ['key', engine.logKey],
    ['keys', engine.keys],
    ['certificate', engine.certificate.fingerprint],
    ['address', 'engine-01.example.com:8443'],
    ['token', id],
  ])
  for (const { target, hostName } of others)
    assert.deepEqual([target, hostName], ['engine/engine-01.example.com', portalName])
})

test('keys that an engine tells anew are taken where one of those known is among them, and are an entry', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  // One that joined before there were such keys.
  const { keys = '', ...older } = engine
  await fixture.join(older)
  assert.equal((await registry.list())[0]?.keys, undefined)
  const stranger = await node('engine-01.example.com')
  await assert.rejects(registry.noteKeys(1, stranger.keys ?? ''), { code: 'INVALID_INPUT' })
  await assert.rejects(registry.noteKeys(1, second.keys ?? ''), { code: 'INVALID_INPUT' })
  assert.deepEqual([await registry.noteKeys(1, keys), await registry.noteKeys(1, keys)], [true, false])
  assert.equal((await registry.list())[0]?.keys, keys)
  const told = (await messages(fixture)).filter((message) => message.includes('|29084|'))
  assert.deepEqual(told, [
    `[Portal|AUDIT|29084|*system] Log ${engine.log} of engine-01.example.com is known by other keys from now on`,
  ])
})

test('the secret of a token is neither in the database nor in what is recorded', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  const { key } = parseToken(token)
  await fixture.join(engine, token)
  const secret = token.split('.')[1] ?? ''
  const rows = JSON.stringify(await fixture.database.read.selectFrom('engine_token').selectAll().execute())
  const events = JSON.stringify(await fixture.database.read.selectFrom('outbox').selectAll().execute())
  assert.ok(!rows.includes(secret) && !rows.includes(Buffer.from(secret, 'base64url').toString('hex')))
  assert.ok(!events.includes(secret) && !events.includes(key.toString('hex')))
})

test('a token is good for one engine', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  await fixture.join(engine, token)
  for (const other of [second, reinstalled, { ...engine, address: '10.0.0.7:8443' }])
    await assert.rejects(fixture.join(other, token), refused('JOIN_REFUSED', /used already/))
  assert.equal((await fixture.registry.list()).length, 1)
})

test('the very same join is answered again until the token expires, and recorded once', async () => {
  await using fixture = await registryFixture()
  const { registry, clock } = fixture
  const { token } = await registry.makeToken({}, by)
  await fixture.join(engine, token)
  const before = await registry.list()
  clock.pass(joinTokenMicros - 1)
  const again = await fixture.join(engine, token)
  assert.equal(again.isNew, false)
  assert.equal(again.answer.certificate.fingerprint, fixture.portal.certificate.fingerprint)
  assert.deepEqual(await registry.list(), before)
  assert.equal((await messages(fixture)).length, 2)
  clock.pass(1)
  await assert.rejects(
    fixture.join(engine, token),
    refused('JOIN_REFUSED', /has expired.*annals engines token/),
  )
})

test('a replayed join does not undo what came after it', async () => {
  await using fixture = await registryFixture()
  const { registry, portal } = fixture
  const { token } = await registry.makeToken({}, by)
  const { key, id } = parseToken(token)
  const body = renderRequest(requestOf(engine, id))
  const replay = () => registry.enrol(body, macOf(key, 'engine', body), portal)
  assert.equal((await replay()).isNew, true)
  await registry.noteConnected(1)
  assert.equal((await replay()).isNew, false)
  assert.equal((await registry.find('engine-01')).state, 'CONNECTED')
  await registry.disconnect('engine-01', by)
  await assert.rejects(replay(), refused('JOIN_REFUSED', /used already/))
  assert.equal((await registry.findAny('engine-01')).state, 'DISCONNECTED')
  await registry.reconnect('engine-01', by)
  const replacing = await registry.makeToken({ hostName: 'engine-01', mayReplace: true }, by)
  await fixture.join(reinstalled, replacing.token)
  await assert.rejects(replay(), refused('JOIN_REFUSED', /used already/))
  assert.equal((await registry.find('engine-01')).log, reinstalled.log)
})

test('a join is not answered again with another certificate of the portal than the first time', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  await fixture.join(engine, token)
  const { key, id } = parseToken(token)
  const body = renderRequest(requestOf(engine, id))
  const portal = {
    ...fixture.portal,
    certificate: (await makeCertificate(portalName, fixture.clock.now)).certificate,
  }
  await assert.rejects(
    fixture.registry.enrol(body, macOf(key, 'engine', body), portal),
    refused('JOIN_REFUSED', /used already/),
  )
})

test('a token that there is not and a secret that is wrong are refused alike', async () => {
  await using fixture = await registryFixture()
  const { token, id } = await fixture.registry.makeToken({}, by)
  const wrong = `${id}.${randomBytes(32).toString('base64url')}`
  const unknown = `${'0'.repeat(16)}${token.slice(16)}`
  for (const text of [wrong, unknown])
    await assert.rejects(
      fixture.join(engine, text),
      refused('JOIN_REFUSED', /^this token is not valid here$/),
    )
  // Also where the token is used or expired: only who has the secret is told more.
  await fixture.join(engine, token)
  fixture.clock.pass(joinTokenMicros)
  await assert.rejects(fixture.join(engine, wrong), refused('JOIN_REFUSED', /^this token is not valid here$/))
})

test('what is changed between engine and portal is refused', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  const { key, id } = parseToken(token)
  const body = renderRequest(requestOf(engine, id))
  const mac = macOf(key, 'engine', body)
  const meddled = renderRequest(requestOf({ ...engine, address: 'evil.example:8443' }, id))
  await assert.rejects(fixture.registry.enrol(meddled, mac, fixture.portal), refused('JOIN_REFUSED'))
  await assert.rejects(fixture.registry.enrol(body, '', fixture.portal), refused('JOIN_REFUSED'))
  await assert.rejects(
    fixture.registry.enrol(Buffer.from('{}'), mac, fixture.portal),
    refused('INVALID_INPUT', /JSON|token/),
  )
  assert.deepEqual(await fixture.registry.list(), [])
})

test('an answer is bound to its request', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  const [first, again] = [await fixture.join(engine, token), await fixture.join(engine, token)]
  assert.notEqual(first.answer.request, again.answer.request)
  assert.notEqual(first.answer.nonce, again.answer.nonce)
  const { id } = parseToken(token)
  assert.match(first.answer.request, /^[0-9a-f]{64}$/)
  assert.notEqual(first.answer.request, hashOf(renderRequest(requestOf(engine, id))))
})

test('a token for one host name is good for no other', async () => {
  await using fixture = await registryFixture()
  const { token, hostName } = await fixture.registry.makeToken({ hostName: 'Engine-02' }, by)
  assert.equal(hostName, 'engine-02')
  await assert.rejects(fixture.join(engine, token), refused('JOIN_REFUSED', /for the engine engine-02 only/))
  assert.equal((await fixture.join(second, token)).isNew, true)
})

test('a token is not made for what is no host name, nor for the portal itself', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  for (const hostName of ['engine_01', '', portalName.toUpperCase()])
    await assert.rejects(registry.makeToken({ hostName }, by), refused('INVALID_INPUT'))
  await assert.rejects(registry.makeToken({ mayReplace: true }, by), refused('INVALID_INPUT'))
  await assert.rejects(
    registry.makeToken({ hostName: 'engine-01', mayReplace: true }, by),
    refused('UNKNOWN_ENGINE', /annals engines list/),
  )
  assert.deepEqual(await messages(fixture), [])
})

test('an engine with the name of its portal is refused', async () => {
  await using fixture = await registryFixture()
  await assert.rejects(fixture.join(await node(portalName)), refused('JOIN_REFUSED', /portal's own name/))
})

test('an engine whose certificate is not valid at the portal is refused', async () => {
  await using fixture = await registryFixture()
  const future = await node('engine-01', fixture.clock.now + 30 * 86_400_000_000)
  await assert.rejects(fixture.join(future), refused('JOIN_REFUSED', /clocks/))
})

test('a second engine of a host name is refused while the first is connected', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  const expected = refused(
    'ENGINE_EXISTS',
    /annals engines disconnect .*annals engines token --replace engine-01/,
  )
  await assert.rejects(fixture.join(reinstalled), expected)
  await registry.noteConnected(1)
  await assert.rejects(fixture.join(reinstalled), expected)
  await assert.rejects(fixture.join({ ...engine, address: '10.0.0.7:8443' }), expected)
  assert.equal((await registry.find('engine-01')).log, engine.log)
})

test('a token whose join was refused is still good', async () => {
  await using fixture = await registryFixture()
  await fixture.join(engine)
  const { token } = await fixture.registry.makeToken({}, by)
  await assert.rejects(fixture.join(reinstalled, token), refused('ENGINE_EXISTS'))
  await fixture.registry.disconnect('engine-01', by)
  assert.equal((await fixture.join(reinstalled, token)).isNew, true)
})

test('an engine takes the place of one that was disconnected, and both acts are recorded', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  await registry.disconnect('engine-01', by)
  await fixture.join(reinstalled)
  const [only, ...others] = await registry.list()
  assert.deepEqual([only?.log, only?.state, only?.id, others], [reinstalled.log, 'CONNECTING', 2, []])
  assert.deepEqual(await logsOf(fixture, '20702'), [engine.log])
  assert.deepEqual(await logsOf(fixture, '20701'), [engine.log, reinstalled.log])
})

test('a token that may replace lets a reinstalled engine take its old place', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  await registry.noteConnected(1)
  const { token, hostName } = await registry.makeToken({ hostName: 'ENGINE-01', mayReplace: true }, by)
  assert.equal(hostName, 'engine-01.example.com')
  await assert.rejects(fixture.join(second, token), refused('JOIN_REFUSED', /for the engine engine-01/))
  await fixture.join(reinstalled, token)
  assert.equal((await registry.find('engine-01')).log, reinstalled.log)
  assert.deepEqual(await logsOf(fixture, '20702'), [engine.log])
})

test('an engine that lost the answer joins anew as it was, with a new token', async () => {
  await using fixture = await registryFixture()
  await fixture.join(engine)
  await fixture.registry.noteConnected(1)
  assert.equal((await fixture.join(engine)).isNew, true)
  assert.equal((await fixture.registry.find('engine-01')).state, 'CONNECTING')
  assert.deepEqual(await logsOf(fixture, '20702'), [])
})

test('of two joins with one token at once, one wins', async () => {
  await using fixture = await registryFixture()
  const { token } = await fixture.registry.makeToken({}, by)
  const outcomes = await Promise.allSettled(
    [engine, second, reinstalled].map((node) => fixture.join(node, token)),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await fixture.registry.list()).length, 1)
})

test('A6: a disconnected engine is not read, and a reconnected one is', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  await fixture.join(second)
  await registry.disconnect('ENGINE-01', by)
  assert.deepEqual(await connectedNames(fixture), ['engine-02'])
  await assert.rejects(registry.find('engine-01'), refused('UNKNOWN_ENGINE', /is connected$/))
  assert.equal((await registry.findAny('engine-01')).hostName, 'engine-01.example.com')
  await registry.reconnect('engine-01', by)
  assert.deepEqual(await connectedNames(fixture), ['engine-01.example.com', 'engine-02'])
  assert.equal((await registry.find('Engine-01')).state, 'CONNECTING')
})

test('A2: a disconnected engine does not make a short name mean two', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  await fixture.join(await node('engine-01.example.org'))
  await assert.rejects(
    registry.find('engine-01'),
    refused('UNKNOWN_ENGINE', /engine-01\.example\.com, engine-01\.example\.org/),
  )
  await assert.rejects(registry.disconnect('engine-01', by), refused('UNKNOWN_ENGINE'))
  await registry.disconnect('engine-01.example.com', by)
  assert.equal((await registry.find('engine-01')).hostName, 'engine-01.example.org')
})

test('A3: engines come in order of host name, by code units', async () => {
  await using fixture = await registryFixture()
  for (const name of ['e10', 'e-1', 'e1.b', 'e1', 'a']) await fixture.join(await node(name))
  const names = await connectedNames(fixture)
  assert.deepEqual(names, ['a', 'e-1', 'e1', 'e1.b', 'e10'])
  assert.deepEqual(names, names.toSorted())
})

test('what is so already is no change, and is not recorded', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  const name = engine.hostName
  const nothing = { name, isChanged: false, eventIds: [] }
  assert.deepEqual(await registry.reconnect('engine-01', by), nothing)
  assert.equal((await registry.disconnect('engine-01', by)).isChanged, true)
  assert.deepEqual(await registry.disconnect('engine-01', by), nothing)
  assert.equal(await registry.noteConnected(1), false)
  assert.equal((await registry.findAny('engine-01')).state, 'DISCONNECTED')
  await registry.reconnect('engine-01', by)
  assert.deepEqual([await registry.noteConnected(1), await registry.noteConnected(1)], [true, false])
  assert.equal((await messages(fixture)).filter((line) => line.includes('|20703|')).length, 1)
})

test('an engine that stops answering is unreachable, since when and why, and is told of once', async () => {
  await using fixture = await registryFixture()
  const { registry, clock } = fixture
  await fixture.join(engine)
  const since = clock.now
  for (const failure of ['connection refused', 'connection refused', 'timed out']) {
    await registry.noteContacts([{ engine: 1, at: clock.now, failure }])
    clock.pass(10_000_000)
  }
  const unreachable = await registry.find('engine-01')
  assert.deepEqual(unreachable.unreachable, { since, reason: 'timed out' })
  assert.equal(shownState(unreachable), 'UNREACHABLE')
  await registry.noteContacts([{ engine: 1, at: clock.now }])
  const answering = await registry.find('engine-01')
  assert.deepEqual([shownState(answering), answering.lastContact], ['CONNECTING', clock.now])
  assert.deepEqual((await messages(fixture)).slice(2), [
    '[Portal|AUDIT|29043|*system] Engine engine-01.example.com is unreachable - connection refused',
    '[Portal|AUDIT|29044|*system] Engine engine-01.example.com answers again after 30 seconds',
  ])
})

test('what an engine says of itself is kept', async () => {
  await using fixture = await registryFixture()
  await fixture.join(engine)
  const described = { logSize: 7, logBytes: 700, lastEntryAt: 5, version: '0.1.0', clockOffsetMicros: -12 }
  const { now } = fixture.clock
  await fixture.registry.noteContacts([{ engine: 1, at: now, described }])
  assert.deepEqual((await fixture.registry.find('engine-01')).described, described)
  await fixture.registry.noteContacts([{ engine: 1, at: now + 1 }])
  const later = await fixture.registry.find('engine-01')
  assert.deepEqual([later.described, later.lastContact], [described, now + 1])
})

test('a clock that differs by more than a second is told of once, until it agrees again', async () => {
  await using fixture = await registryFixture()
  await fixture.join(engine)
  for (const offset of [1_000_000, -2_500_000, -3_000_000, 0, 1_000_001]) {
    const described = {
      logSize: 0,
      logBytes: 0,
      lastEntryAt: undefined,
      version: '0.1.0',
      clockOffsetMicros: offset,
    }
    await fixture.registry.noteContacts([{ engine: 1, at: fixture.clock.now, described }])
  }
  assert.deepEqual((await messages(fixture)).slice(2), [
    '[Portal|AUDIT|29045|*system] Clock of engine engine-01.example.com differs by -2500 ms',
    '[Portal|AUDIT|29045|*system] Clock of engine engine-01.example.com differs by 1000 ms',
  ])
})

test('contacts of engines that are disconnected, replaced or unknown change nothing', async () => {
  await using fixture = await registryFixture()
  const { registry, clock } = fixture
  await fixture.join(engine)
  await registry.disconnect('engine-01', by)
  const contacts = [1, 99].map((engine) => ({ engine, at: clock.now, failure: 'timed out' }))
  await registry.noteContacts(contacts)
  assert.equal((await registry.findAny('engine-01')).unreachable, undefined)
  await fixture.join(reinstalled)
  await registry.noteContacts(contacts)
  assert.equal((await registry.find('engine-01')).unreachable, undefined)
})

test('an engine that is disconnected or connected again is no longer unreachable', async () => {
  await using fixture = await registryFixture()
  const { registry, clock } = fixture
  await fixture.join(engine)
  await registry.noteContacts([{ engine: 1, at: clock.now, failure: 'timed out' }])
  await registry.disconnect('engine-01', by)
  assert.equal(shownState(await registry.findAny('engine-01')), 'DISCONNECTED')
})

test('an engine’s next certificate is trusted beside the old one until it is shown', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  const { certificate: next } = await makeCertificate(engine.hostName, fixture.clock.now)
  const anna = { actor: '*cli:anna' }
  assert.equal(await registry.noteNextCertificate(1, next.pem, anna), true)
  assert.equal(await registry.noteNextCertificate(1, next.pem, anna), false)
  const both = await registry.find('engine-01')
  assert.deepEqual([both.certificate, both.nextCertificate], [engine.certificate, next])
  assert.equal(await registry.promoteCertificate(1, engine.certificate.fingerprint), false)
  assert.equal(await registry.promoteCertificate(1, next.fingerprint), true)
  assert.equal(await registry.promoteCertificate(1, next.fingerprint), false)
  // What was announced and is shown is not announced again.
  assert.equal(await registry.noteNextCertificate(1, next.pem, anna), false)
  const after = await registry.find('engine-01')
  assert.deepEqual([after.certificate, after.nextCertificate], [next, undefined])
  assert.deepEqual((await messages(fixture)).slice(2), [
    `[Portal|AUDIT|29046|*cli:anna] Next TLS certificate ${next.fingerprint} of ${engine.hostName} is held by ${portalName}`,
    `[Portal|AUDIT|29047|*system] TLS certificate of ${engine.hostName} is ${next.fingerprint} from now on`,
  ])
})

test('an engine cannot announce a certificate of another name', async () => {
  await using fixture = await registryFixture()
  await fixture.join(engine)
  await assert.rejects(
    fixture.registry.noteNextCertificate(1, second.certificate.pem, by),
    refused('INVALID_INPUT', /another host name/),
  )
})

test('which certificates of the portal an engine holds is kept, and told of when it holds the next one', async () => {
  await using fixture = await registryFixture()
  const { registry } = fixture
  await fixture.join(engine)
  const [old, next] = [fixture.portal.certificate.fingerprint, 'ab'.repeat(32)]
  assert.equal(await registry.noteHeldPortalCertificate(1, old, undefined), false)
  assert.equal(await registry.noteHeldPortalCertificate(1, old, next, by), true)
  assert.equal(await registry.noteHeldPortalCertificate(1, old, next, by), false)
  assert.equal(await registry.noteHeldPortalCertificate(1, next, undefined), true)
  const { portalCertificate, nextPortalCertificate } = await registry.find('engine-01')
  assert.deepEqual([portalCertificate, nextPortalCertificate], [next, undefined])
  assert.deepEqual((await messages(fixture)).slice(2), [
    `[Portal|AUDIT|29046|*cli:root] Next TLS certificate ${next} of ${portalName} is held by ${engine.hostName}`,
  ])
})

test('expired tokens are forgotten in the end', async () => {
  await using fixture = await registryFixture()
  const { registry, clock, database } = fixture
  await registry.makeToken({}, by)
  clock.pass(joinTokenMicros + joinTokenKeptMicros + 1)
  const { id } = await registry.makeToken({}, by)
  const left = await database.read.selectFrom('engine_token').select('id').execute()
  assert.deepEqual(
    left.map((row) => row.id),
    [id],
  )
})

function refused(code: ErrorCode, message = /./) {
  return (error: unknown) => {
    assert.ok(isAnnalsError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }
}

async function messages(fixture: RegistryFixture): Promise<string[]> {
  await fixture.drain()
  return fixture.recorder.events.map(({ message }) => String(message))
}

async function connectedNames({ registry }: RegistryFixture): Promise<string[]> {
  return (await registry.connected()).map(({ hostName }) => hostName)
}

async function logsOf(fixture: RegistryFixture, code: string): Promise<(string | undefined)[]> {
  await fixture.drain()
  return fixture.recorder.events
    .filter((event) => event.code === code)
    .map(({ eventParams }) => eventParams?.find(([name]) => name === 'log')?.[1])
}
