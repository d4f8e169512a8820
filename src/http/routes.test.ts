// The route table, and the errors that need no log (contract, tables A and E).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, type Answer, type Ask } from './testing/client.ts'
import { admin, reader, startPortal, unreachableEngines } from './testing/portal-server.ts'

const portalPath = '/audit-trail/api/v1/portal/type/auditlog'
const enginePath = '/audit-trail/api/v1/engine/engine-01/type/auditlog'
const tokenPath = '/oauth2/default/v1/token'
const enginesPath = '/audit-trail/api/v1/engines/type/auditlog'

/** Asserts that an answer is a refusal in the contract's form, and returns its only element. */
function refusal(answer: Answer, status: number, code: string): { message: string; engine?: string } {
  assert.equal(answer.status, status)
  assert.equal(answer.headers['content-type'], 'application/json')
  const elements = JSON.parse(answer.body.toString()) as { code: string; message: string; engine?: string }[]
  assert.equal(elements.length, 1)
  const [element] = elements
  assert.equal(element?.code, code)
  assert.ok(element.message.length > 0)
  return element
}

test('A1: the portal path answers with the audit log of the portal', async () => {
  await using portal = await startPortal()
  portal.log.preload(3, 80)
  const answer = await ask(portal.port, portalPath)
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, await portal.log.text(0, 3))
})

test('E1: an engine that is not connected is unknown', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, enginePath)
  assert.equal(refusal(answer, 500, 'UNKNOWN_ENGINE').engine, 'engine-01')
  assert.match(portal.log.recorded[0] ?? '', / 29002 .*target="engine\/engine-01".*UNKNOWN_ENGINE/)
})

test('S7: what is no host name is not recorded as typed', async () => {
  await using portal = await startPortal()
  refusal(
    await ask(portal.port, '/audit-trail/api/v1/engine/my%20secret%2F/type/auditlog'),
    500,
    'UNKNOWN_ENGINE',
  )
  assert.equal(portal.log.recorded.length, 1)
  assert.doesNotMatch(portal.log.recorded[0] ?? '', /secret/)
})

test('A3: no engine is connected, so that all of them have nothing, and the read is recorded', async () => {
  await using portal = await startPortal()
  portal.log.preload(3, 80)
  const answer = await ask(portal.port, `${enginesPath}?elapsed_hours=1`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-length'], '0')
  assert.match(
    portal.log.recorded[0] ?? '',
    / 29006 .*target="engines" engines="0" start="2025-12-31T23:00:03.000000Z"/,
  )
})

test('E8: the empty answer of all engines has no range', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, enginesPath, { headers: { range: 'bytes=0-' } })
  refusal(answer, 416, 'RANGE_NOT_SATISFIABLE')
  assert.equal(answer.headers['content-range'], 'bytes */0')
})

test('A5: HEAD is answered as GET without a body', async () => {
  await using portal = await startPortal()
  portal.log.preload(3, 80)
  const past = `${portalPath}?before_date=2026-01-01T00:00:02`
  const [get, head] = [await ask(portal.port, past), await ask(portal.port, past, { method: 'HEAD' })]
  const stable = ({ headers }: Answer) => {
    const { date: _date, 'annals-now': _now, 'annals-proof': _proof, ...same } = headers
    return same
  }
  assert.equal(head.status, 200)
  assert.deepEqual(stable(head), stable(get))
  assert.equal(head.body.length, 0)
  assert.equal(portal.log.recorded.length, 2, 'both are recorded')
})

test('A5: any other method is refused with Allow, before anybody asks who calls', async () => {
  await using portal = await startPortal()
  for (const path of [portalPath, enginePath, enginesPath, '/healthz', '/metrics']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH']) {
      const answer = await ask(portal.port, path, { method, headers: { authorization: 'none' } })
      refusal(answer, 405, 'METHOD_NOT_ALLOWED')
      assert.equal(answer.headers.allow, 'GET, HEAD', `${method} ${path}`)
    }
  }
  const withBody = { method: 'POST', headers: { 'content-type': 'no/such;;type' }, body: '{' }
  refusal(await ask(portal.port, portalPath, withBody), 405, 'METHOD_NOT_ALLOWED')
})

test('E7: an unknown path is not found, whoever asks and however', async () => {
  await using portal = await startPortal()
  const paths = ['/', '/audit-trail/api/v1', `${portalPath}/`, `/${portalPath}`, '/favicon.ico', '*']
  const close = [`${portalPath};before_date=2026-01-01`, `${portalPath}%3Fbefore_date=2026-01-01`]
  const long = `/audit-trail/api/v1/engine/${'a'.repeat(254)}/type/auditlog`
  for (const path of [...paths, ...close, long, portalPath.toUpperCase()]) {
    const asked: Ask[] = [
      {},
      { headers: { authorization: '' } },
      { method: 'POST', body: '{', headers: { 'content-type': 'a/b' } },
    ]
    for (const how of path === long ? asked.slice(0, 2) : asked) {
      refusal(await ask(portal.port, path, how), 404, 'NOT_FOUND')
    }
  }
  assert.equal(portal.log.recorded.length, 0)
})

