import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimestamp } from '../../entry/foreign.ts'
import { SenderTimes } from './sender-times.ts'

function times(now: string, timeZone = 'UTC') {
  const clock = { wall: Date.parse(now) * 1000, wallMicros: () => clock.wall }
  return { clock, times: new SenderTimes({ timeZone, clock }) }
}

function written(micros: number | undefined): string | undefined {
  return micros === undefined ? undefined : new Date(micros / 1000).toISOString()
}

test('a time with an offset is read alike whether the one before it was of the same second or not', () => {
  const { times: remembered } = times('2026-01-01T00:00:00Z')
  const all = [
    '2026-11-25T10:00:00Z',
    '2026-11-25T10:00:00.5Z',
    '2026-11-25T10:00:00.123456Z',
    '2026-11-25T10:00:00.123456789Z',
    '2026-11-25T10:00:00.1234567890Z',
    '2026-11-25T10:00:00.Z',
    '2026-11-25T10:00:00.12x4Z',
    '2026-11-25T10:00:00.1234567x9Z',
    '2026-11-25T10:00:00.5+01:00',
    '2026-11-25T10:00:00+01:00',
    '2026-11-25T10:00:00.5-01:00',
    '2026-11-25T10:00:00.25+01:00',
    '2026-11-25T10:00:00 Z',
    '2026-11-25T10:00:00',
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00.5Z',
    '1969-12-31T23:59:59.5Z',
    '1969-12-31T23:59:59.25Z',
    '-',
    '',
    'Z',
    '+01:00',
    '2026-11-25T10:00:00.-1Z',
    '2026-11-25T10:00:00.5',
  ]
  for (const first of all)
    for (const second of all) {
      remembered.iso(first)
      assert.deepEqual(remembered.iso(second), parseTimestamp(second, 9), `${first}, then ${second}`)
    }
})

test('a time without a year is of the year that is nearest to now', () => {
  const of = (now: string, message: string) => written(times(now).times.traditional(`${message} `, 0))
  assert.equal(of('2026-07-01T00:00:00Z', 'Jul  1 00:00:05'), '2026-07-01T00:00:05.000Z')
  assert.equal(of('2027-01-01T00:00:05Z', 'Dec 31 23:59:59'), '2026-12-31T23:59:59.000Z')
  assert.equal(of('2026-12-31T23:59:59Z', 'Jan  1 00:00:01'), '2027-01-01T00:00:01.000Z')
  assert.equal(of('2026-07-01T00:00:00Z', 'Feb 29 12:00:00'), undefined)
  assert.equal(of('2028-02-29T12:00:00Z', 'Feb 29 12:00:00'), '2028-02-29T12:00:00.000Z')
  assert.equal(of('2029-01-02T12:00:00Z', 'Feb 29 12:00:00'), '2028-02-29T12:00:00.000Z')
})

test('of an hour that comes twice, the one nearest to now is meant', () => {
  const of = (now: string) => written(times(now, 'Europe/Paris').times.traditional('Oct 25 02:30:00 ', 0))
  assert.equal(of('2026-10-25T00:30:01Z'), '2026-10-25T00:30:00.000Z')
  assert.equal(of('2026-10-25T01:30:01Z'), '2026-10-25T01:30:00.000Z')
})

test('times of one minute are read alike, also when the clock has gone on since', () => {
  const { times: same, clock } = times('2026-10-25T00:30:01Z', 'Europe/Paris')
  const read = (message: string) => written(same.traditional(`x${message} `, 1))
  assert.equal(read('Oct 25 02:30:01'), '2026-10-25T00:30:01.000Z')
  assert.equal(read('Oct 25 02:30:59'), '2026-10-25T00:30:59.000Z')
  assert.equal(read('Oct 25 02:30:60'), undefined)
  assert.equal(read('Oct 25 02:30:5 '), undefined)
  assert.equal(read('Oct 25 02:31:00'), '2026-10-25T00:31:00.000Z')
  clock.wall += 3_600_000_000
  assert.equal(read('Oct 25 02:31:00'), '2026-10-25T01:31:00.000Z')
})

test('what is no time of RFC 3164 is none', () => {
  const { times: same } = times('2026-07-01T00:00:00Z')
  for (const message of [
    '',
    'Jul 1 00:00:05 ',
    'jul  1 00:00:05 ',
    'Jux  1 00:00:05 ',
    'Jul  0 00:00:05 ',
    'Jul 32 00:00:05 ',
    'Jul  1 24:00:05 ',
    'Jul  1 00:00:05',
  ])
    assert.equal(same.traditional(message, 0), undefined, message)
})
