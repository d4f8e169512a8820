// The route table, and the errors that need no log (contract, tables A and E).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, type Answer, type Ask } from './testing/client.ts'
import { reader, startPortal } from './testing/portal-server.ts'

const portalPath = '/audit-trail/api/v1/portal/type/auditlog'
const enginePath = '/audit-trail/api/v1/engine/engine-01/type/auditlog'
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
  const stable = ({ headers: { date: _date, 'annals-now': _now, ...headers } }: Answer) => headers
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
  for (const authorization of ['Basic d3Jvbmc6d3Jvbmc=', 'Bearer abc', '']) {
    const answer = await ask(portal.port, portalPath, { headers: { authorization } })
    refusal(answer, 401, 'UNAUTHENTICATED')
    const challenges = answer.rawHeaders.filter((_, i) => answer.rawHeaders[i - 1] === 'WWW-Authenticate')
    assert.deepEqual(challenges, ['Basic realm="annals", charset="UTF-8"', 'Bearer realm="annals"'])
  }
  assert.equal(portal.log.recorded.length, 0, 'identity records those itself')
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
