import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isAnnalsError } from '../errors.ts'
import { entryBytes } from '../limits.ts'
import { decodeText } from './escape.ts'
import type { AuditEvent, Place, StoredEntry } from './event.ts'
import { draftOf, parseLine, parsePlace, placeBytes, renderEntry, renderLine, writeLine } from './line.ts'
import { anyBytes, anyEvent, anyPlace, testLog } from './arbitrary.test.ts'

const id = '0193d3b0-0000-7000-8000-000000000001'
const time = Date.UTC(2026, 0, 1) * 1000 + 123_456
const login: AuditEvent = {
  id,
  via: 'http',
  by: 'recorder',
  code: '20101',
  severity: 5,
  hostName: 'app-01',
  actor: 'jdoe',
  component: 'Portal',
  category: 'LOGIN',
  outcome: 'success',
  session: 's-1',
  target: 'x',
  details: [['ip', '10.0.0.1']],
  elements: [{ name: 'origin', params: [['ip', '10.2.0.2']] }],
  message: '[Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1',
}

const line = (event: AuditEvent, place: Place = { position: 7, time }) =>
  renderLine(draftOf(event, testLog), place)
const parse = (text: string) => parseLine(Buffer.from(text))
const element = (entry: StoredEntry, name: string) =>
  entry.elements.find((element) => element.name === name)?.params

test('L1, L2: a line is one RFC 5424 message that begins with what the log says', () => {
  assert.equal(
    line(
      { ...login, appName: 'portal', procId: '800', occurred: time - 1 },
      { position: 7, time, clock: time - 2000 },
    ),
    '<109>1 2026-01-01T00:00:00.123456Z app-01 portal 800 20101 ' +
      `[audit@32473 v="1" log="${testLog}" pos="7" id="${id}" via="http" by="recorder"` +
      ' occurred="2026-01-01T00:00:00.123455Z" clock="2026-01-01T00:00:00.121456Z"]' +
      '[event@32473 actor="jdoe" component="Portal" category="LOGIN" outcome="success" session="s-1" target="x"]' +
      '[detail@32473 ip="10.0.0.1"][origin ip="10.2.0.2"]' +
      ' [Portal|LOGIN|20101|jdoe] User jdoe logged with session id s-1',
  )
})

test('L1: what a sender does not say is annals and -, and elements without parameters are left out', () => {
  assert.equal(
    line({ id, via: 'self', by: 'node', code: '-', severity: 6, hostName: 'h', message: '' }),
    `<110>1 2026-01-01T00:00:00.123456Z h annals - - [audit@32473 v="1" log="${testLog}" pos="7" id="${id}" via="self" by="node"] `,
  )
})

test('L1: names are fitted to RFC 5424, and what was changed is kept', () => {
  const sent = { hostName: 'my höst', appName: 'a'.repeat(49), procId: '', code: 'a b', message: '' }
  const entry = parse(line({ ...login, ...sent, elements: [{ name: 'x y', params: [['a=b', 'c']] }] }))
  assert.equal(entry.hostName, 'my_h_st')
  assert.equal(entry.appName, 'a'.repeat(48))
  assert.equal(entry.procId, '-')
  assert.equal(entry.code, 'a_b')
  assert.deepEqual(element(entry, 'x_y'), [['a_b', 'c']])
  assert.deepEqual(element(entry, 'source@32473'), [
    ['hostName', 'my höst'],
    ['appName', 'a'.repeat(49)],
    ['procId', ''],
    ['msgId', 'a b'],
    ['element', 'x_y x y'],
    ['param', 'x_y a_b a=b'],
  ])
})

test('L2: nobody can forge an element of ours', () => {
  const names = ['audit@32473', 'event@32473', 'detail@32473', 'source@32473', 'AUDIT@32473']
  const forged = names.map((name) => ({ name, params: [['pos', '0'] as const] }))
  const entry = parse(line({ ...login, elements: forged }))
  assert.equal(entry.position, 7)
  assert.deepEqual(
    entry.elements.map(({ name }) => name),
    ['event@32473', 'detail@32473', ...names.map((name) => `from-${name}`)],
  )
  assert.equal(entry.elements[0]?.params[0]?.[1], 'jdoe')
})

