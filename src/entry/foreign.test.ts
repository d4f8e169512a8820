import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type ForeignLine, parseForeign } from './foreign.ts'
import { readHeader } from './header.ts'
import { draftOf, parseLine, renderLine } from './line.ts'
import { anyBytes, testLog } from './arbitrary.test.ts'
import { formatMicros } from './time.ts'

const parse = (text: string) => parseForeign(Buffer.from(text, 'latin1'))
const shown = (line: ForeignLine) =>
  'message' in line ? { ...line, message: Buffer.from(line.message).toString() } : line
const timeOf = (line: ForeignLine) =>
  'time' in line && line.time !== undefined ? formatMicros(line.time) : undefined

test('L5: a line of RFC 5424', () => {
  const line = parse(
    '<110>1 2025-12-10T07:34:00.267655Z engine-02 nxengine 900 10001 [origin ip="10.2.0.2"][x@1] [Engine-02|General|10001|nxengine] up',
  )
  assert.deepEqual(shown(line), {
    form: 'rfc5424',
    facility: 13,
    severity: 6,
    time: Date.UTC(2025, 11, 10, 7, 34) * 1000 + 267_655,
    hostName: 'engine-02',
    appName: 'nxengine',
    procId: '900',
    msgId: '10001',
    elements: [
      { name: 'origin', params: [['ip', '10.2.0.2']] },
      { name: 'x@1', params: [] },
    ],
    message: '[Engine-02|General|10001|nxengine] up',
    hadBom: false,
  })
})

test('L5: what RFC 5424 leaves out is not said', () => {
  assert.deepEqual(shown(parse('<0>1 - - - - - -')), {
    form: 'rfc5424',
    facility: 0,
    severity: 0,
    time: undefined,
    hostName: undefined,
    appName: undefined,
    procId: undefined,
    msgId: undefined,
    elements: [],
    message: '',
    hadBom: false,
  })
})

test('L5: a byte order mark is taken off and noted; values are unescaped; bytes stay', () => {
  const marked = shown(parse('<191>1 - h a p m - \xef\xbb\xbfwith \xef\xbb\xbf'))
  assert.ok(marked.form === 'rfc5424' && marked.hadBom && marked.message === 'with \ufeff')
  const valued = parse('<1>1 - h a p m [x y="a\\"b\\]c\\\\d\\n" z="\xc3\xa9\xe9"] \xe9\x00')
  assert.ok(valued.form === 'rfc5424')
  assert.deepEqual(valued.elements[0]?.params, [
    ['y', 'a"b]c\\d\\n'],
    ['z', 'é\udce9'],
  ])
  assert.deepEqual([...valued.message], [0xe9, 0])
})

test('L5: the times of RFC 5424', () => {
  const time = (written: string) => timeOf(parse(`<1>1 ${written} h a p m - x`))
  assert.equal(time('2003-08-24T05:14:15.000003-07:00'), '2003-08-24T12:14:15.000003Z')
  assert.equal(time('1985-04-12T23:20:50.52Z'), '1985-04-12T23:20:50.520000Z')
  assert.equal(time('1985-04-12T23:20:50Z'), '1985-04-12T23:20:50.000000Z')
  for (const bad of [
    '2003-08-24T05:14:15.000000003-07:00',
    '2003-08-24T05:14:15',
    '2003-02-29T00:00:00Z',
    '2003-08-24T05:14:60Z',
    '2003-08-24t05:14:15Z',
    '2003-08-24T05:14:15+24:00',
    '2003-08-24T05:14:15.Z',
    '2003-08-24',
  ])
    assert.equal(parse(`<1>1 ${bad} h a p m - x`).form, 'unreadable', bad)
})

