// Rows W: which entries are in a window, and which queries name none.

import assert from 'node:assert/strict'
import { type AuditLine, microsOf, readLines, timeOf } from './audit-line.ts'
import { entryAt, type KnownEntry, microsPerHour, type Prober, rangeOf, type Test } from './prober.ts'

/** The tests of rows W. */
export function windowTests(prober: Prober): Test[] {
  return [
    [
      'W1: without a parameter, the log is returned up to the read itself',
      async () => {
        const before = await prober.read('')
        const after = await prober.read('')
        const read = entryAt(readLines(after.body), rangeOf(before).to)
        assert.equal(read.event['actor'], prober.target.reader.name)
        assert.deepEqual(rangeOf(before), { from: 0, to: read.position })
        assert.ok(after.body.subarray(0, before.body.length).equals(before.body))
      },
    ],
    [
      'W2, W4: before_date as a date and as a datetime, the day itself not in it',
      async () => {
        for (const [text, moment] of [
          [someDate(prober), localMicros(prober, `${someDate(prober)}T00:00:00`)],
          [`${someDate(prober)}T13:47:11`, localMicros(prober, `${someDate(prober)}T13:47:11`)],
        ] as const) {
          const expected = prober.known.filter(({ time }) => time < moment)
          assert.ok(expected.length > 100)
          prober.sameEntries(readLines(await prober.body(`before_date=${text}`)), expected)
        }
      },
    ],
    [
      'W3: before_date and elapsed_hours together are that duration back from there',
      async () => {
        assert.ok(prober.day.entries.length > 10)
        prober.sameEntries(readLines(await prober.body(prober.day.query)), prober.day.entries)
      },
    ],
    [
      'W3: elapsed_hours alone goes back from the time of the read’s own entry, and ends just before it',
      async () => {
        const middle = entryAt(prober.known, Math.floor(prober.known.length / 2))
        const hours = ((Date.now() * 1000 - middle.time) / microsPerHour).toFixed(3)
        const answer = await prober.read(`elapsed_hours=${hours}`)
        const all = readLines(await prober.body(''))
        const read = entryAt(all, rangeOf(answer).to)
        const start = read.time - Math.floor(Number(hours) * microsPerHour)
        const expected = all.slice(0, read.position).filter(({ time }) => time >= start)
        assert.ok(expected.length > 100 && expected.length < read.position)
        assert.ok(answer.body.equals(joined(expected)))
        assert.equal(read.event['actor'], prober.target.reader.name)
      },
    ],
    [
      'W3: a before_date later than now counts from there, and ends at now',
      async () => {
        const last = entryAt(prober.known, -1)
        const [before, hours] = ['2999-01-01T00:00:00Z', '9999999']
        const start = microsOf(before) - Number(hours) * microsPerHour
        assert.ok(start < last.time)
        const answer = await prober.read(`before_date=${before}&elapsed_hours=${hours}`)
        const all = readLines(await prober.body(''))
        const expected = all.slice(0, rangeOf(answer).to).filter(({ time }) => time >= start)
        assert.ok(answer.body.equals(joined(expected)))
        const none = await prober.read(`before_date=${before}&elapsed_hours=1`)
        assert.deepEqual([none.status, none.body.length], [200, 0])
      },
    ],
    ['W4: windows are half-open, to the microsecond', () => edges(prober, 1)],
    ['W4: windows are half-open, to the second', () => edges(prober, 1_000_000)],
    [
      'W5: without an offset, a time is one of the instance’s time zone',
      async () => {
        const { time } = entryAt(prober.known, 500)
        const local = localText(prober, time)
        const moment = localMicros(prober, local)
        const answer = await prober.read(`before_date=${local}`)
        prober.sameEntries(
          readLines(answer.body),
          prober.known.filter(({ time }) => time < moment),
        )
      },
    ],
    [
      'W5: Z, an offset, a typed plus, an encoded one and a fraction name the same moment',
      async () => {
        const { time } = entryAt(prober.known, 500)
        const expected = prober.known.slice(0, firstFrom(prober.known, time))
        const utc = timeOf(time).slice(0, -1)
        const [ahead, behind] = [timeOf(time + 5.5 * microsPerHour), timeOf(time - 3 * microsPerHour)]
        for (const text of [
          `${utc}Z`,
          `${ahead.slice(0, -1)}+05:30`,
          `${ahead.slice(0, -1)}%2B05:30`,
          `${ahead.slice(0, -1)}%2b05%3A30`,
          `${behind.slice(0, -1)}-03:00`,
        ]) {
          prober.sameEntries(readLines(await prober.body(`before_date=${text}`)), expected)
        }
      },
    ],
    [
      'W5: local times that a clock change skips or repeats are resolved as `compatible`',
      async () => {
        if (prober.target.timeZone !== 'Europe/Zurich') return
        for (const [local, utc] of [
          ['2025-03-30T02:30:00', '2025-03-30T01:30:00.000000Z'],
          ['2025-10-26T02:30:00', '2025-10-26T00:30:00.000000Z'],
          ['2025-10-26T03:00:00', '2025-10-26T02:00:00.000000Z'],
        ]) {
          const entry = await prober.entryOf(await prober.read(`before_date=${local}&elapsed_hours=1`))
          assert.equal(entry.event['end'], utc)
        }
      },
    ],
    [
      'W6: elapsed_hours is a decimal number of at most nine digits',
      async () => {
        const end = prober.day.query.split('&')[0] ?? ''
        const to = microsOf(end.slice('before_date='.length))
        for (const hours of ['0.5', '12.25', '0', '000000024', '1.00000000']) {
          const expected = prober.within(to - Number(hours) * microsPerHour, to)
          prober.sameEntries(readLines(await prober.body(`${end}&elapsed_hours=${hours}`)), expected)
        }
        for (const hours of badHours) await prober.refuses(`elapsed_hours=${hours}`, 'elapsed_hours')
      },
    ],
    [
      'W7: what is not a date, unknown or repeated is refused, by the parameter’s name',
      async () => {
        for (const date of badDates) await prober.refuses(`before_date=${date}`, 'before_date')
        await prober.refuses('elapsed_hour=24', 'elapsed_hour')
        await prober.refuses('elapsed_hours=24&format=json', 'format')
        await prober.refuses('Before_Date=2026-01-01', 'Before_Date')
        await prober.refuses('elapsed_hours=1&elapsed_hours=1', 'elapsed_hours')
        await prober.refuses('before_date=2026-01-01&before_date=2026-01-01', 'before_date')
        await prober.refuses('elapsed_hours=1&', 'query')
        await prober.refuses('elapsed_hours=%zz', 'elapsed_hours')
        await prober.refuses('before_date', 'before_date')
      },
    ],
  ]
}