test('L2: an element that comes twice gets a number, and what it was is kept', () => {
  const names = ['x@1', 'x@1', 'audit@32473', 'from-audit@32473', 'x-2@1', 'y'.repeat(33), 'y'.repeat(32)]
  const entry = parse(line({ ...login, elements: names.map((name) => ({ name, params: [] })) }))
  const found = entry.elements.map(({ name }) => name)
  assert.deepEqual(found.slice(3), [
    'x@1',
    'x-2@1',
    'from-audit@32473',
    'from-audit-2@32473',
    'x-2-2@1',
    'y'.repeat(32),
    `${'y'.repeat(30)}-2`,
  ])
  assert.ok(element(entry, 'source@32473')?.some(([, value]) => value === 'x-2@1 x@1'))
})

test('L2: thousands of elements of one name cost no more than as many others', () => {
  const elements = Array.from({ length: 6000 }, () => ({ name: 'a', params: [] }))
  const { elements: found } = parse(line({ ...login, message: '', elements: elements.slice(0, 1500) }))
  assert.equal(new Set(found.map(({ name }) => name)).size, found.length)
  assert.throws(() => line({ ...login, elements }), { code: 'ENTRY_TOO_LARGE' })
})

test('L3: an entry is refused where its line could be longer than 65,535 bytes', () => {
  const empty = draftOf({ ...login, message: 'x'.repeat(30_000) }, testLog).bytes - 30_000
  const longest = { ...login, message: 'x'.repeat(entryBytes - empty) }
  const place = { position: Number.MAX_SAFE_INTEGER, time, clock: time - 1 }
  assert.equal(Buffer.byteLength(line(longest, place)), entryBytes)
  for (const more of ['x', 'é']) {
    assert.throws(() => draftOf({ ...longest, message: more + longest.message }, testLog), {
      code: 'ENTRY_TOO_LARGE',
    })
  }
  assert.equal(placeBytes, 79)
})

test('L3: a message that was escaped before is kept, and decoded', () => {
  const entry = parse(line({ ...login, message: 'tab#011here\t', escaped: true }))
  assert.equal(entry.text, 'tab#011here#011')
  assert.equal(Buffer.from(entry.message).toString(), 'tab\there\t')
})

test('L3: every message comes back byte for byte', () => {
  fc.assert(
    fc.property(anyBytes, anyPlace, (message, place) => {
      const entry = parse(line({ ...login, message }, place))
      assert.deepEqual(new Uint8Array(entry.message), message)
    }),
  )
})

test('L1, L2: every event comes back from its line, and the line from what was read', () => {
  fc.assert(
    fc.property(anyEvent, anyPlace, (event, place) => {
      const text = line(event, place)
      const entry = parse(text)
      assert.equal(renderEntry(entry), text)
      const { position, time, clock, id, via, by, occurred, part, facility, severity } = entry
      assert.deepEqual({ position, time, clock }, { clock: undefined, ...place })
      assert.deepEqual([id, via, occurred, part], [event.id, event.via, event.occurred, event.part])
      assert.deepEqual([facility, severity], [event.facility ?? 13, event.severity])
      assert.equal(by, readBack(event.by))
      const actor = element(entry, 'event@32473')?.find(([name]) => name === 'actor')?.[1]
      if (event.actor !== undefined) assert.equal(actor, readBack(event.actor))
      for (const { name } of entry.elements) assert.match(name, /^[!-~]{1,32}$/)
    }),
    { numRuns: 1000 },
  )
})

// A lone surrogate comes back as the byte that it stands for, or as the three that were written for it; and those that are a
// character together, as that.
function readBack(text: string): string {
  return decodeText(Buffer.concat(Array.from(text, bytesOf)))
}

