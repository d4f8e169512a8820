import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { AnnalsError } from '../errors.ts'
import { toldRevocations, toldTokenKeys } from '../limits.ts'
import type { ClientWithSecret, NewClient } from './clients.ts'
import { EngineTokens } from './engine-tokens.ts'
import type { FailedCall } from './login-events.ts'
import { mayRecord, type RecordBounds } from './rights.ts'
import { readScope, recordScope } from './scope.ts'
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
  type TokenFixture,
  tokenFixture,
  tokenOf,
} from './testing/token-fixture.ts'
import type { TokenTrust } from './token-trust.ts'

const log = 'engine-01-aaaaaaaaaaaaaaaa'
const resource = `${place.audience}/v2/logs/${log}`
const bounds: RecordBounds = { components: ['Engine-01'], codes: [[10_000, 10_999]], ownCodes: false }

test('a token for an engine names its log and what may be recorded, and nothing else', async () => {
  await using fixture = await tokenFixture()
  const client = await addRecorder(fixture)
  for (const name of [log, 'engine-01']) {
    const { scope, access_token } = await issue(fixture, client, {
      resource: `${place.audience}/v2/logs/${name}`,
    })
    const { aud, iss, annals_records: records } = decodeJwt(access_token)
    assert.deepEqual([aud, iss, scope, records], [log, place.issuer, recordScope, bounds])
  }
  const event = fixture.recorder.events.findLast(({ code }) => code === '29051')
  assert.deepEqual(event?.details?.at(-1), ['audience', log])
  assert.deepEqual(fixture.engines.told, [log, log])
})

test('a token for an engine is had for recording only, and for an engine that is connected', async () => {
  await using fixture = await tokenFixture()
  const recorder = await addRecorder(fixture)
  const reader = await addClient(fixture)
  const wide = await addClient(fixture, {
    name: 'wide',
    scopes: [recordScope],
    recordBounds: { ...bounds, components: Array.from({ length: 500 }, (_, k) => `Engine-${k}-of-many`) },
  })
  const cases: [string, Pick<ClientWithSecret, 'clientId' | 'clientSecret'>, Record<string, string>][] = [
    ['invalid_scope', recorder, { resource, scope: readScope }],
    ['invalid_scope', recorder, { resource, scope: `${readScope} ${recordScope}` }],
    ['invalid_scope', reader, { resource }],
    ['invalid_scope', wide, { resource }],
    ['invalid_target', recorder, { resource: `${place.audience}/v2/logs/engine-02` }],
    ['invalid_target', recorder, { resource: `${place.audience}/v2/logs/` }],
    ['invalid_target', recorder, { resource: `${place.audience}/v2/other/engine-01` }],
    ['invalid_target', recorder, { resource: log }],
  ]
  for (const [refusal, client, form] of cases)
    assert.equal(await refusalOf(issue(fixture, client, form)), refusal, JSON.stringify(form))
  assert.equal((await issue(fixture, recorder, { resource, scope: recordScope })).scope, recordScope)
})

test('E5: an engine knows the clients of its portal by their tokens, and what they may record', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  const client = await addRecorder(fixture)
  const token = await tokenOf(fixture, client, { resource })
  await engine.learn()
  const { name, session, scheme, rights } = await engine.present(token)
  assert.deepEqual([name, scheme, rights.reads], [`client:${client.clientId}`, 'Bearer', []])
  assert.equal(session, decodeJwt(token).jti)
  assert.ok(mayRecord(rights, 'Engine-01', 10_006, false))
  assert.ok(!mayRecord(rights, 'Engine-02', 10_006, false))
  assert.ok(!mayRecord(rights, 'Engine-01', 20_101, false))
  assert.deepEqual(await engine.present(token), { name, session, scheme, rights })
})

test('E5: a token for an engine is of no use at the portal or at another engine, nor the portal’s at an engine', async () => {
  await using fixture = await tokenFixture()
  const [engine, other] = [await engineOf(fixture), await engineOf(fixture, 'engine-02-bbbbbbbbbbbbbbbb')]
  const client = await addRecorder(fixture)
  const [token, portals] = [await tokenOf(fixture, client, { resource }), await tokenOf(fixture, client)]
  await engine.learn()
  await other.learn()
  assert.equal(await refusalOf(present(fixture, token)), 'UNAUTHENTICATED')
  assert.deepEqual(reasonsOf(fixture), ['token-audience'])
  assert.equal(await refusalOf(other.present(token)), 'UNAUTHENTICATED')
  assert.equal(await refusalOf(engine.present(portals)), 'UNAUTHENTICATED')
  assert.deepEqual([...engine.reasons(), ...other.reasons()], ['token-audience', 'token-audience'])
  // Neither the one at the portal once it was looked at there, nor the other.
  await fixture.identity.authorization.introspect(asked(client, { token }), source)
  assert.equal(await refusalOf(present(fixture, token)), 'UNAUTHENTICATED')
})

