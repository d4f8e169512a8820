import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ClockDouble } from './testing/clock-double.ts'
import { TokenBuckets } from './token-bucket.ts'

const rate = { burst: 3, perMinute: 6, keys: 4 }

test('E9: so many tries at once, and then as fast as the bucket fills', () => {
  const clock = new ClockDouble()
  const buckets = new TokenBuckets(clock, rate)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 10],
  )
  clock.pass(9_999)
  assert.equal(buckets.take('a'), 1)
  clock.pass(1)
  assert.deepEqual([buckets.take('a'), buckets.take('a')], [0, 10])
})

test('what is given back can be taken again, and never makes more than there was', () => {
  const buckets = new TokenBuckets(new ClockDouble(), rate)
  buckets.take('a')
  for (let i = 0; i < 5; i += 1) buckets.giveBack('a')
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a') > 0),
    [false, false, false, true],
  )
})

test('keys beyond the bound share one bucket, and are not let through for that', () => {
  const clock = new ClockDouble()
  const buckets = new TokenBuckets(clock, rate)
  for (const key of ['a', 'b', 'c', 'd']) buckets.take(key)
  assert.deepEqual(
    ['e', 'f', 'g', 'h'].map((key) => buckets.take(key) > 0),
    [false, false, false, true],
  )
  assert.equal(buckets.size, 4)
  // Once the others are full again they are forgotten.
  clock.pass(10_000)
  assert.equal(buckets.take('h'), 0)
  assert.equal(buckets.size, 1)
})

test('one key that was used up does not keep the others from being forgotten', () => {
  const clock = new ClockDouble()
  const buckets = new TokenBuckets(clock, { ...rate, keys: 8 })
  for (let i = 0; i < rate.burst; i += 1) buckets.take('used up')
  for (let i = 0; i < 14; i += 1) {
    assert.equal(buckets.take(`key-${i}`), 0)
    clock.pass(2_000)
  }
  assert.ok(buckets.take('used up') === 0 && buckets.take('used up') === 0 && buckets.take('used up') > 0)
})

test('in no time more is let through than the burst and what has filled since', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 20_000 }), key: fc.constantFrom('a', 'b') }),
    {
      maxLength: 100,
    },
  )
  fc.assert(
    fc.property(steps, (steps) => {
      const clock = new ClockDouble()
      const buckets = new TokenBuckets(clock, rate)
      const passed = { a: 0, b: 0 }
      let elapsedMs = 0
      for (const { waitMs, key } of steps) {
        clock.pass(waitMs)
        elapsedMs += waitMs
        if (buckets.take(key) === 0) passed[key] += 1
        assert.ok(passed[key] <= rate.burst + (elapsedMs / 60_000) * rate.perMinute + 1e-6)
      }
    }),
  )
})