function bytesOf(character: string): Buffer {
  if (character.isWellFormed()) return Buffer.from(character)
  const code = character.charCodeAt(0)
  return code >= 0xdc80 && code <= 0xdcff
    ? Buffer.from([code & 0xff])
    : Buffer.from([0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
}

test('a line is written as it is rendered, and takes no more bytes than its draft said', () => {
  const target = Buffer.alloc(entryBytes + 8)
  fc.assert(
    fc.property(anyEvent, anyPlace, fc.nat(7), (event, place, at) => {
      const draft = draftOf(event, testLog)
      const end = writeLine(target, at, draft, place)
      assert.equal(target.toString('utf8', at, end), `${renderLine(draft, place)}\n`)
      assert.ok(end - at <= draft.bytes + 1)
    }),
  )
  for (const position of [0, 9, 10, 99, 100, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const end = writeLine(target, 0, draftOf(login, testLog), { position, time })
    assert.equal(target.toString('utf8', 0, end), `${line(login, { position, time })}\n`)
  }
})

test('a line that is read, however it was changed, renders to the same bytes', () => {
  fc.assert(
    fc.property(
      anyEvent,
      anyPlace,
      fc.nat(),
      fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('#"\\] [0'))),
      (event, place, at, byte) => {
        const changed = Buffer.from(line(event, place))
        changed[at % changed.length] = byte
        try {
          assert.equal(
            renderEntry(parseLine(changed)),
            changed.toString('latin1') === changed.toString() ? changed.toString() : decodeText(changed),
          )
        } catch (error) {
          assert.ok(isAnnalsError(error, 'LOG_DAMAGED'), String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('a line that the log does not write is refused, with the place', () => {
  const good = line({ ...login, occurred: time })
  const refused = (from: string | RegExp, to: string, message = /at byte \d+, expected/) => {
    const text = good.replace(from, to)
    assert.notEqual(text, good)
    assert.throws(() => parse(text), { code: 'LOG_DAMAGED', message })
  }
  refused('<109>', '<0109>', /at byte 0, expected a priority/)
  refused('<109>', '<192>')
  refused('>1 ', '>2 ')
  refused('.123456Z', '.12345Z')
  refused('2026-01-01T', '2026-02-30T', /at byte 7, expected a time/)
  refused('app-01 annals', 'app-01  annals')
  refused('v="1"', 'v="2"')
  refused('pos="7"', 'pos="07"')
  refused('pos="7"', 'pos="9007199254740993"')
  refused(id, id.toUpperCase())
  refused('via="http"', 'via="fax"')
  refused('by="recorder"', 'by="rec\\order"')
  refused('by="recorder"', 'by="#141"')
  refused(' occurred="', ' ocurred="')
  refused('[event@32473', '[audit@32473')
  refused('[detail@32473', '[event@32473')
  refused(/\[event[^\]]*\](\[detail[^\]]*\])/, '$1[event@32473 actor="x"]')
  refused(/\[event[^\]]*\]/, '[event@32473]')
  refused('[origin', '[Detail@32473')
  refused('"] [Portal', '"]')
  refused('User', 'Us\ter', /only printable characters/)
  refused('User', 'Us\u2028er')
  refused('User', '\ufeff')
  assert.throws(() => parseLine(Buffer.from(good.replace('User', '\xe9'), 'latin1')), { code: 'LOG_DAMAGED' })
  assert.throws(() => parse(good + 'x'.repeat(entryBytes)), { code: 'LOG_DAMAGED' })
  assert.throws(() => parse(''), { code: 'LOG_DAMAGED' })
  assert.throws(() => parse(`${good}\n`), { code: 'LOG_DAMAGED' })
})

test('the place alone is read from the middle of a buffer', () => {
  fc.assert(
    fc.property(anyEvent, anyPlace, (event, place) => {
      const bytes = Buffer.from(`junk\n${line(event, place)}\njunk`)
      const found = parsePlace(bytes, 5, bytes.length - 5)
      assert.deepEqual(found, { time: place.time, position: place.position })
    }),
  )
})

test('no place is found where the shape is wrong, and never behind the end', () => {
  const good = Buffer.from(line(login))
  const last = good.indexOf('pos="7"') + 'pos="7"'.length
  assert.notEqual(parsePlace(good, 0, last), undefined)
  for (let end = 0; end < last; end++) assert.equal(parsePlace(good, 0, end), undefined, `end ${end}`)
  for (const at of [0, 4, 5, 6, 7, 11, 33, 34, good.indexOf('[audit'), last - 2, last - 1, last - 4]) {
    const bad = Buffer.from(good)
    bad[at] = 0x78
    assert.equal(parsePlace(bad, 0, bad.length), undefined, `byte ${at}`)
  }
})