test('E5: calls without a token, and tokens that prove nothing, are refused at an engine and told apart in its log', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  const token = await tokenOf(fixture, await addRecorder(fixture), { resource })
  assert.equal(await refusalOf(engine.present(token)), 'UNAUTHENTICATED')
  await engine.learn()
  const now = Math.floor(fixture.clock.wallMicros() / 1_000_000)
  const cases: [string, string | undefined][] = [
    ['no-credentials', undefined],
    ['no-credentials', ''],
    ['other-scheme', 'Basic YTpi'],
    ['token-malformed', 'Bearer x'],
    ['token-signature', `Bearer ${token.slice(0, -8)}AAAAAAAA`],
    ['token-signature', `Bearer ${await resigned(fixture, token, {}, { kid: 'another' })}`],
    ['token-issuer', `Bearer ${await resigned(fixture, token, { iss: 'https://other.example.com' })}`],
    ['token-expired', `Bearer ${await resigned(fixture, token, { exp: now - 1 })}`],
    ['token-malformed', `Bearer ${await resigned(fixture, token, {}, { typ: 'JWT' })}`],
    ['token-malformed', `Bearer ${await resigned(fixture, token, { aud: [log, 'x'] })}`],
    ['token-audience', `Bearer ${await resigned(fixture, token, { annals_records: undefined })}`],
    [
      'token-client',
      `Bearer ${await resigned(fixture, token, { annals_records: { ...bounds, codes: 'any' } })}`,
    ],
  ]
  for (const [, authorization] of cases)
    assert.equal(await refusalOf(engine.tokens.authenticate({ authorization, source })), 'UNAUTHENTICATED')
  assert.deepEqual(engine.reasons(), ['token-issuer', ...cases.map(([reason]) => reason)])
  await engine.present(token)
})

test('what ends tokens at the portal ends them at an engine that is told of it, verified before or not', async () => {
  const changes: [
    string,
    string,
    (fixture: TokenFixture, client: ClientWithSecret, token: string) => unknown,
  ][] = [
    [
      'token-revoked',
      'revoked',
      ({ identity }, client, token) => identity.authorization.revoke(asked(client, { token }), source),
    ],
    ['token-client', 'switched off', ({ clients }, { name }) => clients.set(name, { isEnabled: false }, by)],
    ['token-client', 'removed', ({ clients }, { name }) => clients.remove(name, by)],
    [
      'token-client',
      'another scope',
      ({ clients }, { name }) => clients.set(name, { scopes: [readScope] }, by),
    ],
    [
      'token-client',
      'narrower bounds',
      ({ clients }, { name }) =>
        clients.set(name, { recordBounds: { ...bounds, codes: [[10_006, 10_006]] } }, by),
    ],
    [
      'token-client',
      'its tokens revoked',
      ({ clients }, { name }) => clients.rotate(name, { graceSeconds: 0, revokesTokens: true }, by),
    ],
    ['token-signature', 'the key stolen', ({ identity }) => identity.tokenKeys.rotate(by, 'stolen')],
  ]
  for (const [reason, what, change] of changes) {
    await using fixture = await tokenFixture()
    const engine = await engineOf(fixture)
    const client = await addRecorder(fixture)
    const [first, second] = [
      await tokenOf(fixture, client, { resource }),
      await tokenOf(fixture, client, { resource }),
    ]
    await engine.learn()
    await engine.present(first)
    await change(fixture, client, first)
    await engine.present(first)
    await engine.learn()
    assert.equal(await refusalOf(engine.present(first)), 'UNAUTHENTICATED', what)
    assert.deepEqual(engine.reasons(), [reason], what)
    const isOther = reason === 'token-revoked' ? 'none' : 'UNAUTHENTICATED'
    assert.equal(await refusalOf(engine.present(second)), isOther, what)
  }
})

test('a key that is replaced by age verifies on, and the next one is known before it signs', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  const client = await addRecorder(fixture)
  const before = await tokenOf(fixture, client, { resource })
  await engine.learn()
  await fixture.identity.tokenKeys.rotate(by, 'command')
  // The engine was not told since.
  await engine.present(await tokenOf(fixture, client, { resource }))
  await engine.present(before)
  await engine.learn()
  await engine.present(before)
})

test('a client that expires ends at an engine that was told nothing more', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  const expiresAt = fixture.clock.wallMicros() + 60_000_000
  const client = await addRecorder(fixture, { expiresAt })
  const token = await tokenOf(fixture, client, { resource })
  await engine.learn()
  await engine.present(token)
  fixture.clock.pass(60_000)
  assert.equal(await refusalOf(engine.present(token)), 'UNAUTHENTICATED')
  assert.deepEqual(engine.reasons(), ['token-client'])
})

