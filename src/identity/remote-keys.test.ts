import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JWTPayload, UnsecuredJWT } from 'jose'
import {
  remoteDocumentBytes,
  remoteKeyLimit,
  remoteKeysCooldownMs,
  remoteKeysFreshMs,
  remoteKeysKeptMs,
} from '../limits.ts'
import { RemoteDocuments } from './remote-documents.ts'
import { KeysUnavailable, RemoteKeys, type TokenDemand } from './remote-keys.ts'
import { ClockDouble } from './testing/clock-double.ts'
import {
  type Claims,
  IssuerServer,
  json,
  sign,
  type SigningKey,
  signingKey,
} from './testing/issuer-server.ts'
import { type TokenProblem, TokenRefused } from './token-refused.ts'

const audience = 'https://audit.example.com/audit-trail/api'
const [old, next, curve] = await Promise.all([
  signingKey('old'),
  signingKey('next'),
  signingKey('curve', 'ES256'),
])

interface Fixture extends AsyncDisposable {
  readonly server: IssuerServer
  readonly clock: ClockDouble
  readonly keys: RemoteKeys
  readonly demand: TokenDemand
  claims(different?: Claims): JWTPayload
  /** Signs the claims of a good token, and verifies that. */
  verify(key: SigningKey, different?: Claims, header?: Parameters<typeof sign>[2]): Promise<JWTPayload>
}