test('E5: without valid credentials the challenges name Basic and Bearer', async () => {
  await using portal = await startPortal()
  for (const authorization of ['Basic d3Jvbmc6d3Jvbmc=', 'Negotiate abc', '']) {
    const answer = await ask(portal.port, portalPath, { headers: { authorization } })
    refusal(answer, 401, 'UNAUTHENTICATED')
    const challenges = answer.rawHeaders.filter((_, i) => answer.rawHeaders[i - 1] === 'WWW-Authenticate')
    assert.deepEqual(challenges, [
      'Basic realm="annals", charset="UTF-8"',
      'Bearer realm="annals", resource_metadata="https://portal/metadata"',
    ])
  }
  assert.equal(portal.log.recorded.length, 0, 'identity records those itself')
})

const challengesOf = ({ rawHeaders }: Answer) =>
  rawHeaders.filter((_, i) => rawHeaders[i - 1] === 'WWW-Authenticate')

test('E5: of a token that is not valid the challenge says so (RFC 6750 section 3.1)', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, portalPath, { headers: { authorization: 'Bearer expired' } })
  refusal(answer, 401, 'UNAUTHENTICATED')
  assert.equal(
    challengesOf(answer).at(-1),
    'Bearer realm="annals", error="invalid_token", error_description="the access token is not valid", resource_metadata="https://portal/metadata"',
  )
})

test('E6: a token opens what its scope names, and the rest is refused before the engine is looked up', async () => {
  await using portal = await startPortal()
  const of = async (scope: string) => {
    const answers = [portalPath, enginePath, enginesPath].map((path) =>
      ask(portal.port, path, { headers: { authorization: `Bearer ${scope}` } }),
    )
    return Promise.all(answers)
  }
  const statuses = async (scope: string) => (await of(scope)).map(({ status }) => status)
  assert.deepEqual(await statuses('service:audit-trail'), [200, 500, 200])
  assert.deepEqual(await statuses('service:audit-trail:engine:engine-01'), [403, 500, 403])
  assert.deepEqual(await statuses('service:audit-trail:engine:engine-02'), [403, 403, 403])
  assert.deepEqual(await statuses('service:audit-trail:record'), [403, 403, 403])
  const [answer] = await of('service:audit-trail:record')
  assert.ok(answer)
  const [challenge, ...others] = challengesOf(answer)
  assert.deepEqual(others, [])
  assert.match(challenge ?? '', /^Bearer .*error="insufficient_scope".*scope="service:audit-trail"/)
  assert.match(portal.log.recorded.at(-1) ?? '', / 29002 .*actor="client:siem".*FORBIDDEN/)
})

test('E6: a granted short name opens the engine that it means, and no other that begins like it', async () => {
  await using portal = await startPortal({}, unreachableEngines('alpha.example.com', 'beta.example.org'))
  const read = async (granted: string, asked: string) => {
    const authorization = `Bearer service:audit-trail:engine:${granted}`
    const path = enginePath.replace('engine-01', asked)
    const { body } = await ask(portal.port, path, { headers: { authorization } })
    return (JSON.parse(body.toString()) as { code: string }[]).map(({ code }) => code)
  }
  const opened = ['UNREACHABLE_ENGINE']
  for (const name of ['alpha', 'ALPHA', 'alpha.example.com']) {
    assert.deepEqual(await read('alpha', name), opened)
    assert.deepEqual(await read('alpha.example.com', name), opened)
  }
  // The name that is asked for fits the granted one; the engine that is found is another.
  assert.deepEqual(await read('beta.example.com', 'beta'), ['FORBIDDEN'])
  assert.match(portal.log.recorded.at(-1) ?? '', / 29002 .*actor="client:siem".*FORBIDDEN/)
  assert.deepEqual(await read('beta.example.com', 'beta.example.org'), ['FORBIDDEN'])
})

test('E6: a short name of two engines, though granted, opens neither', async () => {
  await using portal = await startPortal({}, unreachableEngines('alpha.example.com', 'alpha.example.org'))
  const headers = { authorization: 'Bearer service:audit-trail:engine:alpha' }
  const read = (name: string) => ask(portal.port, enginePath.replace('engine-01', name), { headers })
  refusal(await read('alpha'), 500, 'UNKNOWN_ENGINE')
  refusal(await read('alpha.example.com'), 403, 'FORBIDDEN')
})