test('introspection and revocation at the portal work for tokens of engines', async () => {
  await using fixture = await tokenFixture()
  const { authorization } = fixture.identity
  const client = await addRecorder(fixture)
  const token = await tokenOf(fixture, client, { resource })
  const described = (await authorization.introspect(asked(client, { token }), source)) as Record<
    string,
    unknown
  >
  assert.deepEqual([described['active'], described['aud'], described['scope']], [true, log, recordScope])
  await authorization.revoke(asked(client, { token }), source)
  assert.deepEqual(await authorization.introspect(asked(client, { token }), source), { active: false })
  assert.equal(fixture.engines.told.at(-1), log)
  assert.equal(fixture.recorder.events.length > 0, true)
})

test('only revoked tokens of engines are told, until they have expired; beyond the limit older ones are all refused', async () => {
  await using fixture = await tokenFixture()
  const { identity, database, clock } = fixture
  const now = clock.wallMicros()
  const client = await addRecorder(fixture)
  await identity.authorization.revoke(asked(client, { token: await tokenOf(fixture, client) }), source)
  assert.deepEqual((await identity.tokenTrust()).revoked, [])
  const rows = Array.from({ length: toldRevocations + 2 }, (_, k) => ({
    jti: `j${k}`,
    expires_at: now + 1 + k,
    log,
  }))
  await database.write.insertInto('revoked_token').values({ jti: 'over', expires_at: now, log }).execute()
  for (let at = 0; at < rows.length; at += 500)
    await database.write
      .insertInto('revoked_token')
      .values(rows.slice(at, at + 500))
      .execute()
  const { revoked, endedUntil } = await identity.tokenTrust()
  assert.deepEqual([revoked.length, revoked[0]?.jti, endedUntil], [toldRevocations, 'j2', now + 2])
  assert.equal(revoked.at(-1)?.jti, `j${toldRevocations + 1}`)
})

test('a token that expires before the moment up to which all count as revoked is refused', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  const token = await tokenOf(fixture, await addRecorder(fixture), { resource })
  const { exp = 0 } = decodeJwt(token)
  await engine.learn({ endedUntil: exp * 1_000_000 - 1 })
  await engine.present(token)
  await engine.learn({ endedUntil: exp * 1_000_000 })
  assert.equal(await refusalOf(engine.present(token)), 'UNAUTHENTICATED')
  assert.deepEqual(engine.reasons(), ['token-revoked'])
})

test('engines are told the newest keys, and no private half of any', async () => {
  await using fixture = await tokenFixture()
  const { database, identity } = fixture
  const { private_key: _, ...row } = await database.read
    .selectFrom('token_key')
    .selectAll()
    .where('state', '=', 'current')
    .executeTakeFirstOrThrow()
  const retired = Array.from({ length: toldTokenKeys }, (_, k) => ({
    ...row,
    kid: `retired-${k}`,
    state: 'retired' as const,
    public_jwk: JSON.stringify({ ...JSON.parse(row.public_jwk), kid: `retired-${k}` }),
    created_at: row.created_at - 100 + k,
  }))
  await database.write.insertInto('token_key').values(retired).execute()
  const { keys } = await identity.tokenTrust()
  assert.equal(keys.length, toldTokenKeys)
  assert.equal(keys[0]?.kid, 'retired-2')
  assert.ok(keys.some(({ kid }) => kid === row.kid))
  assert.deepEqual([...new Set(keys.flatMap((key) => Object.keys(key)))].sort(), [
    'alg',
    'e',
    'kid',
    'kty',
    'n',
    'use',
  ])
})

async function addRecorder(
  fixture: TokenFixture,
  client: Partial<NewClient> = {},
): Promise<ClientWithSecret> {
  return addClient(fixture, {
    name: 'recorder',
    scopes: [readScope, recordScope],
    recordBounds: bounds,
    ...client,
  })
}

async function engineOf({ identity, clock }: TokenFixture, of = log) {
  let trust: TokenTrust | undefined
  const failures: FailedCall[] = []
  const add = async (call: FailedCall) => void failures.push(call)
  const tokens = new EngineTokens({ trust: () => trust, log: of, clock, failures: { add } })
  return {
    tokens,
    present: (token: string) => tokens.authenticate({ authorization: `Bearer ${token}`, source }),
    /** Tells the engine what is to be known now, as it comes over the wire. */
    async learn(more: Partial<TokenTrust> = {}) {
      trust = { ...(JSON.parse(JSON.stringify(await identity.tokenTrust())) as TokenTrust), ...more }
    },
    reasons: () => failures.map(({ reason }) => reason),
  }
}

test('the words of a refusal at an engine say nothing of what was wrong with a token', async () => {
  await using fixture = await tokenFixture()
  const engine = await engineOf(fixture)
  await engine.learn()
  const texts = new Set<string>()
  for (const token of ['x', 'a.b.c'])
    await engine.present(token).catch((error: unknown) => {
      assert.ok(error instanceof AnnalsError)
      assert.deepEqual(error.bearer, { error: 'invalid_token' })
      texts.add(error.message)
    })
  assert.equal(texts.size, 1)
})
