import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isTimeZone, localToMicros } from './time-zone.ts'
import { formatMicros } from './time.ts'
import { parseWindow, resolveWindow } from './window.ts'

const before = (value: string, timeZone = 'UTC') => {
  const time = parseWindow(`before_date=${value}`, timeZone).before
  return time === undefined ? undefined : formatMicros(time)
}
const elapsed = (value: string) => parseWindow(`elapsed_hours=${value}`, 'UTC').elapsed
const refused = (query: string, message: RegExp) =>
  assert.throws(() => parseWindow(query, 'Europe/Zurich'), { code: 'INVALID_PARAMETER', message }, query)

test('W1: no parameter asks for the whole log', () => {
  assert.deepEqual(parseWindow('', 'UTC'), {})
  assert.deepEqual(resolveWindow({}, 1000), { start: Number.MIN_SAFE_INTEGER, end: 1000 })
})

test('W2, W4: a date is its first moment, a datetime itself', () => {
  assert.equal(before('2026-01-31'), '2026-01-31T00:00:00.000000Z')
  assert.equal(before('2026-01-31T14:00:59'), '2026-01-31T14:00:59.000000Z')
  assert.equal(before('2024-02-29'), '2024-02-29T00:00:00.000000Z')
})

test('W3: each parameter works alone, and both together in any order', () => {
  const both = { before: Date.UTC(2026, 0, 1) * 1000, elapsed: 86_400_000_000 }
  assert.deepEqual(parseWindow('before_date=2026-01-01&elapsed_hours=24', 'UTC'), both)
  assert.deepEqual(parseWindow('elapsed_hours=24&before_date=2026-01-01', 'UTC'), both)
})

test('W3: a duration counts back from before_date, or from now; the window ends with now at the latest', () => {
  assert.deepEqual(resolveWindow({ elapsed: 10 }, 1000), { start: 990, end: 1000 })
  assert.deepEqual(resolveWindow({ before: 500 }, 1000), { start: Number.MIN_SAFE_INTEGER, end: 500 })
  assert.deepEqual(resolveWindow({ before: 500, elapsed: 10 }, 1000), { start: 490, end: 500 })
  assert.deepEqual(resolveWindow({ before: 1005, elapsed: 10 }, 1000), { start: 995, end: 1000 })
  assert.deepEqual(resolveWindow({ before: 5000, elapsed: 10 }, 1000), { start: 1000, end: 1000 })
  assert.deepEqual(resolveWindow({ elapsed: 0 }, 1000), { start: 1000, end: 1000 })
  assert.deepEqual(resolveWindow({ elapsed: Number.MAX_SAFE_INTEGER, before: -5 }, 1000), {
    start: Number.MIN_SAFE_INTEGER,
    end: -5,
  })
})

test('W5: a typed + is a plus', () => {
  assert.equal(before('2026-01-31T14:00:00+01:00'), '2026-01-31T13:00:00.000000Z')
  assert.equal(before('2026-01-31T14:00:00%2B01:00'), '2026-01-31T13:00:00.000000Z')
  assert.equal(before('2026-01-31T14%3A00%3a00-03:30'), '2026-01-31T17:30:00.000000Z')
  assert.equal(before('2026-01-31T14:00:00Z', 'Europe/Zurich'), '2026-01-31T14:00:00.000000Z')
  refused('before_date=2026-01-31+14:00:00', /^before_date: expected/)
  refused('before_date=2026-01-31T14:00:00%2001:00', /^before_date: expected/)
})

test('W4, W5: a fraction is kept to the microsecond; what is finer ends with the next', () => {
  assert.equal(before('2026-01-31T14:00:00.5'), '2026-01-31T14:00:00.500000Z')
  assert.equal(before('2026-01-31T14:00:00.123456Z'), '2026-01-31T14:00:00.123456Z')
  assert.equal(before('2026-01-31T14:00:00.123456000'), '2026-01-31T14:00:00.123456Z')
  assert.equal(before('2026-01-31T14:00:00.1234561'), '2026-01-31T14:00:00.123457Z')
  assert.equal(before('2026-01-31T14:00:00.999999001Z'), '2026-01-31T14:00:01.000000Z')
  assert.equal(before('2026-01-31T14:00:00.000000001', 'Europe/Zurich'), '2026-01-31T13:00:00.000001Z')
})

