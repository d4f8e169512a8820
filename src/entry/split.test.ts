import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { entryBytes } from '../limits.ts'
import { escapeKept } from './escape.ts'
import type { AuditEvent, StoredEntry } from './event.ts'
import { draftOf, parseLine, renderLine } from './line.ts'
import { draftsOf, splitEvent } from './split.ts'
import { anyBytes, anyEvent, testLog } from './arbitrary.test.ts'

const id = '0193d3b0-0000-7000-8000-000000000001'
const long: AuditEvent = {
  id,
  via: 'import',
  by: 'portal.log',
  code: '20101',
  severity: 5,
  hostName: 'portal-01',
  actor: 'jdoe',
  details: [['source', 'portal.log']],
  elements: [{ name: 'origin', params: [['ip', '10.0.0.1']] }],
  message: 'A'.repeat(150_000),
}

const place = { position: Number.MAX_SAFE_INTEGER, time: 0, clock: 0 }
const stored = (event: AuditEvent) => parseLine(Buffer.from(renderLine(draftOf(event, testLog), place)))
const joined = (entries: readonly StoredEntry[]) => Buffer.concat(entries.map(({ message }) => message))
const names = (entry: StoredEntry | undefined) => entry?.elements.map(({ name }) => name)

test('L3: an event that fits stays as it is', () => {
  const event = { ...long, message: 'short' }
  assert.deepEqual(splitEvent(event, testLog), [event])
})

test('L3: a text that is too long comes in consecutive parts that name the whole', () => {
  const entries = splitEvent(long, testLog).map(stored)
  assert.deepEqual(
    entries.map(({ part }) => part),
    [1, 2, 3].map((index) => ({ index, count: 3, of: id })),
  )
  assert.equal(joined(entries).toString(), long.message)
  assert.equal(new Set([id, ...entries.map((entry) => entry.id)]).size, 4)
  assert.deepEqual(names(entries[0]), ['event@32473', 'detail@32473', 'origin'])
  assert.deepEqual(names(entries[2]), ['event@32473'])
  const lengths = splitEvent(long, testLog).map((event) =>
    Buffer.byteLength(renderLine(draftOf(event, testLog), place)),
  )
  for (const bytes of lengths.slice(0, 2))
    assert.ok(bytes <= entryBytes && bytes > entryBytes - 100, String(bytes))
})

test('I4: the same event always comes in the same parts, with the age of the whole', () => {
  assert.deepEqual(splitEvent(long, testLog), splitEvent(long, testLog))
  for (const part of splitEvent(long, testLog)) assert.match(part.id, /^0193d3b0-0000-7/)
  const random = { ...long, id: '6f1c1f5e-6a0c-4f0e-9d5b-0a7c3c1d2e3f' }
  for (const part of splitEvent(random, testLog)) assert.match(part.id, /^[0-9a-f-]{14}8/)
})

test('L3: the parts of any bytes, decoded and joined, are those bytes', () => {
  fc.assert(
    fc.property(anyBytes, fc.nat({ max: 8 }), fc.boolean(), (bytes, shift, escaped) => {
      fc.pre(bytes.length > 0)
      const copies = Math.ceil(140_000 / bytes.length)
      const sent = Buffer.concat([
        Buffer.from('x'.repeat(shift)),
        ...Array.from({ length: copies }, () => bytes),
      ])
      const message = escaped ? escapeKept(sent) : sent
      const parts = splitEvent({ ...long, message, escaped }, testLog)
      const entries = parts.map(stored)
      assert.ok(entries.length > 1)
      if (escaped) assert.equal(entries.map(({ text }) => text).join(''), message)
      else assert.ok(joined(entries).equals(sent))
    }),
    { numRuns: 20 },
  )
})

test('L3: what is too long beside the message goes into the text', () => {
  const params = Array.from({ length: 3000 }, (_, k) => [`p${k}`, 'a"b\t'.repeat(10)] as const)
  const event = {
    ...long,
    actor: 'x'.repeat(70_000),
    message: 'm\t#123',
    elements: [{ name: 'big', params }],
  }
  const entries = splitEvent(event, testLog).map(stored)
  const text = entries.map((entry) => entry.text).join('')
  assert.ok(
    text.startsWith(
      `[event@32473 actor="${event.actor}"][detail@32473 source="portal.log"][big p0="a\\"b#011`,
    ),
  )
  assert.ok(text.endsWith('] m#011#043123'))
  assert.deepEqual(entries[1]?.elements, [{ name: 'event@32473', params: [['actor', 'x'.repeat(256)]] }])
})

test('L3: bytes that all are to be escaped hold nobody up', { timeout: 30_000 }, async () => {
  const message = Buffer.alloc(12 * 1024 * 1024, 0xff)
  assert.ok(draftsOf({ ...long, message }, testLog).length > 4 * 12 * 16)
  // So that the time that it took is seen.
  await sleep(1)
})

test('L3: every event fits, whatever is long in it', () => {
  const fields = ['actor', 'component', 'hostName', 'code', 'appName', 'target', 'message'] as const
  const longText = fc.tuple(
    fc.constantFrom('x', '\t', '\u2028', 'é', '\u{1f642}', '"', '\ud800'),
    fc.nat({ max: 40_000 }),
  )
  fc.assert(
    fc.property(
      anyEvent,
      fc.array(fc.tuple(fc.constantFrom(...fields), longText), { maxLength: 4 }),
      (event, longs) => {
        const { by: _by, part: _part, ...rest } = event
        const changes = Object.fromEntries(longs.map(([name, [text, times]]) => [name, text.repeat(times)]))
        const parts = splitEvent({ ...rest, by: 'x', ...changes }, testLog)
        for (const part of parts) stored(part)
      },
    ),
    { numRuns: 30 },
  )
})