test('L5: a line with a whole date', () => {
  const line = parse('2024-12-24T14:00:00.123456+01:00 host tag[12]: message: [x]')
  assert.deepEqual(shown(line), {
    form: 'iso',
    time: Date.UTC(2024, 11, 24, 13) * 1000 + 123_456,
    hostName: 'host',
    appName: 'tag',
    procId: '12',
    message: 'message: [x]',
  })
  const time = (written: string) => timeOf(parse(`${written} host tag: message`))
  assert.equal(time('2024-12-24T14:00:00Z'), '2024-12-24T14:00:00.000000Z')
  assert.equal(time('2024-12-24T14:00:00.1-03:30'), '2024-12-24T17:30:00.100000Z')
  assert.equal(time('2024-12-24T14:00:00.123456999Z'), '2024-12-24T14:00:00.123456Z')
  assert.equal(time('2024-12-24T14:00:00.1234567891Z'), undefined)
  assert.equal(time('2024-12-24T14:00:00'), undefined)
  assert.equal(time('2024-12-24T24:00:00Z'), undefined)
})

test('L5: a line of the traditional form', () => {
  assert.deepEqual(shown(parse('Dec 24 14:00:01 host tag: message')), {
    form: 'traditional',
    month: 12,
    day: 24,
    hour: 14,
    minute: 0,
    second: 1,
    hostName: 'host',
    appName: 'tag',
    procId: undefined,
    message: 'message',
  })
  const leap = parse('Feb 29 12:00:00 h t: m')
  assert.ok(leap.form === 'traditional' && leap.month === 2 && leap.day === 29)
  const first = parse('Jan  1 00:00:01 h t: m')
  assert.ok(first.form === 'traditional' && first.day === 1)
  for (const bad of [
    'Feb 30 12:00:00',
    'Jan  0 00:00:00',
    'Jan 1 00:00:00',
    'Jan 32 00:00:00',
    'Apr 31 00:00:00',
    'Jan  1 24:00:00',
    'Jan  1 00:00:60',
    'jan  1 00:00:00',
    'Mai  1 00:00:00',
  ])
    assert.equal(parse(`${bad} h t: m`).form, 'unreadable', bad)
})

test('L5: the tag names the application, and its process where it says one', () => {
  const tagged = (tag: string) => {
    const line = shown(parse(`Jan  1 00:00:00 h ${tag}`))
    return line.form === 'traditional' ? [line.appName, line.procId, line.message] : undefined
  }
  assert.deepEqual(tagged('postfix/smtpd[7]: x'), ['postfix/smtpd', '7', 'x'])
  assert.deepEqual(tagged('a::b: x'), ['a::b', undefined, 'x'])
  assert.deepEqual(tagged('t[]: x'), ['t', undefined, 'x'])
  assert.deepEqual(tagged('t:'), ['t', undefined, ''])
  assert.deepEqual(tagged('t:  x '), ['t', undefined, ' x '])
  assert.equal(tagged('no tag here'), undefined)
  assert.equal(tagged('[7]: x'), undefined)
  assert.equal(tagged('t[7: x'), undefined)
  assert.equal(tagged('t:x'), undefined)
})

test('L5: a line that cannot be read says why', () => {
  const reasons: [line: string, reason: RegExp][] = [
    ['no timestamp at all', /neither a priority nor a time/],
    ['<192>1 - h a p m - x', /priority/],
    ['<01>1 - h a p m - x', /priority/],
    ['<>1 - h a p m - x', /priority/],
    ['<13>2 - h a p m - x', /version/],
    ['<13>Oct 11 22:14:15 mymachine su: x', /version/],
    ['<13>1 - h a p m', /header/],
    ['<13>1 -  a p m - x', /header/],
    [`<13>1 - ${'h'.repeat(256)} a p m - x`, /header/],
    ['<13>1 2026-01-01T00:00:00.1234567Z h a p m - x', /more than 6 digits/],
    ['<13>1 2026-13-01T00:00:00Z h a p m - x', /no such date/],
    ['<13>1 - h a p m x', /structured data lacks an element's name at byte/],
    ['<13>1 - h a p m [x y="unterminated] no end', /structured data lacks the end of the value of y at byte/],
    ['<13>1 - h a p m [x y="a]b"] x', /structured data/],
    ['<13>1 - h a p m [x y="a"]x', /without a space/],
    ['<13>1 - h a p m -x', /without a space/],
    ['2026-01-01T00:00:00Z', /no host name/],
    ['2026-01-01T00:00:00Z host message', /no tag/],
    ['Jan  1 00:00:00 host message', /no tag/],
    ['Jan  1 00:00:00', /Mmm dd/],
  ]
  for (const [line, reason] of reasons) {
    const found = parse(line)
    assert.equal(found.form, 'unreadable', line)
    assert.match(found.form === 'unreadable' ? found.reason : '', reason, line)
  }
  for (const blank of ['', ' ', '\t \r']) assert.deepEqual(parse(blank), { form: 'blank' })
})

test('L5: any bytes are read or are not; nothing throws', () => {
  const starts = [
    '',
    '<13>1 - h a p m ',
    '<13>1 - h a p m - ',
    '2026-01-01T00:00:00Z h t: ',
    'Jan  1 00:00:00 h t: ',
    '<13>1 - h a p m [x ',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...starts), anyBytes, (start, bytes) => {
      const line = parseForeign(Buffer.concat([Buffer.from(start), bytes]))
      if (start.endsWith(': ')) assert.ok('message' in line && Buffer.from(line.message).equals(bytes))
    }),
  )
})

