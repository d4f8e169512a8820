import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose'
import { type AccessTokensParts, signToken, verifyToken } from './access-token.ts'
import { place } from './testing/identity-fixture.ts'
import { resigned, tokenFixture, type TokenFixture } from './testing/token-fixture.ts'
import { TokenRefused } from './token-refused.ts'

const asked = { clientId: 'siem-a', scope: 'service:audit-trail', lifeSeconds: 900, validFrom: 1_234_567 }

function partsOf({ identity, clock }: TokenFixture): AccessTokensParts {
  return { keys: identity.tokenKeys, place: () => place, clock, random: randomBytes }
}

/** Why a token is refused; undefined where it is not. */
async function problemOf(fixture: TokenFixture, token: string): Promise<string | undefined> {
  try {
    await verifyToken(partsOf(fixture), token)
  } catch (error) {
    if (error instanceof TokenRefused) return error.reason
    throw error
  }
  return undefined
}

test('a token has the header and the claims of RFC 9068, and what the instance is', async () => {
  await using fixture = await tokenFixture()
  const { token, jti } = await signToken(partsOf(fixture), asked)
  const { kid } = await fixture.identity.tokenKeys.signer()
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'RS256', typ: 'at+jwt', kid })
  const now = fixture.clock.wallMicros() / 1_000_000
  assert.deepEqual(decodeJwt(token), {
    iss: place.issuer,
    aud: place.audience,
    sub: 'siem-a',
    client_id: 'siem-a',
    scope: 'service:audit-trail',
    iat: now,
    exp: now + 900,
    jti,
    annals_instance: place.instance,
    annals_region: place.region,
    annals_valid_from: 1_234_567,
  })
  assert.match(jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a token that was signed verifies, and says the same', async () => {
  await using fixture = await tokenFixture()
  const { token, jti } = await signToken(partsOf(fixture), { ...asked, scope: 'a b' })
  const { kid } = await fixture.identity.tokenKeys.signer()
  const issued = fixture.clock.wallMicros()
  assert.deepEqual(await verifyToken(partsOf(fixture), token), {
    jti,
    clientId: 'siem-a',
    audience: place.audience,
    scopes: ['a', 'b'],
    issued,
    expires: issued + 900_000_000,
    validFrom: 1_234_567,
    kid,
  })
})

test('a token verifies to its last second, and no longer', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  fixture.clock.pass(899_999)
  assert.equal(await problemOf(fixture, token), undefined)
  fixture.clock.pass(1)
  assert.equal(await problemOf(fixture, token), 'token-expired')
})

test('a token whose key was retired meanwhile verifies on', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  await fixture.identity.tokenKeys.rotate({ actor: 'admin' }, 'command')
  assert.equal(await problemOf(fixture, token), undefined)
})

const wrongClaims: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['another issuer', { iss: 'https://other.example.com/oauth2/default' }, 'token-issuer'],
  ['the issuer with a slash', { iss: `${place.issuer}/` }, 'token-issuer'],
  ['no issuer', { iss: undefined }, 'token-issuer'],
  ['no audience', { aud: undefined }, 'token-audience'],
  ['several audiences', { aud: [place.audience, 'engine-01-aaaaaaaaaaaaaaaa'] }, 'token-malformed'],
  ['no expiry', { exp: undefined }, 'token-malformed'],
  ['no issue time', { iat: undefined }, 'token-malformed'],
  ['no id', { jti: undefined }, 'token-malformed'],
  ['no subject', { sub: undefined }, 'token-malformed'],
  ['another subject than its client', { sub: 'admin' }, 'token-malformed'],
  ['no client', { client_id: undefined }, 'token-malformed'],
  ['a client that is no text', { client_id: ['siem-a'], sub: 'siem-a' }, 'token-malformed'],
  ['no scope', { scope: undefined }, 'token-malformed'],
  ['scopes that are no text', { scope: ['service:audit-trail'] }, 'token-malformed'],
  ['nothing of its client', { annals_valid_from: undefined }, 'token-malformed'],
  ['a time before which it is not good', { nbf: 4_000_000_000 }, 'token-expired'],
]

for (const [what, claims, problem] of wrongClaims)
  test(`E5: a token with ${what} is refused, though its signature is right`, async () => {
    await using fixture = await tokenFixture()
    const { token } = await signToken(partsOf(fixture), asked)
    assert.equal(await problemOf(fixture, await resigned(fixture, token, claims)), problem)
  })

const wrongHeaders: readonly (readonly [string, Readonly<Record<string, string | undefined>>, string])[] = [
  ['the type of an id token', { typ: 'JWT' }, 'token-malformed'],
  ['no type', { typ: undefined }, 'token-malformed'],
  ['no key', { kid: undefined }, 'token-malformed'],
  ['a key that there is not', { kid: 'x' }, 'token-signature'],
]

for (const [what, header, problem] of wrongHeaders)
  test(`E5: a token that names ${what} is refused`, async () => {
    await using fixture = await tokenFixture()
    const { token } = await signToken(partsOf(fixture), asked)
    assert.equal(await problemOf(fixture, await resigned(fixture, token, {}, header)), problem)
  })

test('E5: a token of which any part was tampered with is refused', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const more = Buffer.from(JSON.stringify({ ...decodeJwt(token), scope: 'b' })).toString('base64url')
  const flipped = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
  assert.equal(await problemOf(fixture, `${header}.${more}.${signature}`), 'token-signature')
  assert.equal(await problemOf(fixture, `${header}.${payload}.${flipped}`), 'token-signature')
  assert.equal(await problemOf(fixture, `${header}.${payload}.`), 'token-signature')
  assert.equal(await problemOf(fixture, `${header}.${payload}`), 'token-malformed')
  assert.equal(await problemOf(fixture, `x.${payload}.${signature}`), 'token-malformed')
})

test('E5: a token that names the algorithm "none" is refused', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  const { kid } = await fixture.identity.tokenKeys.signer()
  const [, payload] = new UnsecuredJWT(decodeJwt(token)).encode().split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt', kid })).toString('base64url')
  assert.equal(await problemOf(fixture, `${header}.${payload}.`), 'token-signature')
})

test('E5: a token that takes the public key for a shared secret is refused', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  const { kid } = await fixture.identity.tokenKeys.signer()
  const key = await fixture.identity.tokenKeys.verifier(kid)
  const pem = key?.export({ type: 'spki', format: 'pem' })
  assert.ok(typeof pem === 'string')
  const forged = await new SignJWT(decodeJwt(token))
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
    .sign(Buffer.from(pem))
  assert.equal(await problemOf(fixture, forged), 'token-signature')
})

test('E5: a token that is signed with our own key by another algorithm is refused', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  assert.equal(
    await problemOf(fixture, await resigned(fixture, token, {}, { alg: 'PS256' })),
    'token-signature',
  )
})

test('E5: a token that claims an extension as critical is refused', async () => {
  await using fixture = await tokenFixture()
  const { token } = await signToken(partsOf(fixture), asked)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const fields = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
  const critical = Buffer.from(JSON.stringify({ ...fields, crit: ['b64'], b64: true })).toString('base64url')
  assert.ok((await problemOf(fixture, `${critical}.${payload}.${signature}`)) !== undefined)
})
