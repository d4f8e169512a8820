import assert from 'node:assert/strict'
import { createPublicKey, createSign, createVerify } from 'node:crypto'
import { test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { drain } from '../database/outbox.ts'
import { temporaryDatabase, type TemporaryDatabase } from '../database/testing/temporary-database.ts'
import { RecorderDouble } from '../database/testing/recorder-double.ts'
import { accessTokenMostSeconds, tokenKeyBits } from '../limits.ts'
import { ClockDouble } from './testing/clock-double.ts'
import { by } from './testing/identity-fixture.ts'
import { TokenKeys } from './token-keys.ts'

const days = 86_400_000

function keysOver(database: TemporaryDatabase, clock = new ClockDouble()): TokenKeys {
  return new TokenKeys({ database, clock, hostName: 'portal-01' })
}

async function published(keys: TokenKeys): Promise<(string | undefined)[]> {
  return (await keys.jwks()).keys.map(({ kid }) => kid)
}

test('the first use makes a key that signs, and the one that is next, and both are published', async () => {
  await using database = await temporaryDatabase()
  const keys = keysOver(database)
  const { kid, key } = await keys.signer()
  assert.deepEqual((await keys.list()).map(({ state }) => state).toSorted(), ['current', 'next'])
  assert.ok((await published(keys)).includes(kid))
  assert.equal((await published(keys)).length, 2)
  const signature = createSign('sha256').update('x').sign(key)
  const verifier = await keys.verifier(kid)
  assert.ok(verifier !== undefined)
  assert.ok(createVerify('sha256').update('x').verify(verifier, signature))
})

test('a published key is public, of 2,048 bits, and named by its thumbprint', async () => {
  await using database = await temporaryDatabase()
  for (const jwk of (await keysOver(database).jwks()).keys) {
    assert.deepEqual(Object.keys(jwk).toSorted(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
    assert.equal(jwk.kid, await calculateJwkThumbprint(jwk))
    assert.deepEqual([jwk.alg, jwk.use], ['RS256', 'sig'])
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    assert.equal(asymmetricKeyDetails?.modulusLength, tokenKeyBits)
  }
})

test('the first keys are made once, by however many calls and processes they are asked for', async () => {
  await using database = await temporaryDatabase()
  const [one, other] = [keysOver(database), keysOver(database)]
  const signers = await Promise.all([one.signer(), one.signer(), other.signer()])
  assert.equal(new Set(signers.map(({ kid }) => kid)).size, 1)
  assert.equal((await one.list()).length, 2)
})

test('a rotation lets the next key sign, and keeps the old one to verify, without its private half', async () => {
  await using database = await temporaryDatabase()
  const clock = new ClockDouble()
  const keys = keysOver(database, clock)
  const old = await keys.signer()
  const next = (await keys.list()).find(({ state }) => state === 'next')
  clock.pass(1000)
  const { kid } = await keys.rotate(by, 'command')
  assert.equal(kid, next?.kid)
  assert.equal((await keys.signer()).kid, kid)
  assert.ok((await keys.verifier(old.kid)) !== undefined)
  assert.ok((await published(keys)).includes(old.kid))
  const rows = await database.read.selectFrom('token_key').select(['state', 'private_key']).execute()
  assert.deepEqual(rows.map((row) => `${row.state}: ${row.private_key !== null}`).toSorted(), [
    'current: true',
    'next: true',
    'retired: false',
  ])
})

test('a rotation is recorded, with who ordered it and why', async () => {
  await using database = await temporaryDatabase()
  const recorder = new RecorderDouble()
  const { kid, eventIds } = await keysOver(database).rotate(by, 'command')
  await drain(database, recorder.record)
  const [event] = recorder.events
  assert.deepEqual([event?.code, event?.actor, event?.target], ['29057', by.actor, `token-key/${kid}`])
  assert.deepEqual(event?.eventParams, [
    ['key', kid],
    ['reason', 'command'],
  ])
  assert.deepEqual(eventIds, [event?.id])
})

test('what another process rotates counts at the next use', async () => {
  await using database = await temporaryDatabase()
  const [server, command] = [keysOver(database), keysOver(database)]
  const before = await server.signer()
  const { kid } = await command.rotate(by, 'command')
  assert.notEqual(before.kid, kid)
  assert.equal((await server.signer()).kid, kid)
  await command.rotate(by, 'stolen')
  assert.equal(await server.verifier(before.kid), undefined)
  assert.equal(await server.verifier(kid), undefined)
})

test('where a key was stolen, every key is replaced and none of the old ones verifies', async () => {
  await using database = await temporaryDatabase()
  const keys = keysOver(database)
  await keys.rotate(by, 'command')
  const before = await keys.list()
  const { kid } = await keys.rotate(by, 'stolen')
  const after = await keys.list()
  assert.deepEqual(after.map(({ state }) => state).toSorted(), ['current', 'next'])
  assert.equal((await keys.signer()).kid, kid)
  for (const old of before) {
    assert.equal(await keys.verifier(old.kid), undefined)
    assert.ok(!after.some((key) => key.kid === old.kid))
  }
})

test('a retired key is published until its last token can have expired, and is then forgotten', async () => {
  await using database = await temporaryDatabase()
  const clock = new ClockDouble()
  const keys = keysOver(database, clock)
  const { kid: old } = await keys.signer()
  await keys.rotate(by, 'command')
  clock.pass(accessTokenMostSeconds * 1000 - 1)
  assert.ok((await published(keys)).includes(old))
  clock.pass(2)
  assert.ok(!(await published(keys)).includes(old))
  await keys.rotate(by, 'command')
  assert.equal(await keys.verifier(old), undefined)
})

test('a key is replaced by age once it has signed for so long, in the name of the node', async () => {
  await using database = await temporaryDatabase()
  const [clock, recorder] = [new ClockDouble(), new RecorderDouble()]
  const keys = keysOver(database, clock)
  assert.equal(await keys.rotateWhenOlderThan(90 * days * 1000), false, 'where there is none')
  const { kid } = await keys.signer()
  clock.pass(90 * days - 1)
  assert.equal(await keys.rotateWhenOlderThan(90 * days * 1000), false)
  assert.equal((await keys.signer()).kid, kid)
  clock.pass(1)
  assert.equal(await keys.rotateWhenOlderThan(90 * days * 1000), true)
  assert.notEqual((await keys.signer()).kid, kid)
  assert.equal(await keys.rotateWhenOlderThan(90 * days * 1000), false, 'the new one has only begun')
  await drain(database, recorder.record)
  assert.deepEqual(
    recorder.events.map(({ code, actor, eventParams }) => [code, actor, eventParams?.[1]]),
    [['29057', '*system', ['reason', 'age']]],
  )
})

test('a rotation that cannot be written changes nothing', async () => {
  await using database = await temporaryDatabase()
  const keys = keysOver(database)
  const { kid } = await keys.signer()
  await database.write.schema.dropTable('outbox').execute()
  await assert.rejects(keys.rotate(by, 'stolen'))
  assert.equal((await keys.signer()).kid, kid)
  assert.equal((await keys.list()).length, 2)
})
