import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseForeign } from '../../entry/foreign.ts'
import { formatMicros } from '../../entry/time.ts'
import { RecentTimes } from './recent-times.ts'

function read(times: RecentTimes, time: string, now: string): string | undefined {
  const moment = times.of(parseForeign(Buffer.from(`${time} host tag: text`)), Date.parse(now) * 1000)
  return typeof moment === 'number' ? formatMicros(moment).slice(0, 19) : moment
}

test('L5: a line without a year is of the last date of that name that is not to come', () => {
  const times = new RecentTimes('UTC')
  assert.equal(read(times, 'Dec 24 14:00:01', '2025-12-24T14:00:02Z'), '2025-12-24T14:00:01')
  assert.equal(read(times, 'Dec 31 23:59:59', '2026-01-01T00:00:05Z'), '2025-12-31T23:59:59')
  assert.equal(read(times, 'Jan  1 00:00:01', '2026-01-01T00:00:05Z'), '2026-01-01T00:00:01')
  assert.equal(read(times, 'Nov 25 10:00:00', '2025-02-01T00:00:00Z'), '2024-11-25T10:00:00')
  // A clock may be ahead by hours.
  assert.equal(read(times, 'Jan  1 05:00:00', '2025-12-31T23:00:00Z'), '2026-01-01T05:00:00')
  assert.equal(read(times, 'Jan  2 05:00:00', '2025-12-31T23:00:00Z'), '2025-01-02T05:00:00')
})

test('L5: a leap day is of the last leap year', () => {
  assert.equal(read(new RecentTimes('UTC'), 'Feb 29 12:00:00', '2027-03-01T00:00:00Z'), '2024-02-29T12:00:00')
})

test('L5: the hour that a clock change repeats is the second one where the first would step back', () => {
  const times = new RecentTimes('Europe/Berlin')
  const now = '2025-10-26T03:00:00Z'
  assert.equal(read(times, 'Oct 26 02:59:00', now), '2025-10-26T00:59:00')
  assert.equal(read(times, 'Oct 26 02:01:00', now), '2025-10-26T01:01:00')
  assert.equal(read(times, 'Oct 26 03:00:00', now), '2025-10-26T02:00:00')
})

test('L5: what has its own date is taken at its word', () => {
  const times = new RecentTimes('UTC')
  assert.equal(read(times, '2031-12-24T14:00:00.5+01:00', '2025-01-01T00:00:00Z'), '2031-12-24T13:00:00')
  assert.equal(read(times, 'nonsense', '2025-01-01T00:00:00Z'), undefined)
})