test('W5: without an offset a time is local, on both sides of a clock change and within it', () => {
  const cases: [zone: string, local: string, utc: string][] = [
    ['Europe/Zurich', '2026-01-31', '2026-01-30T23:00:00'],
    ['Europe/Zurich', '2026-07-31', '2026-07-30T22:00:00'],
    // Skipped: 02:00 to 03:00.
    ['Europe/Zurich', '2026-03-29T01:59:59', '2026-03-29T00:59:59'],
    ['Europe/Zurich', '2026-03-29T02:30:00', '2026-03-29T01:30:00'],
    ['Europe/Zurich', '2026-03-29T03:00:00', '2026-03-29T01:00:00'],
    // Repeated: 02:00 to 03:00; the first is meant.
    ['Europe/Zurich', '2026-10-25T02:30:00', '2026-10-25T00:30:00'],
    ['Europe/Zurich', '2026-10-25T03:00:00', '2026-10-25T02:00:00'],
    // Half an hour off.
    ['America/St_Johns', '2026-01-31T12:00:00', '2026-01-31T15:30:00'],
    ['America/St_Johns', '2026-03-08T02:30:00', '2026-03-08T06:00:00'],
    ['America/St_Johns', '2026-11-01T01:30:00', '2026-11-01T04:00:00'],
    // Changes by half an hour.
    ['Australia/Lord_Howe', '2026-10-04T02:15:00', '2026-10-03T15:45:00'],
    ['Australia/Lord_Howe', '2026-10-04T02:30:00', '2026-10-03T15:30:00'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00'],
    ['Australia/Lord_Howe', '2026-04-05T02:00:00', '2026-04-04T15:30:00'],
    // A whole day that was not.
    ['Pacific/Apia', '2011-12-29', '2011-12-29T10:00:00'],
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00'],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00'],
  ]
  for (const [zone, local, utc] of cases)
    assert.equal(before(local, zone), `${utc}.000000Z`, `${zone} ${local}`)
})

test('W5: a local time that a clock change neither skips nor repeats is the one that Intl shows', () => {
  const zones = ['Europe/Zurich', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu']
  const shownIn = Object.fromEntries(
    zones.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
    ]),
  )
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4_000_000_000 }), (zone, second) => {
      const shown = (seconds: number) => shownIn[zone]?.format(seconds * 1000).replace(' ', 'T') ?? ''
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0, s = 0] = shown(second)
        .split(/[-T:]/)
        .map(Number)
      const found = localToMicros({ year, month, day, hour, minute, second: s }, zone) ?? 0
      // Of a time that comes twice, the first.
      assert.equal(shown(found / 1_000_000), shown(second))
      assert.ok(found / 1_000_000 <= second)
    }),
  )
})

test('W5: years that Micros cannot hold saturate, and are no error', () => {
  assert.equal(parseWindow('before_date=9999-12-31', 'UTC').before, Number.MAX_SAFE_INTEGER)
  assert.equal(parseWindow('before_date=9999-12-31T23:59:59-23:59', 'UTC').before, Number.MAX_SAFE_INTEGER)
  assert.equal(parseWindow('before_date=0000-01-01', 'Europe/Zurich').before, Number.MIN_SAFE_INTEGER)
  assert.equal(parseWindow('before_date=0000-01-01T00:00:00+23:59', 'UTC').before, Number.MIN_SAFE_INTEGER)
})

test('W6: hours are a decimal number', () => {
  assert.equal(elapsed('24'), 86_400_000_000)
  assert.equal(elapsed('0.5'), 1_800_000_000)
  assert.equal(elapsed('0'), 0)
  assert.equal(elapsed('000000001'), 3_600_000_000)
  assert.equal(elapsed('0.00000001'), 36)
  assert.equal(elapsed('0.1'), 360_000_000)
  assert.equal(elapsed('1.23456789'), 4_444_444_404)
  assert.equal(elapsed('999999999'), Number.MAX_SAFE_INTEGER)
  assert.equal(elapsed('2%34'), 86_400_000_000)
})

test('W6: exponents, signs, blanks, NaN and more than 9 digits are refused', () => {
  for (const value of [
    '1e3',
    '+1',
    '-1',
    '%201',
    '1%20',
    '1+',
    'NaN',
    'Infinity',
    '1234567890',
    '1.234567890',
    '.5',
    '5.',
    '1,5',
    '0x10',
    '١',
    '1.2.3',
    '',
  ]) {
    refused(
      `elapsed_hours=${value}`,
      /^elapsed_hours: expected a decimal number of hours of at most 9 digits/,
    )
  }
})

