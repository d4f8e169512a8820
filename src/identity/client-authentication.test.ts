// Which client calls, through the token endpoint, for that is where it matters.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namedClientAttemptRate } from '../limits.ts'
import { hashSecret } from './client.ts'
import { basic, by } from './testing/identity-fixture.ts'
import {
  addClient,
  asked,
  issue,
  reasonsOf,
  refusalOf,
  source,
  tokenFixture,
  type TokenFixture,
} from './testing/token-fixture.ts'
import type { OAuthRequest } from './oauth-form.ts'
import { OAuthError } from './oauth-error.ts'

const grant = { grant_type: 'client_credentials' }

async function answerTo({ identity }: TokenFixture, request: OAuthRequest): Promise<string> {
  return refusalOf(identity.authorization.token(request, source))
}

function withHeader(authorization: string, form: Readonly<Record<string, string>> = {}): OAuthRequest {
  return { ...asked(undefined, { ...grant, ...form }), authorization }
}

test('S2: a client proves itself by Basic or in the form', async () => {
  await using fixture = await tokenFixture()
  const { clientId, clientSecret } = await addClient(fixture)
  const form = { ...grant, client_id: clientId, client_secret: clientSecret }
  assert.equal(await answerTo(fixture, asked({ clientId, clientSecret }, grant)), 'none')
  assert.equal(await answerTo(fixture, asked(undefined, form)), 'none')
  assert.deepEqual(reasonsOf(fixture), [])
})

test('S2: not by both', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const { clientId, clientSecret } = client
  const both = asked(client, { ...grant, client_id: clientId, client_secret: clientSecret })
  assert.equal(await answerTo(fixture, both), 'invalid_request')
  assert.deepEqual(reasonsOf(fixture), ['malformed'])
})

test('a client may name itself in the form beside Basic, but no other', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  assert.equal(await answerTo(fixture, asked(client, { ...grant, client_id: client.clientId })), 'none')
  assert.equal(
    await answerTo(fixture, asked(client, { ...grant, client_id: 'other-0000000000' })),
    'invalid_request',
  )
})

test('S2: a secret by Basic may be form-encoded, or not', async () => {
  await using fixture = await tokenFixture()
  const { database } = fixture
  const { clientId } = await addClient(fixture)
  // Ours have no character that is encoded; a secret that has them shows both.
  const secret = 'a+b %41&é:c'
  await database.write
    .updateTable('client_secret')
    .set({ hash: hashSecret(secret) })
    .execute()
  const encoded = encodeURIComponent(secret).replaceAll('%20', '+')
  assert.notEqual(encoded, secret)
  for (const sent of [secret, encoded, encodeURIComponent(secret)])
    assert.equal(await answerTo(fixture, withHeader(basic(clientId, sent))), 'none', sent)
  assert.equal(await answerTo(fixture, withHeader(basic(clientId, `${secret}x`))), 'invalid_client')
})

test('a client id by Basic may be form-encoded too', async () => {
  await using fixture = await tokenFixture()
  const { clientId, clientSecret } = await addClient(fixture)
  const encoded = clientId.replaceAll('-', '%2D')
  assert.equal(await answerTo(fixture, withHeader(basic(encoded, clientSecret))), 'none')
})

const wrong: readonly (readonly [string, (id: string, secret: string) => OAuthRequest, string])[] = [
  ['nothing', () => asked(undefined, grant), 'no-credentials'],
  ['its id alone', (id) => asked(undefined, { ...grant, client_id: id }), 'no-credentials'],
  [
    'an empty secret in the form',
    (id) => asked(undefined, { ...grant, client_id: id, client_secret: '' }),
    'no-credentials',
  ],
  ['an empty secret by Basic', (id) => withHeader(basic(id, '')), 'client-secret'],
  ['a wrong secret', (id, secret) => withHeader(basic(id, `${secret}x`)), 'client-secret'],
  ['the hash of its secret', (id, secret) => withHeader(basic(id, hashSecret(secret))), 'client-secret'],
  ['an id that is none', (id, secret) => withHeader(basic(`${id}x`, secret)), 'client-unknown'],
  ['its name', (_id, secret) => withHeader(basic('siem', secret)), 'client-unknown'],
  ['a header that is no base64', () => withHeader('Basic ???'), 'no-credentials'],
  ['Basic without a colon', () => withHeader('Basic YWJj'), 'no-credentials'],
  [
    'another scheme, and the secret in the form',
    (id, secret) => withHeader('Bearer x', { client_id: id, client_secret: secret }),
    'no-credentials',
  ],
  [
    'an assertion',
    (id) => asked(undefined, { ...grant, client_id: id, client_assertion: 'a.b.c' }),
    'no-credentials',
  ],
]

for (const [what, request, reason] of wrong)
  test(`S6: a client that presents ${what} is refused in the same words, and that is recorded`, async () => {
    await using fixture = await tokenFixture()
    const { clientId, clientSecret } = await addClient(fixture)
    const { authorization } = fixture.identity
    await assert.rejects(authorization.token(request(clientId, clientSecret), source), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.deepEqual([error.error, error.status], ['invalid_client', 401])
      assert.equal(error.message, 'the id and secret of a client are needed, by HTTP Basic or in the form')
      return true
    })
    assert.deepEqual(reasonsOf(fixture), [reason])
    const [{ eventParams } = {}] = fixture.recorder.events.filter(({ code }) => code === '20103')
    assert.ok(!JSON.stringify(eventParams).includes(clientSecret))
  })