test('E5: a token in the URL is no credential, whatever it could open in the header', async () => {
  await using portal = await startPortal()
  const token = encodeURIComponent('service:audit-trail')
  const inUrl = `${portalPath}?access_token=${token}`
  refusal(await ask(portal.port, inUrl, { headers: { authorization: '' } }), 401, 'UNAUTHENTICATED')
  refusal(await ask(portal.port, inUrl, { headers: { authorization: admin } }), 400, 'INVALID_PARAMETER')
})

test('S2: the token endpoint gets form and header as they are, and its answer is never kept', async () => {
  await using portal = await startPortal()
  const headers = { authorization: 'Basic abc', 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await ask(portal.port, tokenPath, { method: 'POST', headers, body: 'a=b' })
  assert.equal(answer.status, 200)
  assert.deepEqual(JSON.parse(answer.body.toString()), {
    authorization: 'Basic abc',
    contentType: 'application/x-www-form-urlencoded',
    body: 'a=b',
    source: '127.0.0.1',
  })
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.headers.pragma, 'no-cache')
})

test('S2: refusals of the authorization server are RFC 6749 objects, whatever went wrong', async () => {
  await using portal = await startPortal()
  const post = (body: string) => ask(portal.port, tokenPath, { method: 'POST', body })
  const error = ({ body }: Answer) => (JSON.parse(body.toString()) as { error: string }).error
  const client = await post('wrong-client')
  assert.deepEqual([client.status, error(client)], [401, 'invalid_client'])
  assert.match(challengesOf(client)[0] ?? '', /^Basic /)
  const scope = await post('wrong-scope')
  assert.deepEqual([scope.status, error(scope), challengesOf(scope)], [400, 'invalid_scope', []])
  const busy = await post('busy')
  assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '7'])
  const fault = await post('fault')
  assert.deepEqual([fault.status, error(fault)], [500, 'server_error'])
  assert.doesNotMatch(fault.body.toString(), /secret/)
  portal.state.isReady = false
  const stopping = await post('a=b')
  assert.deepEqual([stopping.status, error(stopping)], [503, 'temporarily_unavailable'])
})

test('S2: keys and metadata are public documents, and the endpoints take POST alone', async () => {
  await using portal = await startPortal()
  const documents = [
    '/oauth2/default/v1/keys',
    '/.well-known/oauth-authorization-server/oauth2/default',
    '/oauth2/default/.well-known/openid-configuration',
    '/.well-known/oauth-protected-resource/audit-trail/api',
  ]
  for (const path of documents) {
    const answer = await ask(portal.port, path, { headers: { authorization: '' } })
    assert.equal(answer.status, 200, path)
    assert.equal(answer.headers['cache-control'], 'public, max-age=300')
  }
  for (const name of ['token', 'introspect', 'revoke'])
    refusal(await ask(portal.port, `/oauth2/default/v1/${name}`), 405, 'METHOD_NOT_ALLOWED')
})

test('S2: a form that is too large is refused before anybody reads it', async () => {
  await using portal = await startPortal()
  for (const name of ['token', 'introspect', 'revoke']) {
    const path = `/oauth2/default/v1/${name}`
    const fits = await ask(portal.port, path, { method: 'POST', body: 'a'.repeat(16_384) })
    assert.equal(fits.status, 200)
    const large = await ask(portal.port, path, { method: 'POST', body: 'a'.repeat(16_385) })
    refusal(large, 413, 'BODY_TOO_LARGE')
  }
})

test('S2: a revocation is answered with JSON that says nothing (RFC 7009 section 2.2)', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, '/oauth2/default/v1/revoke', { method: 'POST', body: 'token=a' })
  assert.deepEqual([answer.status, answer.body.toString()], [200, '{}'])
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['cache-control'], 'no-store')
})

test('E6: who has no administrator rights is refused before the engine is looked up', async () => {
  await using portal = await startPortal()
  for (const path of [portalPath, enginePath, enginesPath, `${portalPath}?nonsense`]) {
    refusal(await ask(portal.port, path, { headers: { authorization: reader } }), 403, 'FORBIDDEN')
  }
  assert.equal(portal.log.recorded.length, 4)
  for (const line of portal.log.recorded) assert.match(line, / 29002 .*actor="reader".*FORBIDDEN/)
})

test('E4: a typing error in the query is refused and recorded, without its text', async () => {
  await using portal = await startPortal()
  portal.log.preload(3, 80)
  for (const path of [portalPath, enginePath, enginesPath]) {
    const { message } = refusal(await ask(portal.port, `${path}?befor_date=secret`), 400, 'INVALID_PARAMETER')
    assert.match(message, /befor_date|before_date/)
  }
  assert.equal(portal.log.recorded.length, 3)
  for (const line of portal.log.recorded) assert.doesNotMatch(line, /secret/)
})

