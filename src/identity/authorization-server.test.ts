import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, importJWK, type JWK, jwtVerify } from 'jose'
import { drain } from '../database/outbox.ts'
import { isAnnalsError } from '../errors.ts'
import { clientTokenRate } from '../limits.ts'
import { by, place } from './testing/identity-fixture.ts'
import {
  addClient,
  asked,
  issue,
  present,
  reasonsOf,
  refusalOf,
  resigned,
  source,
  tokenFixture,
  type TokenFixture,
  tokenOf,
} from './testing/token-fixture.ts'

const all = 'service:audit-trail'
const record = 'service:audit-trail:record'
const engine = 'service:audit-trail:engine:engine-01.example.com'
const recordBounds = { components: 'any', codes: 'any', ownCodes: false } as const

/** The events of a code, with what they say. */
function eventsOf({ recorder }: TokenFixture, code: string): readonly Readonly<Record<string, string>>[] {
  const events = recorder.events.filter((event) => event.code === code)
  return events.map(({ actor = '', session = '', target = '', eventParams = [] }) => ({
    actor,
    session,
    target,
    ...Object.fromEntries(eventParams),
  }))
}

test('S2: the answer is exactly that of the contract, in its order', async () => {
  await using fixture = await tokenFixture()
  const answer = await issue(fixture, await addClient(fixture))
  const [, token] =
    /^\{"token_type":"Bearer","expires_in":900,"access_token":"([\w.-]+)","scope":"service:audit-trail"\}$/.exec(
      JSON.stringify(answer),
    ) ?? []
  assert.equal(token, answer.access_token)
})

test('S2: how long a token is good can be configured', async () => {
  await using fixture = await tokenFixture({ tokenSeconds: 60 })
  const { expires_in, access_token } = await issue(fixture, await addClient(fixture))
  const { iat = 0, exp } = decodeJwt(access_token)
  assert.deepEqual([expires_in, exp], [60, iat + 60])
})

const scopes: readonly (readonly [string, readonly string[], string | undefined, string])[] = [
  ['none, with the scope to read', [engine, all], undefined, all],
  ['none, without it', [engine, record], undefined, `${engine} ${record}`],
  ['an empty one', [engine, all], '', all],
  ['one of its own', [engine, all], engine, engine],
  ['two, one of them twice', [engine, all], `${all} ${engine} ${all}`, `${all} ${engine}`],
  ['one that there is not', [all], 'service:audit-trail:write', 'invalid_scope'],
  ['one that there is not, beside its own', [all], `${all} openid`, 'invalid_scope'],
  ['one that it may not have', [engine], all, 'invalid_scope'],
  ['that of an engine, where it may read all', [all], engine, 'invalid_scope'],
  ['an engine in other letters', [engine], engine.toUpperCase(), 'invalid_scope'],
  ['its own with a blank too many', [all, engine], `${all}  ${engine}`, 'invalid_scope'],
  ['characters that no scope has', [all], `${all}"`, 'invalid_scope'],
]

for (const [what, granted, scope, expected] of scopes)
  test(`S2: a client that asks for ${what} gets ${expected}`, async () => {
    await using fixture = await tokenFixture()
    const bounds = granted.includes(record) ? { recordBounds } : {}
    const client = await addClient(fixture, { scopes: granted, ...bounds })
    const answering = issue(fixture, client, scope === undefined ? {} : { scope })
    if (expected === 'invalid_scope') return assert.equal(await refusalOf(answering), expected)
    const answer = await answering
    assert.equal(answer.scope, expected)
    assert.equal(decodeJwt(answer.access_token)['scope'], expected)
  })

const refused: readonly (readonly [string, string, string])[] = [
  ['no grant type', '', 'invalid_request'],
  ['an empty grant type', 'grant_type=', 'invalid_request'],
  ['another grant type', 'grant_type=authorization_code&code=x', 'unsupported_grant_type'],
  ['a password', 'grant_type=password&username=admin&password=x', 'unsupported_grant_type'],
  ['a grant type in other letters', 'grant_type=Client_Credentials', 'unsupported_grant_type'],
  ['a grant type twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
  ['another resource', 'grant_type=client_credentials&resource=https://x.example', 'invalid_target'],
]

for (const [what, form, error] of refused)
  test(`S2: a request with ${what} is refused with ${error}`, async () => {
    await using fixture = await tokenFixture()
    const client = await addClient(fixture)
    const { authorization } = fixture.identity
    assert.equal(await refusalOf(authorization.token(asked(client, form), source)), error)
    assert.deepEqual(eventsOf(fixture, '29051'), [])
  })

test('the resource may be named, and what is not known is ignored', async () => {
  await using fixture = await tokenFixture()
  const form = { resource: place.audience, audience: 'x', state: 'y' }
  assert.equal((await issue(fixture, await addClient(fixture), form)).scope, all)
})

test('S7: a token that was issued is an entry, which names it and never holds it', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  const { jti = '' } = decodeJwt(token)
  const name = `client:${client.clientId}`
  assert.deepEqual(eventsOf(fixture, '29051'), [
    { actor: name, session: jti, target: name, token: jti, client: client.clientId, scope: all },
  ])
  const told = JSON.stringify(fixture.recorder.events)
  assert.ok(!told.includes(token.slice(token.lastIndexOf('.') + 1)))
  assert.ok(!told.includes(client.clientSecret))
})

