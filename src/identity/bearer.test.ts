import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { accessTokenCharacters } from '../limits.ts'
import { Bearers, type OtherIssuers } from './bearer.ts'
import { clientStates } from './client-state.ts'
import { Failures } from './failures.ts'
import { isBearer } from './presented-token.ts'
import type { Principal } from './principal.ts'
import { place } from './testing/identity-fixture.ts'
import {
  addClient,
  present,
  reasonsOf,
  resigned,
  source,
  tokenFixture,
  type TokenFixture,
  tokenOf,
} from './testing/token-fixture.ts'
import { TokenCheck } from './token-check.ts'
import { TokenRefused } from './token-refused.ts'

const otherIssuer = 'https://login.example.net'

/** Bearers beside another authorization server, with what that does. */
function bearersBeside(
  { database, clock, recorder, identity }: TokenFixture,
  authenticate: OtherIssuers['authenticate'],
): Bearers {
  const readClient = clientStates(database)
  return new Bearers({
    tokens: new TokenCheck({
      keys: identity.tokenKeys,
      place: () => place,
      clock,
      random: randomBytes,
      readClient,
    }),
    others: { has: (issuer) => issuer === otherIssuer, authenticate },
    place: () => place,
    failures: new Failures({ clock, record: recorder.record, hostName: 'x', schedule: clock.schedule }),
  })
}

function bearer(token: string) {
  return { authorization: `Bearer ${token}`, source }
}

test('S2: a token proves its client, and what that may do', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  assert.deepEqual(await present(fixture, token), {
    name: `client:${client.clientId}`,
    session: decodeJwt(token).jti,
    scheme: 'Bearer',
    rights: { reads: 'all', records: undefined },
  })
})

test('the scheme may be written in any case, and more blanks may follow it', async () => {
  await using fixture = await tokenFixture()
  const token = await tokenOf(fixture, await addClient(fixture))
  for (const scheme of ['bearer ', 'BEARER ', 'Bearer   ']) {
    const principal = await fixture.identity.authenticate({ authorization: `${scheme}${token}`, source })
    assert.equal(principal.scheme, 'Bearer')
  }
})

test('only a header that begins with the scheme presents a token', () => {
  for (const header of ['Bearer x', 'bearer x', 'Bearer', 'BEARER ']) assert.equal(isBearer(header), true)
  for (const header of [undefined, '', 'Basic x', 'Bearerx', 'Token x']) assert.equal(isBearer(header), false)
})

const malformed: readonly (readonly [string, string])[] = [
  ['nothing', 'Bearer'],
  ['a blank', 'Bearer '],
  ['one word', 'Bearer x'],
  ['two parts', 'Bearer a.b'],
  ['five parts', 'Bearer a.b.c.d.e'],
  ['parts that are no JSON', 'Bearer a.b.c'],
  ['another header within', 'Bearer a.b.c, Basic eA=='],
  ['more than a token has', `Bearer a.${'b'.repeat(accessTokenCharacters)}.c`],
  ['claims that are a list', `Bearer e30.${Buffer.from('[]').toString('base64url')}.x`],
]

for (const [what, authorization] of malformed)
  test(`E5: a header that presents ${what} for a token is refused`, async () => {
    await using fixture = await tokenFixture()
    await assert.rejects(fixture.identity.authenticate({ authorization, source }), (error) =>
      isAnnalsError(error, 'UNAUTHENTICATED'),
    )
    assert.deepEqual(reasonsOf(fixture), ['token-malformed'])
  })

test('S6: whatever is wrong with a token, the caller is told the same, and the log why', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  const unknown = await resigned(fixture, token, { sub: 'x-0000000000', client_id: 'x-0000000000' })
  const [untrusted, elsewhere] = [
    await resigned(fixture, token, { iss: 'https://x.example' }),
    await resigned(fixture, token, { aud: 'https://x.example' }),
  ]
  const unnamed = await resigned(fixture, token, { iss: undefined })
  const old = await resigned(fixture, token, { exp: 1 })
  const tampered = token.replace(/.{9}$/, 'AAAAAAAAA')
  const errors: unknown[] = []
  for (const wrong of ['x', untrusted, unnamed, tampered, elsewhere, old, unknown])
    await present(fixture, wrong).catch((error: unknown) => errors.push(error))
  const told = errors.map((error) => {
    assert.ok(error instanceof AnnalsError)
    return { code: error.code, message: error.message, bearer: error.bearer }
  })
  const message = 'the access token is not valid: ask for a new one'
  const same = { code: 'UNAUTHENTICATED', message, bearer: { error: 'invalid_token' } }
  assert.deepEqual(
    told,
    Array.from({ length: 7 }, () => same),
  )
  assert.deepEqual(reasonsOf(fixture), [
    'token-malformed',
    'token-issuer',
    'token-issuer',
    'token-signature',
    'token-audience',
    'token-expired',
    'token-client',
  ])
  assert.ok(!JSON.stringify(fixture.recorder.events).includes(token.split('.')[1] ?? ''))
})

test('a token that is remembered is verified with no key again, and one that is like it is', async () => {
  await using fixture = await tokenFixture()
  const token = await tokenOf(fixture, await addClient(fixture))
  await present(fixture, token)
  let asked = 0
  const { tokenKeys: keys } = fixture.identity
  const verifier = keys.verifier.bind(keys)
  keys.verifier = (kid) => {
    asked += 1
    return verifier(kid)
  }
  await present(fixture, token)
  assert.equal(asked, 0)
  await assert.rejects(present(fixture, token.replace(/.{9}$/, 'AAAAAAAAA')))
  assert.equal(asked, 1)
})

test('a token of another issuer that is listed is verified by that, whatever else it says', async () => {
  await using fixture = await tokenFixture()
  const token = await tokenOf(fixture, await addClient(fixture))
  const foreign = await resigned(fixture, token, { iss: otherIssuer })
  const principal: Principal = {
    name: `reader@${otherIssuer}`,
    session: 'x',
    scheme: 'Bearer',
    rights: { reads: 'all', records: undefined },
  }
  const given: (readonly [string, string])[] = []
  const bearers = bearersBeside(fixture, async (...asked) => {
    given.push(asked)
    return principal
  })
  assert.equal(await bearers.authenticate(bearer(foreign)), principal)
  assert.deepEqual(given, [[foreign, otherIssuer]])
  assert.equal((await bearers.authenticate(bearer(token))).name.startsWith('client:'), true)
  assert.equal(given.length, 1)
})

test('what another issuer refuses is refused and recorded, and what it cannot tell is not', async () => {
  await using fixture = await tokenFixture()
  const token = await tokenOf(fixture, await addClient(fixture))
  const foreign = await resigned(fixture, token, { iss: otherIssuer })
  const refusing = bearersBeside(fixture, () => Promise.reject(new TokenRefused('token-audience')))
  await assert.rejects(refusing.authenticate(bearer(foreign)), (error) =>
    isAnnalsError(error, 'UNAUTHENTICATED'),
  )
  const away = bearersBeside(fixture, () => Promise.reject(new AnnalsError('UNAVAILABLE', 'away')))
  await assert.rejects(away.authenticate(bearer(foreign)), (error) => isAnnalsError(error, 'UNAVAILABLE'))
  assert.deepEqual(reasonsOf(fixture), ['token-audience'])
})
