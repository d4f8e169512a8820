import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedTokens } from '../limits.ts'
import type { TokenClaims } from './access-token.ts'
import { TokenCache } from './token-cache.ts'

const claims: TokenClaims = {
  jti: '00000000-0000-4000-8000-000000000000',
  clientId: 'siem-a',
  audience: 'portal',
  scopes: [],
  expires: 1000,
  issued: 0,
  validFrom: 0,
  kid: 'x',
}

test('what is remembered of a token is forgotten when it expires', () => {
  const cache = new TokenCache()
  cache.put('a', claims)
  assert.equal(cache.get('a', 999), claims)
  assert.equal(cache.get('b', 0), undefined)
  assert.equal(cache.get('a', 1000), undefined)
  assert.equal(cache.size, 0)
})

test('no more tokens are remembered than there is room for, the latest of them', () => {
  const cache = new TokenCache()
  for (let n = 0; n < cachedTokens + 10; n += 1) cache.put(`${n}`, claims)
  assert.equal(cache.size, cachedTokens)
  assert.equal(cache.get('9', 0), undefined)
  assert.equal(cache.get('10', 0), claims)
  assert.equal(cache.get(`${cachedTokens + 9}`, 0), claims)
})

test('a token is known by all of it: its signature too', () => {
  const cache = new TokenCache()
  assert.notEqual(cache.keyOf('a.b.c'), cache.keyOf('a.b.d'))
  assert.match(cache.keyOf('a.b.c'), /^[0-9a-f]{64}$/)
})
