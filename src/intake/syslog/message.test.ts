import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeText } from '../../entry/escape.ts'
import { SyslogReader } from './message.ts'

/** 2026-11-25T12:00:00Z. */
const now = Date.UTC(2026, 10, 25, 12) * 1000
const reader = new SyslogReader({ timeZone: 'Europe/Paris', clock: { wallMicros: () => now } })
const at = (time: string) => Date.parse(time) * 1000

describe('L5: a message over the wire', () => {
  test('is read as RFC 5424', () => {
    const read = reader.read(
      '<165>1 2026-11-25T10:00:00.000123Z host app 12 ID47 [a@1 x="1" y="q\\"\\]\\\\z"][b] \ufefftext \n here',
    )
    assert.deepEqual(read, {
      facility: 20,
      severity: 5,
      time: at('2026-11-25T10:00:00Z') + 123,
      hostName: 'host',
      appName: 'app',
      procId: '12',
      msgId: 'ID47',
      elements: [
        {
          name: 'a@1',
          params: [
            ['x', '1'],
            ['y', 'q"]\\z'],
          ],
        },
        { name: 'b', params: [] },
      ],
      hadBom: true,
      text: 'text \n here',
    })
  })

  test('is read as RFC 5424 that says nothing of the sender, and nothing at all', () => {
    assert.deepEqual(reader.read('<0>1 - - - - - -'), { facility: 0, severity: 0, text: '' })
    assert.deepEqual(reader.read('<191>1 - - - - - - '), { facility: 23, severity: 7, text: '' })
    assert.deepEqual(reader.read('<13>1 - - - - - -  two'), { facility: 1, severity: 5, text: ' two' })
  })

  test('keeps as written what is farther away than can be told', () => {
    for (const far of ['9999-12-31T23:59:59.999999Z', '0001-01-01T00:00:00+01:00']) {
      assert.equal(reader.read(`<13>1 ${far} - - - - - x`).written, far)
      assert.equal(reader.read(`<13>${far} host tag: x`).written, far)
    }
  })

  test('keeps as written what is finer than a microsecond', () => {
    const read = reader.read('<13>1 2026-11-25T10:00:00.123456789+01:00 - - - - - x')
    assert.equal(read.time, at('2026-11-25T09:00:00Z') + 123_456)
    assert.equal(read.written, '2026-11-25T10:00:00.123456789+01:00')
    assert.equal(reader.read('<13>1 2026-11-25T10:00:00.123456+01:00 - - - - - x').written, undefined)
  })

  test('is kept whole, with the reason, where only its version is RFC 5424', () => {
    const whole = (text: string) => {
      const { text: kept, unreadable, facility } = reader.read(text)
      assert.equal(kept, text)
      assert.equal(facility, 1)
      return unreadable
    }
    assert.match(whole('<13>1 is less than 2') ?? '', /header/)
    assert.match(whole('<13>1 2026-02-30T10:00:00Z h a p m - x') ?? '', /no such date/)
    assert.match(whole('<13>1 2026-01-30T10:00:00.1234567890Z h a p m - x') ?? '', /digits/)
    assert.match(whole('<13>1 - h a p m x text') ?? '', /structured data/)
    assert.match(whole('<13>1 - h a p m [a b="c] text') ?? '', /lacks/)
    assert.match(whole('<13>1 - h a p m [a]text') ?? '', /without a space/)
  })

  test('is read as rsyslog forwards it', () => {
    const expected = {
      facility: 1,
      severity: 5,
      time: at('2026-11-25T10:00:00.5Z'),
      hostName: 'host',
      appName: 'tag',
    }
    assert.deepEqual(reader.read('<13>2026-11-25T11:00:00.500000+01:00 host tag: text'), {
      ...expected,
      text: 'text',
    })
    assert.deepEqual(reader.read('<13>2026-11-25T11:00:00.5+01:00 host tag[9]:  two'), {
      ...expected,
      procId: '9',
      text: ' two',
    })
    // What came to it as RFC 5424.
    assert.deepEqual(reader.read('<13>2026-11-25T10:00:00.5Z host tag[9] text'), {
      ...expected,
      procId: '9',
      text: 'text',
    })
  })

  test("is read as RFC 3164, in the node's zone", () => {
    const expected = {
      facility: 1,
      severity: 5,
      time: at('2026-11-25T08:06:26Z'),
      hostName: 'host',
      appName: 'tag',
    }
    assert.deepEqual(reader.read('<13>Nov 25 09:06:26 host tag: text'), { ...expected, text: 'text' })
    assert.deepEqual(reader.read('<13>Nov 25 09:06:26 host tag[pid-1]:'), {
      ...expected,
      procId: 'pid-1',
      text: '',
    })
    assert.deepEqual(reader.read('<13>Nov 25 09:06:26 2001:db8::1 a:b: c: d').hostName, '2001:db8::1')
    assert.deepEqual(reader.read('<13>Nov 25 09:06:26 2001:db8::1 a:b: c: d').appName, 'a:b')
  })

  test('is read as programs of this machine write it, without a host', () => {
    const time = at('2026-11-05T08:06:26Z')
    assert.deepEqual(reader.read('<14>Nov  5 09:06:26 tag[12]: text'), {
      facility: 1,
      severity: 6,
      time,
      appName: 'tag',
      procId: '12',
      text: 'text',
    })
    assert.deepEqual(reader.read('<14>Nov  5 09:06:26 root: [a|b|1|c] x').appName, 'root')
  })

  test('has its time, and all the rest is text, where there is no tag', () => {
    const read = reader.read('<13>Nov 25 09:06:26 host did something')
    assert.deepEqual(read, {
      facility: 1,
      severity: 5,
      time: at('2026-11-25T08:06:26Z'),
      text: 'host did something',
    })
    assert.equal(reader.read('<13>Nov 25 09:06:26 host tag:no space').text, 'host tag:no space')
  })

  test('is all text behind the priority where there is no time', () => {
    for (const text of [
      'hello',
      'ERROR: hello',
      '',
      ' ',
      'Nov 31 09:06:26 host tag: x',
      'Nov 25 25:06:26 host tag: x',
      '2026-11-25 x: y',
    ])
      assert.deepEqual(reader.read(`<13>${text}`), { facility: 1, severity: 5, text })
  })

  test("has a tag without a time only where the product's header is behind it", () => {
    assert.deepEqual(reader.read('<13>app[3]: [Portal|LOGIN|20101|jdoe] hi'), {
      facility: 1,
      severity: 5,
      appName: 'app',
      procId: '3',
      text: '[Portal|LOGIN|20101|jdoe] hi',
    })
  })

  test('is kept whole as user-level notice where it has no priority', () => {
    for (const text of [
      'hello',
      '<192>x',
      '<013>x',
      '<>x',
      '<1',
      '<-1>x',
      '<1234>x',
      '<1x>',
      'Nov 25 09:06:26 h t: x',
    ])
      assert.deepEqual(reader.read(text), { facility: 1, severity: 5, text })
  })
})

