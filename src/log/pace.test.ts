import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceMostSeconds } from '../limits.ts'
import { Pace } from './pace.ts'

test('the time that a queue takes follows from the last commits, within bounds', () => {
  const pace = new Pace()
  assert.equal(pace.secondsFor(1_000_000), 1)
  for (let k = 0; k < 100; k += 1) pace.note(100, 50)
  assert.equal(pace.secondsFor(10_000), 5)
  assert.equal(pace.secondsFor(10), 1)
  assert.equal(pace.secondsFor(10_000_000), paceMostSeconds)
})
