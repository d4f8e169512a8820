import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { afterFailure, clear, isLocked, type Lockout } from './lockout.ts'

const policy = { failures: 5, minutes: 15 }
const minute = 60_000_000

function afterFailures(count: number, now: number): Lockout {
  let state = clear
  for (let i = 0; i < count; i += 1) state = afterFailure(state, now, policy)
  return state
}

test('S4: the fifth failure in a row locks for 15 minutes', () => {
  assert.ok(!isLocked(afterFailures(4, 1000), 1000))
  const locked = afterFailures(5, 1000)
  assert.deepEqual(locked, { failures: 5, lockedUntil: 1000 + 15 * minute })
  assert.ok(isLocked(locked, 1000 + 15 * minute - 1))
  assert.ok(!isLocked(locked, 1000 + 15 * minute))
})

test('S4: a failure while it is locked is counted, and does not prolong the lock', () => {
  const locked = afterFailures(5, 0)
  assert.deepEqual(afterFailure(locked, 14 * minute, policy), { ...locked, failures: 6 })
})

test('S4: after the lock has ended, counting begins anew', () => {
  const locked = afterFailures(9, 0)
  assert.deepEqual(afterFailure(locked, 15 * minute, policy), { failures: 1, lockedUntil: undefined })
})

test('S4: both the failures and the minutes are a matter of configuration', () => {
  assert.deepEqual(afterFailure(clear, 0, { failures: 1, minutes: 2 }), {
    failures: 1,
    lockedUntil: 2 * minute,
  })
})

test('S4: however failures and time come, only as many as allowed are tried in the time of a lock', () => {
  const waits = fc.array(fc.integer({ min: 0, max: 8 * minute }), { maxLength: 60 })
  fc.assert(
    fc.property(waits, fc.integer({ min: 1, max: 7 }), (waits, failures) => {
      let [state, now, openInARow] = [clear, 0, 0]
      for (const wait of waits) {
        now += wait
        const wasLocked = isLocked(state, now)
        if (!wasLocked && state.lockedUntil !== undefined) openInARow = 0
        state = afterFailure(state, now, { failures, minutes: 15 })
        if (!wasLocked) openInARow += 1
        assert.ok(openInARow <= failures)
        assert.equal(isLocked(state, now), wasLocked || openInARow === failures)
      }
    }),
  )
})
