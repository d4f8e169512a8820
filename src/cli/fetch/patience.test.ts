import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchPauseMaxMs, fetchPauseMs, fetchPausesMs } from '../../limits.ts'
import { Patience } from './patience.ts'
import { retryAfterMs } from './retry-after.ts'

test('pauses double up to their bound, and are spread out', () => {
  const pauses = (random: number) => {
    const patience = new Patience(9, () => random)
    return Array.from({ length: 8 }, () => pauseOf(patience.after(0, undefined)))
  }
  const long = Array.from({ length: 8 }, (_, k) => Math.min(fetchPauseMaxMs, fetchPauseMs * 2 ** k))
  assert.deepEqual(pauses(1), long)
  assert.deepEqual(
    pauses(0),
    long.map((ms) => ms / 2),
  )
})

test('attempts count in a row: only more bytes than ever before are a new beginning', () => {
  const patience = new Patience(2, () => 0)
  const isOver = (bytes: number) => 'givenUp' in patience.after(bytes, undefined)
  assert.deepEqual([10, 5, 20, 20, 10].map(isOver), [false, false, false, false, true])
  assert.equal('givenUp' in new Patience(0, () => 0).after(7, undefined), true)
})

test('E9: a pause is never shorter than the server asks for', () => {
  assert.equal(pauseOf(new Patience(5, () => 0).after(0, 30_000)), 30_000)
  assert.ok(pauseOf(new Patience(5, () => 1).after(0, 30_000)) > 30_000)
})

test('all pauses together are bounded, however often something new came between them', () => {
  const patience = new Patience(5, () => 0)
  let pausedMs = 0
  for (let bytes = 1; ; bytes++) {
    const verdict = patience.after(bytes, 50_000)
    if ('givenUp' in verdict) break
    pausedMs += verdict.pauseMs
  }
  assert.ok(pausedMs <= fetchPausesMs && pausedMs > fetchPausesMs - 60_000)
  assert.match(JSON.stringify(new Patience(5).after(0, fetchPausesMs * 2)), /another pause of \d+ s/)
})

test('Retry-After is seconds or a date; anything else says nothing', () => {
  const nowMs = Date.UTC(2025, 0, 1)
  assert.equal(retryAfterMs('120', nowMs), 120_000)
  assert.equal(retryAfterMs(' 0 ', nowMs), 0)
  assert.equal(retryAfterMs('Wed, 01 Jan 2025 00:00:05 GMT', nowMs), 5_000)
  assert.equal(retryAfterMs('Wed, 01 Jan 2020 00:00:00 GMT', nowMs), 0)
  for (const text of [undefined, '', '-1', '1.5', '1e9', 'soon', '2025-01-01', '99999999999'])
    assert.equal(retryAfterMs(text, nowMs), undefined, text)
})

function pauseOf(verdict: ReturnType<Patience['after']>): number {
  assert.ok('pauseMs' in verdict)
  return verdict.pauseMs
}
