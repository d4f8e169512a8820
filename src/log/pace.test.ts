import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceMostSeconds } from '../limits.ts'
import { Pace } from './pace.ts'

test('the time that a queue takes follows from the last commits, within bounds', () => {
  const pace = new Pace()
  assert.equal(pace.secondsFor(1_000_000, 0), 1)
  for (let k = 0; k < 100; k += 1) pace.note(100, 50)
  assert.equal(pace.secondsFor(10_000, 0), 5)
  assert.equal(pace.secondsFor(10, 0), 1)
  assert.equal(pace.secondsFor(10_000_000, 0), paceMostSeconds)
})

test('a commit that does not end makes the time longer, until it has ended', () => {
  const pace = new Pace()
  pace.begin(1_000)
  assert.equal(pace.secondsFor(0, 1_500), 1)
  assert.equal(pace.secondsFor(0, 21_000), 20)
  assert.equal(pace.secondsFor(0, 1_000_000), paceMostSeconds)
  pace.note(1_000_000, 20_000)
  assert.equal(pace.secondsFor(1, 1_000_000), 1)
})
