import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { anyTime } from './arbitrary.test.ts'
import { formatMicros, isDate, parseStoredTime, utcSeconds } from './time.ts'

test('L1: a time is written in UTC with six digits of a second and Z', () => {
  assert.equal(formatMicros(Date.UTC(2026, 0, 1) * 1000 + 123_456), '2026-01-01T00:00:00.123456Z')
  assert.equal(formatMicros(0), '1970-01-01T00:00:00.000000Z')
  assert.equal(formatMicros(-1), '1969-12-31T23:59:59.999999Z')
  assert.equal(formatMicros(Number.MAX_SAFE_INTEGER), '2255-06-05T23:47:34.740991Z')
  assert.equal(formatMicros(Number.MIN_SAFE_INTEGER), '1684-07-28T00:12:25.259009Z')
})

test('L1: every time is read back from what it is written as', () => {
  fc.assert(
    fc.property(anyTime, (time) => {
      assert.equal(parseStoredTime(formatMicros(time)), time)
    }),
  )
})

test('a second is not mistaken for the one that was written before it', () => {
  fc.assert(
    fc.property(anyTime, fc.integer({ min: -2_000_000, max: 2_000_000 }), (time, step) => {
      const near = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, time + step))
      formatMicros(time)
      assert.equal(
        formatMicros(near).slice(0, 19),
        new Date(Math.floor(near / 1000)).toISOString().slice(0, 19),
      )
    }),
  )
})

test('L1: what is not exactly a stored time is none', () => {
  for (const text of [
    '',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.123456',
    '2026-01-01t00:00:00.123456Z',
    '2026-01-01T00:00:00.12345 Z',
    '2026-02-30T00:00:00.000000Z',
    '2025-02-29T00:00:00.000000Z',
    '2026-13-01T00:00:00.000000Z',
    '2026-00-01T00:00:00.000000Z',
    '2026-01-00T00:00:00.000000Z',
    '2026-01-01T24:00:00.000000Z',
    '2026-01-01T23:60:00.000000Z',
    '2026-01-01T23:59:60.000000Z',
    '-026-01-01T00:00:00.000000Z',
    '2026-0:-01T00:00:00.000000Z',
    '1600-01-01T00:00:00.000000Z',
    '2300-01-01T00:00:00.000000Z',
    '2026-01-01T00:00:00.1234567Z',
  ]) {
    assert.equal(parseStoredTime(text), undefined, text)
  }
})

test('the calendar is that of Date, and has no other dates', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9999 }),
      fc.nat({ max: 13 }),
      fc.nat({ max: 32 }),
      (year, month, day) => {
        const date = new Date(0)
        date.setUTCFullYear(year, month - 1, day)
        const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0
        assert.equal(isDate(year, month, day), exists)
        if (exists) assert.equal(utcSeconds(year, month, day, 0, 0, 0), date.getTime() / 1000)
      },
    ),
    { numRuns: 2000 },
  )
})