test('W7: a date or a time that does not exist is refused', () => {
  refused('before_date=2025-02-30', /^before_date: there is no such date; expected yyyy-mm-dd/)
  refused('before_date=2025-02-29', /no such date/)
  refused('before_date=2025-13-01', /no such date/)
  refused('before_date=2025-00-10', /no such date/)
  refused('before_date=2025-01-01T24:00:00', /no such time/)
  refused('before_date=2025-01-01T23:60:00', /no such time/)
  refused('before_date=2016-12-31T23:59:60Z', /no such time/)
  refused('before_date=2025-01-01T00:00:00%2B24:00', /no such offset/)
  refused('before_date=2025-01-01T00:00:00-01:60', /no such offset/)
})

test('W7: what is almost a date is refused', () => {
  for (const value of [
    '',
    '20250101',
    '2025-1-1',
    '2025-01-01Z',
    '2025-01-01+01:00',
    '2025-01-01T',
    '2025-01-01T10',
    '2025-01-01T10:00',
    '2025-01-01t10:00:00',
    '2025-01-01T10:00:00z',
    '2025-01-01%2010:00:00',
    '2025-01-01T10:00:00.',
    '2025-01-01T10:00:00,5',
    '2025-01-01T10:00:00.1234567890',
    '2025-01-01T10:00:00+0100',
    '2025-01-01T10:00:00+01',
    '2025-01-01%0A',
    '%202025-01-01',
    '02025-01-01',
    '-2025-01-01',
    'yesterday',
    '1767225600',
    '2025-01-01T10:00:00[Europe/Zurich]',
    '٢٠٢٥-01-01',
  ]) {
    refused(`before_date=${value}`, /^before_date: expected yyyy-mm-dd or yyyy-mm-ddThh:mm:ss, such as/)
  }
})

test('W7: an unknown, a repeated, an empty or a malformed parameter is refused, by its name', () => {
  refused('before=2025-01-01', /^before: unknown parameter; expected before_date or elapsed_hours$/)
  refused('Before_date=2025-01-01', /^Before_date: unknown/)
  refused('before_date=2025-01-01&x=1', /^x: unknown/)
  refused('before_date=2025-01-01;elapsed_hours=1', /^before_date: expected/)
  refused('elapsed_hours=1&elapsed_hours=1', /^elapsed_hours: given more than once/)
  refused('elapsed_hours=1&elapsed%5Fhours=1', /^elapsed_hours: given more than once/)
  refused('before_date', /^before_date: expected/)
  refused('before_date=', /^before_date: expected/)
  refused('elapsed_hours=1&', /^query: a parameter without a name/)
  refused('&', /^query: /)
  refused('=', /^query: /)
  refused('=1', /^query: /)
  refused('before_date=%', /^before_date: not well percent-encoded/)
  refused('before_date=%zz', /^before_date: not well percent-encoded/)
  refused('before_date=%ff', /^before_date: not well percent-encoded/)
  refused('%ff=1', /^query: a name is not well percent-encoded/)
  refused('elapsed_hours=1=2', /^elapsed_hours: expected/)
  refused('__proto__=1', /^__proto__: unknown/)
  refused(`${'x'.repeat(10_000)}=1`, /^x{64}…: unknown/)
  refused('a%00%0ab%e2%80%a8=1', /^a\?\?b\?: unknown/)
})

test('W7: no query that is not wholly understood is answered', () => {
  const piece = fc.constantFrom(
    'before_date',
    'elapsed_hours',
    '=',
    '&',
    '2026-01-01',
    '24',
    '%',
    '+',
    'T10:00:00',
    'x',
    ';',
    '?',
  )
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 7 }), (pieces) => {
      const query = pieces.join('')
      const good = /^(?:before_date=2026-01-01(?:T10:00:00)?|elapsed_hours=(?:24){1,4})$/
      try {
        const window = parseWindow(query, 'UTC')
        assert.ok(
          query.split('&').every((pair) => good.test(pair)),
          query,
        )
        assert.equal(Object.keys(window).length, query.split('&').length)
      } catch (error) {
        assert.ok(
          !query.split('&').every((pair) => good.test(pair)) || query.split('&').length > 1,
          String(error),
        )
      }
    }),
    { numRuns: 2000 },
  )
})

test('an IANA name is a time zone, and an offset is none', () => {
  for (const name of ['UTC', 'Europe/Zurich', 'Asia/Calcutta', 'Etc/GMT+5']) assert.ok(isTimeZone(name), name)
  for (const name of ['', '+01:00', '01:00', 'Europe/Zürich', 'Europe/Zurich ', 'Mars/Olympus'])
    assert.ok(!isTimeZone(name), name)
})