test('L5: a line may be as long as it likes', () => {
  const many = 1_000_000
  for (const [line, form] of [
    [`<13>1 - h a p m [x y="${'\\"'.repeat(many)}"] x`, 'rfc5424'],
    [`<13>1 - h a p m ${'[x]'.repeat(many)}`, 'rfc5424'],
    [`<13>1 - h a p m ${'[x'.repeat(many)}`, 'unreadable'],
    [`Jan  1 00:00:00 h ${'t:'.repeat(many)}`, 'traditional'],
    [`Jan  1 00:00:00 h ${'t[['.repeat(many)}`, 'unreadable'],
    ['2026-'.repeat(many), 'unreadable'],
    ['\xff'.repeat(many), 'unreadable'],
  ] as const)
    assert.equal(parse(line).form, form, line.slice(0, 40))
})

// Files as they come from the field.

const fixture = (name: string) => {
  const bytes = readFileSync(join(import.meta.dirname, '../../test/fixtures', name))
  return bytes.toString('latin1').replace(/\n$/, '').split('\n')
}

for (const [name, form] of [
  ['engine-01.traditional.log', 'traditional'],
  ['engine-02.rfc5424.log', 'rfc5424'],
  ['portal.iso.log', 'iso'],
] as const) {
  test(`L5: every line of ${name} is read, and its message stored and read back`, () => {
    const lines = fixture(name)
    assert.equal(lines.length, 4000)
    for (const text of lines) {
      const line = parse(text)
      assert.equal(line.form, form, text)
      if (!('message' in line)) continue
      assert.notEqual(readHeader(line.message), undefined, text)
      const { hostName = '-', message } = line
      const escaped = form !== 'rfc5424'
      const event = {
        id: '0193d3b0-0000-7000-8000-000000000001',
        via: 'import',
        by: name,
        code: '-',
        severity: 5,
      } as const
      const draft = draftOf({ ...event, hostName, message, escaped }, testLog)
      const entry = parseLine(Buffer.from(renderLine(draft, { position: 0, time: 0 })))
      if (escaped) assert.ok(text.endsWith(Buffer.from(entry.text).toString('latin1')), text)
      else assert.deepEqual(Buffer.from(entry.message), Buffer.from(message))
    }
  })
}

test('L5: every line of hostile.log is accounted for', () => {
  assert.deepEqual(
    fixture('hostile.log')
      .map((text) => parse(text))
      .map((line) => ('reason' in line ? line.reason : line.form)),
    [
      'blank',
      'blank',
      'it begins with neither a priority nor a time',
      'rfc5424',
      'its priority is not <0> to <191>',
      'there is no such date or time',
      'the fraction of its second has more than 6 digits',
      'its structured data lacks the end of the value of y at byte 42',
      'rfc5424',
      'rfc5424',
      'rfc5424',
      'iso',
      'iso',
      'traditional',
      'traditional',
      'traditional',
      'iso',
      'iso',
      'iso',
      'it begins with neither a priority nor a time',
      'it begins with neither a priority nor a time',
    ],
  )
})
