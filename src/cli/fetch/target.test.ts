import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../../errors.ts'
import { defaultTokenUrl, demandSafeTransport, parseServerUrl, targetUrl } from './target.ts'

const server = new URL('https://portal.example.com')

test('A1, A2, A3: each log has its path, also behind a path of a proxy', () => {
  const at = (url: string, log: 'portal' | 'engine' | 'engines', name?: string) =>
    targetUrl(new URL(url), { log, name })
  const api = 'https://portal.example.com/audit-trail/api/v1'
  assert.equal(at(server.href, 'portal'), `${api}/portal/type/auditlog`)
  assert.equal(at(server.href, 'engine', 'Engine-01'), `${api}/engine/Engine-01/type/auditlog`)
  assert.equal(at(server.href, 'engines'), `${api}/engines/type/auditlog`)
  assert.equal(at('http://h:1/nx/', 'portal'), 'http://h:1/nx/audit-trail/api/v1/portal/type/auditlog')
  assert.equal(defaultTokenUrl(server).href, 'https://portal.example.com/oauth2/default/v1/token')
})

test('W5: a plus that was typed stays one, and nothing that was typed becomes another parameter', () => {
  const url = targetUrl(server, { log: 'portal', before: '2025-01-01T00:00:00+01:00', elapsedHours: '1&x=#' })
  assert.match(url, /\?before_date=2025-01-01T00%3A00%3A00%2B01%3A00&elapsed_hours=1%26x%3D%23$/)
  assert.deepEqual(
    [...new URL(url).searchParams],
    [
      ['before_date', '2025-01-01T00:00:00+01:00'],
      ['elapsed_hours', '1&x=#'],
    ],
  )
})

test('the name of an engine leads nowhere but to an engine', () => {
  const named = (name?: string) => targetUrl(server, { log: 'engine', name })
  assert.match(named('a/../../x'), /engine\/a%2F\.\.%2F\.\.%2Fx\/type\/auditlog$/)
  for (const name of [undefined, '', '.', '..', 'a'.repeat(254)])
    assert.throws(() => named(name), isWrongInput)
  assert.throws(() => targetUrl(server, { log: 'engines', name: 'x' }), isWrongInput)
})

test('a server is named by a plain http or https URL, and credentials in it are not repeated', () => {
  assert.equal(parseServerUrl('https://h:8443/nx', '--url').href, 'https://h:8443/nx')
  for (const text of ['portal', 'ftp://h', 'https://h/?a=1', 'https://h/#x']) {
    assert.throws(() => parseServerUrl(text, '--url'), isWrongInput)
  }
  assert.throws(
    () => parseServerUrl('https://me:s3cret@h/', '--url'),
    (error) => {
      return isWrongInput(error) && !String(error).includes('s3cret')
    },
  )
})

test('credentials go over plain HTTP to this machine alone, unless it is allowed in so many words', () => {
  for (const text of ['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:1', 'https://portal'])
    demandSafeTransport(new URL(text), '--url', false)
  for (const text of ['http://portal', 'http://10.0.0.1', 'http://[fe80::1]']) {
    assert.throws(() => demandSafeTransport(new URL(text), '--url', false), isWrongInput)
    demandSafeTransport(new URL(text), '--url', true)
  }
})

function isWrongInput(error: unknown): boolean {
  return isAnnalsError(error, 'INVALID_INPUT')
}