test('S7: that entry is durable before the token is handed out', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  let isDurable = false
  fixture.recorder.before = async ({ code }) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    isDurable ||= code === '29051'
  }
  await issue(fixture, client)
  assert.equal(isDurable, true)
})

test('a token that cannot be recorded is not handed out, except for want of space', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  fixture.recorder.refusesWith = 'OUTCOME_UNKNOWN'
  await assert.rejects(issue(fixture, client), (error) => isAnnalsError(error, 'OUTCOME_UNKNOWN'))
  fixture.recorder.refusesWith = 'STORAGE_FULL'
  await present(fixture, await tokenOf(fixture, client))
  assert.equal(await refusalOf(issue(fixture, client, { scope: 'x' })), 'invalid_scope')
})

test('S7: what is refused to a client with valid credentials is an entry, at every endpoint', async () => {
  await using fixture = await tokenFixture()
  const [client, other] = [await addClient(fixture), await addClient(fixture, { name: 'other' })]
  const token = await tokenOf(fixture, other)
  const { authorization } = fixture.identity
  await refusalOf(issue(fixture, client, { scope: 'openid' }))
  await refusalOf(authorization.introspect(asked(client, {}), source))
  await refusalOf(authorization.revoke(asked(client, { token }), source))
  const name = `client:${client.clientId}`
  const entry = { actor: name, session: '', target: name, client: client.clientId }
  assert.deepEqual(
    eventsOf(fixture, '29052'),
    ['invalid_scope', 'invalid_request', 'unauthorized_client'].map((reason) => ({ ...entry, reason })),
  )
  assert.deepEqual(reasonsOf(fixture), [])
})

test('E9: a client that asks for too many tokens is told so, which is counted and not an entry each', async () => {
  await using fixture = await tokenFixture()
  const [client, other] = [await addClient(fixture), await addClient(fixture, { name: 'other' })]
  for (let n = 0; n < clientTokenRate.burst; n += 1) await issue(fixture, client)
  await assert.rejects(issue(fixture, client), (error) => {
    assert.ok(isAnnalsError(error, 'TOO_MANY_REQUESTS'))
    return (error.retryAfterSeconds ?? 0) > 0
  })
  await issue(fixture, other)
  assert.deepEqual(reasonsOf(fixture), ['rate-limited'])
  fixture.clock.pass(60_000)
  await issue(fixture, client)
})

test('E9: no client can fill the log with refusals', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const { authorization } = fixture.identity
  const before = fixture.recorder.events.length
  for (let n = 0; n < 1000; n += 1) await refusalOf(authorization.introspect(asked(client, {}), source))
  // One for each token that it might have had, 60 that are told one by one, and one of the limit itself.
  assert.ok(fixture.recorder.events.length - before <= clientTokenRate.burst + 60 + 1)
})

test('when a client was last used is noted, at most once a minute', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const used = async () => (await fixture.clients.list())[0]?.lastUsedAt
  assert.equal(await used(), undefined)
  await issue(fixture, client)
  const first = fixture.clock.wallMicros()
  assert.equal(await used(), first)
  fixture.clock.pass(59_999)
  await issue(fixture, client)
  assert.equal(await used(), first)
  fixture.clock.pass(1)
  await issue(fixture, client)
  assert.equal(await used(), first + 60_000_000)
})

test('a client is told what one of its own tokens is worth', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  const { iat, exp, jti } = decodeJwt(token)
  assert.deepEqual(await fixture.identity.authorization.introspect(asked(client, { token }), source), {
    active: true,
    scope: all,
    client_id: client.clientId,
    token_type: 'Bearer',
    exp,
    iat,
    sub: client.clientId,
    aud: place.audience,
    iss: place.issuer,
    jti,
  })
})

test('introspection tells the scopes that the client still has', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture, { scopes: [all, engine] })
  const token = await tokenOf(fixture, client, { scope: `${all} ${engine}` })
  await fixture.clients.set('siem', { scopes: [engine] }, by)
  const told = await fixture.identity.authorization.introspect(asked(client, { token }), source)
  assert.partialDeepStrictEqual(told, { active: true, scope: engine })
})

test('of any other token introspection tells nothing but that', async () => {
  await using fixture = await tokenFixture({ tokenSeconds: 60 })
  const [client, other] = [await addClient(fixture), await addClient(fixture, { name: 'other' })]
  const { authorization } = fixture.identity
  const [mine, others] = [await tokenOf(fixture, client), await tokenOf(fixture, other)]
  const revoked = await tokenOf(fixture, client)
  await authorization.revoke(asked(client, { token: revoked }), source)
  const tampered = await resigned(fixture, mine, { iss: 'https://x.example' })
  for (const token of [others, revoked, tampered, `${mine}x`, 'x'])
    assert.deepEqual(await authorization.introspect(asked(client, { token }), source), { active: false })
  fixture.clock.pass(60_000)
  assert.deepEqual(await authorization.introspect(asked(client, { token: mine }), source), { active: false })
})

