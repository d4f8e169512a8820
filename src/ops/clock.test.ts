import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { systemClock } from './clock.ts'

test('the wall clock never contradicts Date.now(), whatever the clocks do', () => {
  const step = fc.record({
    elapsedMs: fc.double({ min: 0, max: 5, noNaN: true }),
    steppedMs: fc.integer({ min: -5000, max: 5000 }),
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let [wallMs, monotonicMs] = [1_800_000_000_000.25, 17.5]
      const clock = systemClock({ wallMs: () => Math.floor(wallMs), monotonicMs: () => monotonicMs })
      for (const { elapsedMs, steppedMs } of steps) {
        monotonicMs += elapsedMs
        wallMs += elapsedMs + steppedMs
        const micros = clock.wallMicros()
        assert.ok(Number.isSafeInteger(micros))
        assert.equal(Math.floor(micros / 1000), Math.floor(wallMs))
      }
    }),
  )
})

test('within a millisecond the wall clock goes on by microseconds', () => {
  let [wallMs, monotonicMs] = [1_800_000_000_000, 100]
  const clock = systemClock({ wallMs: () => Math.floor(wallMs), monotonicMs: () => monotonicMs })
  const before = clock.wallMicros()
  for (const elapsedMs of [0.125, 0.25]) {
    wallMs += elapsedMs
    monotonicMs += elapsedMs
  }
  assert.equal(clock.wallMicros() - before, 375)
})

test('the clock learns where in its millisecond it is', () => {
  // It begins in the middle of a millisecond, and cannot know that before the next one begins.
  let [wallMs, monotonicMs] = [1_800_000_000_000.75, 100]
  const clock = systemClock({ wallMs: () => Math.floor(wallMs), monotonicMs: () => monotonicMs })
  for (let i = 0; i < 16; i++) {
    wallMs += 0.0625
    monotonicMs += 0.0625
    clock.wallMicros()
  }
  wallMs += 0.125
  monotonicMs += 0.125
  assert.equal(clock.wallMicros(), Math.floor(wallMs * 1000))
})

test('a step of the wall clock shows at once, and not in the monotonic clock', () => {
  let [wallMs, monotonicMs] = [1_800_000_000_000, 100]
  const clock = systemClock({ wallMs: () => wallMs, monotonicMs: () => monotonicMs })
  wallMs -= 3_600_000
  monotonicMs += 0.5
  assert.equal(Math.floor(clock.wallMicros() / 1000), wallMs)
  assert.equal(clock.monotonicMicros(), 100_500)
})

test('the clocks of this machine run forward', () => {
  const clock = systemClock()
  const [wall, monotonic] = [clock.wallMicros(), clock.monotonicMicros()]
  assert.ok(Math.abs(wall / 1000 - Date.now()) < 1000)
  assert.ok(clock.monotonicMicros() >= monotonic)
})