// The edges of a window around an entry: at it, and a unit behind it, at either end.
async function edges(prober: Prober, unit: number): Promise<void> {
  const index = edgeEntry(prober)
  const { time } = entryAt(prober.known, index)
  const floor = time - (time % unit)
  for (const end of [floor, floor + unit]) {
    const expected = prober.known.filter((entry) => entry.time < end)
    prober.sameEntries(readLines(await prober.body(`before_date=${timeOf(end)}`)), expected)
  }
  for (const start of [floor, floor + unit]) {
    const query = `before_date=${timeOf(start + microsPerHour)}&elapsed_hours=1`
    const expected = prober.within(start, start + microsPerHour)
    prober.sameEntries(readLines(await prober.body(query)), expected)
  }
}

// One whose hour holds others too, and whose second is its own.
function edgeEntry(prober: Prober): number {
  const known = prober.known
  return known.findIndex(
    ({ time }, index) =>
      index > 100 && time % 1_000_000 > 0 && prober.within(time, time + microsPerHour).length > 2,
  )
}

function someDate(prober: Prober): string {
  return localText(prober, entryAt(prober.known, Math.floor(prober.known.length / 2)).time).slice(0, 10)
}

// What the clocks of the instance's time zone show at a moment, by somebody else's arithmetic.
function localText(prober: Prober, micros: number): string {
  const { timeZone } = prober.target
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  return format.format(micros / 1000).replace(' ', 'T')
}

function localMicros(prober: Prober, text: string): number {
  const guess = Date.parse(`${text}Z`)
  const offset = Date.parse(`${localText(prober, guess * 1000)}Z`) - guess
  return (guess - offset) * 1000
}

const badHours = [
  '',
  '-1',
  '+1',
  '%2B1',
  '1e3',
  'NaN',
  'Infinity',
  '1%20',
  '%201',
  '.5',
  '5.',
  '1,5',
  '0x10',
  '24h',
  '1234567890',
  '1.234567890',
  '٣',
].map((text) => encodeURI(decodeURI(text)))

const badDates = [
  '',
  '2025-02-30',
  '2025-02-29',
  '2025-13-01',
  '2025-00-10',
  '2025-1-1',
  '20250101',
  '2025-01-01T24:00:00',
  '2025-01-01T23:60:00',
  '2025-01-01T12:00',
  '2025-01-01T12:00:00z',
  '2025-01-01T12:00:00%2B0100',
  '2025-01-01T12:00:00+24:00',
  '2025-01-01T12:00:00.',
  '2025-01-01%2012:00:00',
  '2025-01-01Z',
  'yesterday',
  '1767225600',
  '%20',
]

function firstFrom(entries: readonly KnownEntry[], time: number): number {
  const index = entries.findIndex((entry) => entry.time >= time)
  return index === -1 ? entries.length : index
}

function joined(lines: readonly AuditLine[]): Buffer {
  return Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
}