test('a client that tried Basic is told that it may, and no other is', async () => {
  await using fixture = await tokenFixture()
  const { clientId } = await addClient(fixture)
  const { authorization } = fixture.identity
  const challenged = async (request: OAuthRequest): Promise<boolean> =>
    authorization.token(request, source).then(
      () => assert.fail('refused'),
      (error: unknown) => error instanceof OAuthError && error.challengesBasic,
    )
  assert.equal(await challenged(withHeader(basic(clientId, 'x'))), true)
  assert.equal(await challenged(withHeader('Bearer x')), true)
  assert.equal(
    await challenged(asked(undefined, { ...grant, client_id: clientId, client_secret: 'x' })),
    false,
  )
  assert.equal(await challenged(asked(undefined, grant)), false)
})

test('an id that is no client is never recorded in clear, and a client is', async () => {
  await using fixture = await tokenFixture()
  const { clientId } = await addClient(fixture)
  await answerTo(fixture, withHeader(basic('Hunter2', 'x')))
  await answerTo(fixture, withHeader(basic(clientId, 'x')))
  const targets = fixture.recorder.events.filter(({ code }) => code === '20103').map(({ target }) => target)
  assert.match(targets[0] ?? '', /^\(unknown\) [0-9a-f]{8}$/)
  assert.equal(targets[1], `client:${clientId}`)
  assert.ok(!JSON.stringify(fixture.recorder.events).includes('Hunter2'))
})

test('two secrets are good while one is being replaced, and the old one until its grace is over', async () => {
  await using fixture = await tokenFixture()
  const old = await addClient(fixture)
  const replacement = await fixture.clients.rotate('siem', { graceSeconds: 3600, revokesTokens: false }, by)
  await issue(fixture, old)
  await issue(fixture, replacement)
  fixture.clock.pass(3_600_000 - 1)
  await issue(fixture, old)
  fixture.clock.pass(1)
  assert.equal(await refusalOf(issue(fixture, old)), 'invalid_client')
  await issue(fixture, replacement)
})

test('a client that is switched off or has expired is refused as if its secret were wrong', async () => {
  await using fixture = await tokenFixture()
  const expiresAt = fixture.clock.wallMicros() + 60_000_000
  const client = await addClient(fixture, { expiresAt })
  await fixture.clients.set('siem', { isEnabled: false }, by)
  assert.equal(await refusalOf(issue(fixture, client)), 'invalid_client')
  await fixture.clients.set('siem', { isEnabled: true }, by)
  await issue(fixture, client)
  fixture.clock.pass(60_000)
  assert.equal(await refusalOf(issue(fixture, client)), 'invalid_client')
  assert.deepEqual(reasonsOf(fixture), ['client-ended', 'client-ended'])
})

test('S6: whatever is wrong with a client, as many questions are put to the database', async () => {
  await using fixture = await tokenFixture()
  const { clientId, clientSecret } = await addClient(fixture)
  await addClient(fixture, { name: 'off' })
  const off = (await fixture.clients.set('off', { isEnabled: false }, by)).clientId
  const counts: number[] = []
  for (const [id, secret] of [
    ['nobody', clientSecret],
    [clientId, 'x'],
    [off, 'x'],
  ] as const) {
    using counting = countQueries(fixture)
    assert.equal(await answerTo(fixture, withHeader(basic(id, secret))), 'invalid_client')
    counts.push(counting.count)
  }
  assert.ok((counts[0] ?? 0) > 0)
  assert.equal(new Set(counts).size, 1, counts.join())
})

function countQueries({ database }: TokenFixture): Disposable & { count: number } {
  const { read } = database
  const executor = read.getExecutor()
  const executeQuery = executor.executeQuery.bind(executor)
  const counting = {
    count: 0,
    [Symbol.dispose]: () => void Object.assign(executor, { executeQuery }),
  }
  const counted: typeof executeQuery = (...query) => {
    counting.count += 1
    return executeQuery(...query)
  }
  Object.assign(executor, { executeQuery: counted })
  return counting
}

test('E9: guesses at a secret are limited before it is compared, and only from where they come', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const guess = asked({ ...client, clientSecret: 'x' }, grant)
  for (let n = 0; n < namedClientAttemptRate.burst; n += 1)
    assert.equal(await answerTo(fixture, guess), 'invalid_client')
  assert.equal(await answerTo(fixture, guess), 'TOO_MANY_REQUESTS')
  assert.equal(await answerTo(fixture, asked(client, grant)), 'TOO_MANY_REQUESTS')
  assert.equal(reasonsOf(fixture).at(-1), 'rate-limited')
  const { authorization } = fixture.identity
  assert.equal(await refusalOf(authorization.token(asked(client, grant), '198.51.100.1')), 'none')
})

test('E9: however a client id is encoded, guesses at its secret count together', async () => {
  await using fixture = await tokenFixture()
  const { clientId } = await addClient(fixture)
  const encoded = clientId.replaceAll('-', '%2d')
  for (let n = 0; n < namedClientAttemptRate.burst; n += 1)
    await answerTo(fixture, withHeader(basic(n % 2 === 0 ? clientId : encoded, 'x')))
  assert.equal(await answerTo(fixture, withHeader(basic(encoded, 'x'))), 'TOO_MANY_REQUESTS')
})

test('E9: right secrets do not count towards that limit', async () => {
  await using fixture = await tokenFixture()
  const client = await addClient(fixture)
  const { authorization } = fixture.identity
  for (let n = 0; n < namedClientAttemptRate.burst + 5; n += 1)
    await authorization.introspect(asked(client, { token: 'x' }), source)
})