async function fixture(options: { jwksUri?: (server: IssuerServer) => string } = {}): Promise<Fixture> {
  const server = await IssuerServer.start(old, curve)
  const clock = new ClockDouble()
  const documents = new RemoteDocuments()
  const { issuer } = server
  const keys = new RemoteKeys({ issuer, jwksUri: options.jwksUri?.(server), documents, clock })
  const demand = { issuer, audience, algorithms: ['RS256'], clockSkewSeconds: 30 } as const
  const claims = (different: Claims = {}): JWTPayload => {
    const now = Math.floor(clock.wallMicros() / 1_000_000)
    return { iss: issuer, aud: audience, sub: 'reader', iat: now, exp: now + 900, ...different }
  }
  return {
    server,
    clock,
    keys,
    demand,
    claims,
    verify: async (key, different, header) => keys.verify(await sign(key, claims(different), header), demand),
    async [Symbol.asyncDispose]() {
      await documents[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

function refused(reason: TokenProblem) {
  return (error: unknown) => {
    assert.ok(error instanceof TokenRefused, String(error))
    assert.equal(error.reason, reason)
    return true
  }
}

test('a token is verified with the key that the metadata of its issuer lead to', async () => {
  await using f = await fixture()
  assert.equal((await f.verify(old)).sub, 'reader')
  assert.deepEqual(f.server.asked, ['/.well-known/oauth-authorization-server/as', '/keys'])
})

test('the keys are asked for once, by however many', async () => {
  await using f = await fixture()
  await Promise.all(Array.from({ length: 20 }, () => f.verify(old)))
  assert.equal(f.server.keysAsked, 1)
})

test('where there is no RFC 8414 document, the one of OpenID Connect is taken', async () => {
  await using f = await fixture()
  f.server.paths.delete('/.well-known/oauth-authorization-server/as')
  f.server.paths.set(
    '/as/.well-known/openid-configuration',
    json(() => f.server.metadata()),
  )
  assert.equal((await f.verify(old)).sub, 'reader')
})

test('where the place of the keys is configured, no metadata are asked for', async () => {
  await using f = await fixture({ jwksUri: (server) => `${server.origin}/keys` })
  await f.verify(old)
  assert.deepEqual(f.server.asked, ['/keys'])
})

test('metadata that name another issuer are not believed, not even with a slash more', async () => {
  for (const issuer of ['https://other.example.com', undefined, 'slash']) {
    await using f = await fixture()
    const named = issuer === 'slash' ? `${f.server.issuer}/` : issuer
    f.server.paths.set(
      '/.well-known/oauth-authorization-server/as',
      json(() => ({ ...f.server.metadata(), issuer: named })),
    )
    await assert.rejects(f.verify(old), KeysUnavailable)
    assert.equal(f.server.keysAsked, 0)
  }
})

test('keys that would come without TLS from another machine are not asked for', async () => {
  await using f = await fixture()
  const jwks_uri = 'http://192.0.2.1/keys'
  f.server.paths.set(
    '/.well-known/oauth-authorization-server/as',
    json(() => ({ ...f.server.metadata(), jwks_uri })),
  )
  await assert.rejects(f.verify(old), /no jwks_uri that is an https URL/)
})

test('a new key is found as soon as a token names it, and old ones are verified on', async () => {
  await using f = await fixture()
  await f.verify(old)
  f.server.published = [old, next]
  f.clock.pass(remoteKeysCooldownMs)
  await f.verify(next)
  await f.verify(old)
  assert.equal(f.server.keysAsked, 2)
})

test('tokens with made-up keys have the keys asked for once in half a minute', async () => {
  await using f = await fixture()
  await f.verify(old)
  for (let i = 0; i < 5; i++)
    await assert.rejects(f.verify(old, {}, { kid: `made-up-${i}` }), refused('token-signature'))
  assert.equal(f.server.keysAsked, 1)
  f.clock.pass(remoteKeysCooldownMs)
  await Promise.allSettled(Array.from({ length: 5 }, (_, i) => f.verify(old, {}, { kid: `other-${i}` })))
  assert.equal(f.server.keysAsked, 2)
})

test('a key that its server has withdrawn counts no longer than ten minutes', async () => {
  await using f = await fixture()
  await f.verify(old)
  f.server.published = [next]
  f.clock.pass(remoteKeysFreshMs - 1)
  await f.verify(old)
  f.clock.pass(1)
  await assert.rejects(f.verify(old), refused('token-signature'))
})

test('while the server is away its keys are used on for a day, and then the token cannot be verified', async () => {
  await using f = await fixture()
  await f.verify(old)
  await f.server.leave()
  f.clock.pass(remoteKeysFreshMs)
  await f.verify(old)
  await f.verify(old)
  f.clock.pass(remoteKeysKeptMs - remoteKeysFreshMs - 1)
  await f.verify(old)
  f.clock.pass(1)
  await assert.rejects(f.verify(old), KeysUnavailable)
})

test('while the server is away, a token whose key is not known is not called wrong', async () => {
  await using f = await fixture()
  await f.verify(old)
  await f.server.leave()
  f.clock.pass(remoteKeysCooldownMs)
  await assert.rejects(f.verify(next), KeysUnavailable)
})

test('a server that was away is asked again after half a minute, and not before', async () => {
  await using f = await fixture()
  f.server.paths.set('/keys', (_request, response) => response.writeHead(503).end())
  await assert.rejects(f.verify(old), (error: unknown) => {
    assert.ok(error instanceof KeysUnavailable)
    assert.equal(error.retryAfterSeconds, remoteKeysCooldownMs / 1000)
    return true
  })
  f.server.paths.set(
    '/keys',
    json(() => ({ keys: [old.publicJwk] })),
  )
  f.clock.pass(remoteKeysCooldownMs - 1)
  await assert.rejects(f.verify(old), KeysUnavailable)
  f.clock.pass(1)
  await f.verify(old)
  assert.equal(f.server.keysAsked, 2)
})

test('neither a redirect nor a wrong, endless or too large answer gives keys', async () => {
  const other = await IssuerServer.start(old)
  await using _ = other
  const bad = {
    redirect: (_request, response) => response.writeHead(302, { location: `${other.origin}/keys` }).end(),
    'no JSON': (_request, response) => response.end('<html>'),
    'no key set': json(() => ({ keys: 'none' })),
    'too many keys': json(() => ({ keys: Array.from({ length: remoteKeyLimit + 1 }, () => old.publicJwk) })),
    'too large': json(() => ({ keys: [old.publicJwk], more: 'x'.repeat(remoteDocumentBytes) })),
    endless: (_request, response) => {
      response.writeHead(200)
      const write = (): void =>
        void (response.write(' '.repeat(65_536)) ? setImmediate(write) : response.once('drain', write))
      write()
    },
    'cut short': (_request, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{')
      response.destroy()
    },
  } satisfies Record<string, Parameters<IssuerServer['paths']['set']>[1]>
  for (const [name, answer] of Object.entries(bad)) {
    await using f = await fixture()
    f.server.paths.set('/keys', answer)
    await assert.rejects(f.verify(old), KeysUnavailable, name)
  }
  assert.deepEqual(other.asked, [])
})

test('every claim that a token must have is looked at', async () => {
  await using f = await fixture()
  const now = Math.floor(f.clock.wallMicros() / 1_000_000)
  const wrong: readonly (readonly [Claims, TokenProblem])[] = [
    [{ iss: `${f.server.issuer}/` }, 'token-issuer'],
    [{ iss: undefined }, 'token-issuer'],
    [{ aud: 'https://other.example.com' }, 'token-audience'],
    [{ aud: [`${audience}/`, 'other'] }, 'token-audience'],
    [{ aud: undefined }, 'token-audience'],
    [{ exp: now - 30 }, 'token-expired'],
    [{ exp: undefined }, 'token-malformed'],
    [{ nbf: now + 31 }, 'token-expired'],
    [{ iat: now + 31 }, 'token-expired'],
    [{ sub: undefined }, 'token-malformed'],
  ]
  for (const [claims, reason] of wrong)
    await assert.rejects(f.verify(old, claims), refused(reason), JSON.stringify(claims))
  for (const claims of [
    { exp: now - 29 },
    { nbf: now + 30 },
    { iat: now + 30 },
    { aud: ['other', audience] },
  ])
    await f.verify(old, claims)
})

test('a token that does not say that it is an access token is refused, unless that is allowed', async () => {
  await using f = await fixture()
  const demand = { ...f.demand, acceptsUntyped: true }
  for (const typ of ['JWT', undefined, 'logout+jwt', 'dpop+jwt']) {
    await assert.rejects(f.verify(old, {}, { typ }), refused('token-malformed'))
    const token = await sign(old, f.claims(), { typ })
    const allowed = f.keys.verify(token, demand)
    if (typ === undefined || typ === 'JWT') assert.equal((await allowed).sub, 'reader')
    else await assert.rejects(allowed, refused('token-malformed'))
  }
  assert.equal((await f.verify(old, {}, { typ: 'application/AT+JWT' })).sub, 'reader')
})

test('an algorithm that is not allowed is refused before a key is looked at', async () => {
  await using f = await fixture()
  await assert.rejects(f.verify(curve), refused('token-signature'))
  const secret = Buffer.from(JSON.stringify(old.publicJwk))
  const forged = { ...old, alg: 'HS256', privateKey: secret }
  await assert.rejects(f.keys.verify(await sign(forged, f.claims()), f.demand), refused('token-signature'))
  const none = new UnsecuredJWT(f.claims()).encode()
  await assert.rejects(f.keys.verify(none, f.demand), refused('token-signature'))
  assert.deepEqual(f.server.asked, [])
  const both = { ...f.demand, algorithms: ['RS256', 'ES256'] } as const
  assert.equal((await f.keys.verify(await sign(curve, f.claims()), both)).sub, 'reader')
})

test('a token of which anything was changed is refused', async () => {
  await using f = await fixture()
  const [header = '', payload = '', signature = ''] = (await sign(old, f.claims())).split('.')
  const other = Buffer.from(JSON.stringify(f.claims({ sub: 'root' }))).toString('base64url')
  const [, , foreign = ''] = (await sign(next, f.claims())).split('.')
  for (const token of [
    `${header}.${other}.${signature}`,
    `${header}.${payload}.${foreign}`,
    `${header}.${payload}.`,
  ])
    await assert.rejects(f.keys.verify(token, f.demand), refused('token-signature'))
  for (const token of ['', 'a', 'a.b.c', `${header}.${payload}`, `${header}.${payload}.${signature}.`])
    await assert.rejects(f.keys.verify(token, f.demand), refused('token-malformed'))
})

test('a key that is not for signatures verifies nothing', async () => {
  await using f = await fixture()
  f.server.paths.set(
    '/keys',
    json(() => ({ keys: [{ ...old.publicJwk, use: 'enc' }] })),
  )
  await assert.rejects(f.verify(old), refused('token-signature'))
})