test('whatever bytes come, they are read without an error and none is lost', () => {
  const heads = [
    '',
    '<13>',
    '<13>1 ',
    '<13>1 - - - - - ',
    '<13>1 - - - - - [',
    '<13>Nov 25 09:06:26 ',
    '<13>2026-11-25T10:00:00Z ',
  ]
  let seed = 1
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let k = 0; k < 5_000; k++) {
    const head = heads[random(heads.length)] ?? ''
    const bytes = Buffer.from(
      Array.from({ length: random(40) }, () => (random(3) === 0 ? random(256) : 32 + random(95))),
    )
    const message = head + decodeText(bytes)
    const { text, hadBom } = reader.read(message)
    assert.ok(message.endsWith(text), JSON.stringify(message))
    assert.ok(hadBom === undefined)
  }
})

test('a message of brackets, backslashes or colons takes no more time for each character than a short one', () => {
  for (const piece of ['[a b="', '\\', 'a:', ':', '[', 'a[', ']', ' a'])
    for (const head of [
      '<13>',
      '<13>1 - - - - - ',
      '<13>1 - - - - - [a b="',
      '<13>Nov 25 09:06:26 ',
      '<13>Nov 25 09:06:26 h ',
    ]) {
      const message = head + piece.repeat(500_000)
      assert.ok(message.endsWith(reader.read(message).text))
    }
})