test('W7: what a fragment hides from the router is refused, not forgotten', async () => {
  await using portal = await startPortal()
  portal.log.preload(3, 80)
  for (const path of [`${portalPath}#before_date=2026-01-01`, `${portalPath}#?before_date=2026-01-01`]) {
    const answer = await ask(portal.port, path)
    assert.ok(answer.status === 400, `${path}: ${answer.status}`)
  }
})

test('E7: nothing that we have is acceptable, and that is recorded', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, portalPath, { headers: { 'accept-encoding': 'identity;q=0, br' } })
  refusal(answer, 406, 'NOT_ACCEPTABLE')
  assert.match(portal.log.recorded[0] ?? '', / 29002 .*NOT_ACCEPTABLE/)
})

test('E7: Accept is ignored', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, portalPath, { headers: { accept: 'application/json;q=1, */*;q=0' } })
  assert.equal(answer.status, 200)
})

test('E9: who must wait is told how long', async () => {
  await using portal = await startPortal()
  const answer = await ask(portal.port, portalPath, { headers: { authorization: 'Basic busy' } })
  refusal(answer, 429, 'TOO_MANY_REQUESTS')
  assert.equal(answer.headers['retry-after'], '7')
})

test('E10: a node that is not ready says when to come back, and lives', async () => {
  await using portal = await startPortal()
  portal.state.isReady = false
  for (const path of [portalPath, enginePath, enginesPath]) {
    const answer = await ask(portal.port, path, { headers: { authorization: '' } })
    refusal(answer, 503, 'UNAVAILABLE')
    assert.ok(Number(answer.headers['retry-after']) > 0)
  }
  assert.equal((await ask(portal.port, '/healthz')).status, 200)
  const ready = await ask(portal.port, '/readyz')
  assert.deepEqual([ready.status, ready.headers['content-type']], [503, 'application/json'])
  assert.ok(Number(ready.headers['retry-after']) > 0)
  assert.deepEqual(JSON.parse(ready.body.toString()), { ready: false })
})

test('E10: a log whose queue is full, or that is closed, is the answer that the caller gets', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'TOO_MANY_REQUESTS'
  refusal(await ask(portal.port, portalPath), 429, 'TOO_MANY_REQUESTS')
  refusal(await ask(portal.port, `${portalPath}?x=1`), 429, 'TOO_MANY_REQUESTS')
  portal.log.recordingFails = 'UNAVAILABLE'
  const answer = await ask(portal.port, portalPath)
  refusal(answer, 503, 'UNAVAILABLE')
  assert.ok(Number(answer.headers['retry-after']) > 0)
})

test('E10: a read of unknown outcome is refused', async () => {
  await using portal = await startPortal()
  portal.log.recordingFails = 'OUTCOME_UNKNOWN'
  refusal(await ask(portal.port, portalPath), 503, 'OUTCOME_UNKNOWN')
})

test('a fault tells the caller nothing of the inside, and the operator all of it', async () => {
  await using portal = await startPortal()
  portal.log.read = () => Promise.reject(new TypeError('/var/lib/annals: secret'))
  const answer = await ask(portal.port, portalPath)
  refusal(answer, 500, 'INTERNAL')
  assert.doesNotMatch(answer.body.toString(), /secret|annals:/)
  assert.equal(portal.logged.length, 1)
  assert.equal(portal.logged[0]?.level, 'error')
})

test('the node tells its health, its metrics and its version to everybody, and records none of it', async () => {
  await using portal = await startPortal()
  const get = (path: string) => ask(portal.port, path, { headers: { authorization: '' } })
  assert.equal((await get('/healthz')).body.toString(), 'ok\n')
  assert.deepEqual(JSON.parse((await get('/readyz')).body.toString()), { ready: true })
  assert.equal((await get('/metrics')).body.toString(), 'annals_up 1\n')
  assert.deepEqual(JSON.parse((await get('/version')).body.toString()), { name: 'annals', version: '1.2.3' })
  assert.equal(portal.log.recorded.length, 0)
})

test('every answer forbids guessing its type, framing it and telling its address', async () => {
  await using portal = await startPortal()
  for (const path of [portalPath, enginePath, '/healthz', '/nothing', '/%zz']) {
    const { headers } = await ask(portal.port, path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['referrer-policy'], 'no-referrer', path)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
    assert.match(String(headers['cache-control']), /no-store|private, no-cache/)
  }
})

test('answers are counted by route template and status', async () => {
  await using portal = await startPortal()
  await ask(portal.port, enginePath)
  await ask(portal.port, '/nothing/of/the/kind')
  await ask(portal.port, '/healthz')
  assert.deepEqual(portal.metrics.answers, [
    '/audit-trail/api/v1/engine/:host/type/auditlog 500',
    'none 404',
    '/healthz 200',
  ])
  assert.deepEqual(portal.metrics.refusals, ['UNKNOWN_ENGINE', 'NOT_FOUND'])
})
