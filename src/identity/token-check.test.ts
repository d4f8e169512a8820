// What becomes of a token after it was issued, each time while its verification is remembered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { by } from './testing/identity-fixture.ts'
import {
  addClient,
  asked,
  present,
  reasonsOf,
  source,
  tokenFixture,
  type TokenFixture,
  tokenOf,
} from './testing/token-fixture.ts'

const engineScope = 'service:audit-trail:engine:engine-01'

/** Asserts that a token is refused, and for which reason that is recorded. */
async function assertRefused(fixture: TokenFixture, token: string, reason: string): Promise<void> {
  const before = reasonsOf(fixture).length
  await assert.rejects(present(fixture, token), (error) => isAnnalsError(error, 'UNAUTHENTICATED'))
  assert.deepEqual(reasonsOf(fixture).slice(before), [reason])
}

async function usedToken(fixture: TokenFixture, client: Awaited<ReturnType<typeof addClient>>) {
  const token = await tokenOf(fixture, client)
  await present(fixture, token)
  return token
}

test('a token ends as soon as its client is switched off, and is good again when it is on', async () => {
  await using fixture = await tokenFixture()
  const token = await usedToken(fixture, await addClient(fixture))
  await fixture.clients.set('siem', { isEnabled: false }, by)
  await assertRefused(fixture, token, 'token-client')
  await fixture.clients.set('siem', { isEnabled: true }, by)
  assert.equal((await present(fixture, token)).rights.reads, 'all')
})

test('a token ends with its client', async () => {
  await using fixture = await tokenFixture()
  const token = await usedToken(fixture, await addClient(fixture))
  await fixture.clients.remove('siem', by)
  await assertRefused(fixture, token, 'token-client')
  await addClient(fixture)
  await assertRefused(fixture, token, 'token-client')
})

test('a token ends at the moment at which its client expires', async () => {
  await using fixture = await tokenFixture()
  const expiresAt = fixture.clock.wallMicros() + 60_000_000
  const token = await usedToken(fixture, await addClient(fixture, { expiresAt }))
  fixture.clock.pass(59_999)
  await present(fixture, token)
  fixture.clock.pass(1)
  await assertRefused(fixture, token, 'token-client')
})

test('a remembered token ends when it expires', async () => {
  await using fixture = await tokenFixture({ tokenSeconds: 60 })
  const token = await usedToken(fixture, await addClient(fixture))
  fixture.clock.pass(59_999)
  await present(fixture, token)
  fixture.clock.pass(1)
  await assertRefused(fixture, token, 'token-expired')
})

test('a token loses the scopes that its client loses, and gains none', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture, { scopes: ['service:audit-trail', engineScope] })
  const all = await tokenOf(fixture, client, { scope: `service:audit-trail ${engineScope}` })
  const one = await tokenOf(fixture, client, { scope: engineScope })
  assert.equal((await present(fixture, all)).rights.reads, 'all')
  assert.deepEqual((await present(fixture, one)).rights.reads, ['engine-01'])
  await fixture.clients.set('siem', { scopes: [engineScope] }, by)
  assert.deepEqual((await present(fixture, all)).rights.reads, ['engine-01'])
  await fixture.clients.set('siem', { scopes: ['service:audit-trail'] }, by)
  assert.deepEqual((await present(fixture, one)).rights.reads, [])
})

test('a token may record within the bounds that its client has now', async () => {
  await using fixture = await tokenFixture()
  const bounds = { components: ['Portal'], codes: [[20_000, 20_999]], ownCodes: false } as const
  const client = await addClient(fixture, { scopes: ['service:audit-trail:record'], recordBounds: bounds })
  const token = await usedToken(fixture, client)
  assert.deepEqual((await present(fixture, token)).rights, { reads: [], records: bounds })
  const fewer = { ...bounds, codes: [] }
  await fixture.clients.set('siem', { recordBounds: fewer }, by)
  assert.deepEqual((await present(fixture, token)).rights.records, fewer)
})

test('a token ends with the key that signed it, where that was stolen', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await usedToken(fixture, client)
  await fixture.identity.tokenKeys.rotate(by, 'command')
  await present(fixture, token)
  await fixture.identity.tokenKeys.rotate(by, 'stolen')
  await assertRefused(fixture, token, 'token-signature')
  await usedToken(fixture, client)
})

test('a new secret leaves tokens as they are, unless they are to end', async () => {
  await using fixture = await tokenFixture()
  const token = await usedToken(fixture, await addClient(fixture))
  await fixture.clients.rotate('siem', { graceSeconds: 0, revokesTokens: false }, by)
  await present(fixture, token)
  await fixture.clients.rotate('siem', { graceSeconds: 0, revokesTokens: true }, by)
  await assertRefused(fixture, token, 'token-client')
})

test('what ends all tokens ends those of the same moment, and none that follow, whatever the clock does', async () => {
  await using fixture = await tokenFixture()
  let client = await addClient(fixture)
  for (const ms of [0, 0, -60_000, 1]) {
    const before = await usedToken(fixture, client)
    fixture.clock.step(ms)
    const rotated = await fixture.clients.rotate('siem', { graceSeconds: 60, revokesTokens: true }, by)
    await assertRefused(fixture, before, 'token-client')
    client = { ...client, clientSecret: rotated.clientSecret }
    await usedToken(fixture, client)
  }
})

test('a token is not good whose client proved itself before all were ended, though it is signed afterwards', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const rotating: Promise<unknown>[] = []
  const { tokenKeys: keys } = fixture.identity
  const signer = keys.signer.bind(keys)
  // The client is known by now, and nothing is signed yet.
  keys.signer = async () => {
    rotating.push(fixture.clients.rotate('siem', { graceSeconds: 0, revokesTokens: true }, by))
    await Promise.all(rotating)
    fixture.clock.pass(1000)
    return signer()
  }
  const token = await tokenOf(fixture, client)
  assert.equal(rotating.length, 1)
  await assertRefused(fixture, token, 'token-client')
})

test('a revoked token ends at once, while others of its client go on', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const [token, other] = [await usedToken(fixture, client), await usedToken(fixture, client)]
  await fixture.identity.authorization.revoke(asked(client, { token }), source)
  await assertRefused(fixture, token, 'token-revoked')
  await present(fixture, other)
})
