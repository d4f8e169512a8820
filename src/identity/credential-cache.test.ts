import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cachedCredentials } from '../limits.ts'
import { CredentialCache } from './credential-cache.ts'
import { ClockDouble } from './testing/clock-double.ts'

const verified = { accountId: 1, name: 'admin', credentialVersion: 1, session: 's' }

function newCache(clock = new ClockDouble(), key = 1): CredentialCache {
  return new CredentialCache(clock, new Uint8Array(32).fill(key))
}

test('verified credentials are remembered for five minutes, whatever happens to the time of day', () => {
  const clock = new ClockDouble()
  const cache = newCache(clock)
  cache.put('k', verified)
  clock.step(-86_400_000)
  clock.pass(5 * 60_000 - 1)
  assert.equal(cache.get('k')?.session, 's')
  clock.pass(1)
  assert.equal(cache.get('k'), undefined)
  assert.equal(cache.size, 0)
})

test('at most a thousand are remembered, the oldest forgotten first', () => {
  const cache = newCache()
  for (let i = 0; i < cachedCredentials + 3; i += 1) cache.put(String(i), verified)
  assert.equal(cache.size, cachedCredentials)
  assert.deepEqual([cache.get('2'), cache.get('3')?.name], [undefined, 'admin'])
})

test('what is remembered anew is young again', () => {
  const cache = newCache()
  for (let i = 0; i < cachedCredentials; i += 1) cache.put(String(i), verified)
  cache.put('0', { ...verified, session: 't' })
  cache.put('more', verified)
  assert.deepEqual([cache.get('0')?.session, cache.get('1')], ['t', undefined])
})

test('what is forgotten is gone', () => {
  const cache = newCache()
  cache.put('k', verified)
  cache.forget('k')
  assert.equal(cache.get('k'), undefined)
})

test('a key stands for one name and one password, and tells neither', () => {
  const cache = newCache()
  const key = cache.keyOf({ name: 'a', password: 'b:c' })
  assert.equal(cache.keyOf({ name: 'a', password: 'b:c' }), key)
  assert.notEqual(cache.keyOf({ name: 'ab', password: ':c' }), key)
  assert.notEqual(cache.keyOf({ name: 'a', password: 'b:d' }), key)
  assert.notEqual(newCache(new ClockDouble(), 2).keyOf({ name: 'a', password: 'b:c' }), key)
})