test('only a client is told anything, and may end anything', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  const { authorization } = fixture.identity
  const wrong = { ...client, clientSecret: 'x' }
  for (const nobody of [undefined, wrong]) {
    const request = asked(nobody, { token })
    assert.equal(await refusalOf(authorization.introspect(request, source)), 'invalid_client')
    assert.equal(await refusalOf(authorization.revoke(request, source)), 'invalid_client')
  }
  await present(fixture, token)
})

test('S7: a token is revoked once, which is recorded with the change itself', async () => {
  await using fixture = await tokenFixture()
  const { database, recorder, identity } = fixture
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  const { jti = '' } = decodeJwt(token)
  // What a client hints at does not matter (RFC 7009 section 2.1).
  const request = asked(client, { token, token_type_hint: 'refresh_token' })
  await identity.authorization.revoke(request, source)
  await identity.authorization.revoke(request, source)
  await drain(database, recorder.record)
  const name = `client:${client.clientId}`
  assert.deepEqual(eventsOf(fixture, '29053'), [
    { actor: name, session: jti, target: name, token: jti, client: client.clientId },
  ])
})

test('a revocation that cannot be written has not happened, and says so', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const token = await tokenOf(fixture, client)
  await fixture.database.write.schema.dropTable('outbox').execute()
  const { authorization } = fixture.identity
  await assert.rejects(authorization.revoke(asked(client, { token }), source))
  await present(fixture, token)
})

test('what is no token of ours, or has expired, can be revoked to no effect', async () => {
  await using fixture = await tokenFixture({ tokenSeconds: 60 })
  const client = await addClient(fixture)
  const expired = await tokenOf(fixture, client)
  fixture.clock.pass(60_000)
  const { authorization } = fixture.identity
  for (const token of [expired, 'x', 'a.b.c', `${expired}x`])
    await authorization.revoke(asked(client, { token }), source)
  const rows = await fixture.database.read.selectFrom('revoked_token').selectAll().execute()
  assert.deepEqual(rows, [])
})

test("a client cannot end another's token", async () => {
  await using fixture = await tokenFixture()
  const [client, other] = [await addClient(fixture), await addClient(fixture, { name: 'other' })]
  const token = await tokenOf(fixture, other)
  const { authorization } = fixture.identity
  assert.equal(await refusalOf(authorization.revoke(asked(client, { token }), source)), 'unauthorized_client')
  await present(fixture, token)
})

test('revoked tokens are remembered until they have expired', async () => {
  await using fixture = await tokenFixture({ tokenSeconds: 60 })
  const client = await addClient(fixture)
  const { authorization } = fixture.identity
  const revoke = async () => {
    await authorization.revoke(asked(client, { token: await tokenOf(fixture, client) }), source)
    const rows = await fixture.database.read.selectFrom('revoked_token').select('jti').execute()
    return rows.length
  }
  assert.equal(await revoke(), 1)
  fixture.clock.pass(59_000)
  assert.equal(await revoke(), 2)
  fixture.clock.pass(1000)
  assert.equal(await revoke(), 2)
})

test('whoever knows the key set alone can verify a token', async () => {
  await using fixture = await tokenFixture()
  const token = await tokenOf(fixture, await addClient(fixture))
  const { keys } = (await fixture.identity.authorization.jwks()) as { readonly keys: readonly JWK[] }
  const { protectedHeader } = await jwtVerify(
    token,
    async ({ kid }) => importJWK(keys.find((key) => key.kid === kid) ?? assert.fail('the key is there')),
    {
      issuer: place.issuer,
      audience: place.audience,
      typ: 'at+jwt',
      currentDate: new Date(fixture.clock.wallMicros() / 1000),
    },
  )
  assert.equal(protectedHeader.alg, 'RS256')
})

test('the metadata name each endpoint at the issuer, and only what works', async () => {
  await using fixture = await tokenFixture()
  const methods = ['client_secret_basic', 'client_secret_post']
  assert.deepEqual(fixture.identity.authorization.metadata(), {
    issuer: 'https://portal.example.com/oauth2/default',
    token_endpoint: 'https://portal.example.com/oauth2/default/v1/token',
    jwks_uri: 'https://portal.example.com/oauth2/default/v1/keys',
    introspection_endpoint: 'https://portal.example.com/oauth2/default/v1/introspect',
    revocation_endpoint: 'https://portal.example.com/oauth2/default/v1/revoke',
    scopes_supported: [all, record],
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
  })
})

test('the metadata of the resource name what tokens must be for, and who issues them', async () => {
  await using fixture = await tokenFixture()
  assert.deepEqual(fixture.identity.authorization.resourceMetadata(), {
    resource: 'https://portal.example.com/audit-trail/api',
    authorization_servers: ['https://portal.example.com/oauth2/default'],
    scopes_supported: [all, record],
    bearer_methods_supported: ['header'],
    resource_name: 'Audit Trail API',
  })
})
