import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import {
  foreignNameCharacters,
  foreignTokenCachedMs,
  foreignTokens,
  remoteKeysCooldownMs,
} from '../limits.ts'
import { ForeignTokens } from './foreign-tokens.ts'
import type { Issuer } from './issuer.ts'
import { ExternalIssuers } from './issuers.ts'
import { noRights } from './rights.ts'
import { ClockDouble } from './testing/clock-double.ts'
import { type Claims, IssuerServer, sign, signingKey } from './testing/issuer-server.ts'
import { TokenRefused } from './token-refused.ts'

const key = await signingKey('a')
const audience = 'https://audit.example.com/audit-trail/api'

interface Fixture extends AsyncDisposable {
  readonly server: IssuerServer
  readonly clock: ClockDouble
  readonly issuer: Issuer
  readonly issuers: ExternalIssuers
  token(different?: Claims): Promise<string>
}

async function fixture(different: Partial<Issuer> = {}): Promise<Fixture> {
  const [server, clock] = [await IssuerServer.start(key), new ClockDouble()]
  const issuer: Issuer = {
    issuer: server.issuer,
    audience,
    algorithms: ['RS256'],
    clockSkewSeconds: 30,
    acceptUntypedTokens: false,
    grants: [{ claim: 'scope', value: 'audit.read', scope: 'service:audit-trail' }],
    ...different,
  }
  const issuers = new ExternalIssuers({ issuers: [issuer], clock })
  return {
    server,
    clock,
    issuer,
    issuers,
    token(different = {}) {
      const iat = Math.floor(clock.wallMicros() / 1_000_000)
      const claims = { iss: server.issuer, aud: audience, sub: 'reader', jti: 'j-1', scope: 'audit.read' }
      return sign(key, { ...claims, iat, exp: iat + 900, ...different })
    },
    async [Symbol.asyncDispose]() {
      await issuers[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a token proves its subject at its issuer, with what that is granted', async () => {
  await using f = await fixture()
  assert.ok(f.issuers.has(f.server.issuer))
  assert.deepEqual(await f.issuers.authenticate(await f.token(), f.server.issuer), {
    name: `reader@${f.server.issuer}`,
    session: 'j-1',
    scheme: 'Bearer',
    rights: { reads: 'all', records: undefined },
  })
})

test('a token that nothing is granted for proves its subject, who may nothing', async () => {
  await using f = await fixture()
  const claims = { scope: 'service:audit-trail', annals_instance: 'portal-01', annals_region: 'local' }
  const principal = await f.issuers.authenticate(await f.token(claims), f.server.issuer)
  assert.deepEqual(principal.rights, noRights)
})

test('a token of an issuer that is not listed is refused, and so is one of another than it says', async () => {
  await using f = await fixture()
  const other = 'https://other.example.com'
  assert.ok(!f.issuers.has(other))
  const refused = { name: 'TokenRefused', reason: 'token-issuer' }
  await assert.rejects(f.issuers.authenticate(await f.token(), other), refused)
  await assert.rejects(f.issuers.authenticate(await f.token({ iss: other }), f.server.issuer), refused)
})

test('a subject that could not be told in an entry is refused', async () => {
  await using f = await fixture()
  const subjects = ['', 'a\nb', 'a\u0000', 'a\u202eb', 'a\u2028b', 'x'.repeat(foreignNameCharacters + 1), 5]
  for (const sub of subjects) {
    const token = await f.token({ sub })
    const refused = { name: 'TokenRefused', reason: 'token-malformed' }
    await assert.rejects(f.issuers.authenticate(token, f.server.issuer), refused, JSON.stringify(sub))
  }
  const token = await f.token({ sub: 'ümit@corp.example' })
  const { name } = await f.issuers.authenticate(token, f.server.issuer)
  assert.equal(name, `ümit@corp.example@${f.server.issuer}`)
})

test('where there is no plain jti, the session stands for the token', async () => {
  await using f = await fixture()
  const sessionOf = async (claims: Claims): Promise<string> =>
    (await f.issuers.authenticate(await f.token(claims), f.server.issuer)).session
  const sessions = await Promise.all([
    sessionOf({ jti: undefined }),
    sessionOf({ jti: undefined, more: 1 }),
    sessionOf({ jti: 'x y' }),
    sessionOf({ jti: 'x'.repeat(65) }),
    sessionOf({ jti: 5 }),
  ])
  for (const session of sessions) assert.match(session, /^[A-Za-z0-9_-]{22}$/)
  assert.equal(new Set(sessions).size, sessions.length)
})

test('where the keys of the issuer cannot be had, that is not the fault of the token', async () => {
  await using f = await fixture()
  f.server.paths.delete('/keys')
  const token = await f.token()
  await assert.rejects(f.issuers.authenticate(token, f.server.issuer), (error: unknown) => {
    assert.ok(isAnnalsError(error, 'UNAVAILABLE'))
    assert.equal(error.retryAfterSeconds, remoteKeysCooldownMs / 1000)
    assert.ok(!error.message.includes(f.server.origin), 'the caller is told no address')
    assert.match(error.detail ?? '', /status is 404/)
    return true
  })
})

test('a verified token is believed until it has expired, and for some minutes at most', async () => {
  await using f = await fixture()
  const [short, long] = [await f.token({ exp: f.clock.wallMicros() / 1_000_000 + 60 }), await f.token()]
  for (const token of [short, long]) await f.issuers.authenticate(token, f.server.issuer)
  f.server.published = []
  f.clock.pass(89_999)
  await f.issuers.authenticate(short, f.server.issuer)
  f.clock.pass(1)
  await assert.rejects(f.issuers.authenticate(short, f.server.issuer), TokenRefused)
  f.clock.pass(foreignTokenCachedMs)
  await f.issuers.authenticate(long, f.server.issuer)
  // Its key is not published any more, which is seen when the keys are asked for again.
  f.clock.pass(foreignTokenCachedMs)
  await assert.rejects(f.issuers.authenticate(long, f.server.issuer), { reason: 'token-signature' })
})

test('issuers are replaced at once, and those that stay as they are keep their keys', async () => {
  await using f = await fixture()
  const token = await f.token()
  await f.issuers.authenticate(token, f.server.issuer)
  assert.deepEqual(await f.issuers.replace([structuredClone(f.issuer)]), [])
  await f.issuers.authenticate(await f.token({ jti: 'j-2' }), f.server.issuer)
  assert.equal(f.server.keysAsked, 1)

  const grants = [{ claim: 'scope', value: 'audit.read', scope: 'service:audit-trail:engine:engine-01' }]
  const changes = await f.issuers.replace([{ ...f.issuer, grants }])
  assert.deepEqual(changes, [{ issuer: f.server.issuer, change: 'changed' }])
  const { rights } = await f.issuers.authenticate(token, f.server.issuer)
  assert.deepEqual(rights.reads, ['engine-01'])

  assert.deepEqual(await f.issuers.replace([]), [{ issuer: f.server.issuer, change: 'removed' }])
  assert.ok(!f.issuers.has(f.server.issuer))
  await assert.rejects(f.issuers.authenticate(token, f.server.issuer), { reason: 'token-issuer' })
})

test('of verified tokens only so many are remembered, the oldest forgotten first', () => {
  const clock = new ClockDouble()
  const tokens = new ForeignTokens(clock)
  const principal = { name: 'a@b', session: 's', scheme: 'Bearer', rights: noRights } as const
  for (let i = 0; i <= foreignTokens; i++) tokens.put(`d${i}`, principal, clock.wallMicros() + 1)
  assert.equal(tokens.size, foreignTokens)
  assert.equal(tokens.get('d0'), undefined)
  assert.equal(tokens.get('d1'), principal)
})
