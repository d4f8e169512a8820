// Made-up bytes, texts and events for the properties of this folder: with a taste for what is hard to write down in a
// line. A test file, because nothing that is shipped may import what makes them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { AuditEvent, LogId, Place } from './event.ts'

/** A log's id. */
export const testLog = 'portal-01-abcdefghijklmnop' as LogId

const hardTexts = [
  '#',
  '#04',
  '#043',
  '#777',
  '#1234',
  '\t',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ud800',
  '\udc80',
  '\udcff',
  '\udcc3\udca4',
  '\udfff',
  '\u{1f642}',
  'é',
  '"',
  '\\',
  ']',
  '[x y="z"]',
  '|',
  ' ',
  '',
]

/** Any string, lone surrogates and control characters among it. */
export const anyText = fc
  .array(fc.oneof(fc.constantFrom(...hardTexts), fc.string({ unit: 'binary', maxLength: 6 })), {
    maxLength: 8,
  })
  .map((pieces) => pieces.join(''))

/** Any bytes: text, broken text, and noise. */
export const anyBytes = fc
  .array(
    fc.oneof(
      anyText.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        ...['\xed\xa0\x80', '\xc0\x80', '\xf5', '\xe2\x80', '\xf4\x90\x80\x80'].map((text) =>
          Buffer.from(text, 'latin1'),
        ),
      ),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)))

/** A time that a line can hold. */
export const anyTime = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })

const params = fc.array(fc.tuple(anyText, anyText), { maxLength: 3 })
const elementName = fc.oneof(
  anyText,
  fc.constantFrom('origin', 'x@1', 'audit@32473', 'AUDIT@32473', 'event@32473', 'from-audit@32473'),
)

/** An event with any text wherever an event takes text. */
export const anyEvent: fc.Arbitrary<AuditEvent> = fc.record(
  {
    id: fc.uuid(),
    via: fc.constantFrom('self', 'http', 'syslog', 'file', 'import', 'otlp'),
    by: anyText,
    code: fc.oneof(fc.constantFrom('20101', '-'), anyText),
    severity: fc.integer({ min: 0, max: 7 }),
    facility: fc.integer({ min: 0, max: 23 }),
    hostName: fc.oneof(fc.constant('app-01'), anyText),
    appName: fc.oneof(fc.constant('app'), anyText),
    procId: fc.oneof(fc.constant('800'), anyText),
    occurred: anyTime,
    part: fc.constantFrom({ index: 1, count: 3, of: '00000000-0000-4000-8000-000000000000' }),
    actor: anyText,
    component: anyText,
    category: anyText,
    outcome: anyText,
    session: anyText,
    target: anyText,
    eventParams: params,
    details: params,
    elements: fc.array(fc.record({ name: elementName, params }), { maxLength: 4 }),
    message: fc.oneof(anyText, anyBytes),
    escaped: fc.boolean(),
  },
  { requiredKeys: ['id', 'via', 'by', 'code', 'severity', 'hostName', 'message'] },
)

/** Any place. */
export const anyPlace: fc.Arbitrary<Place> = fc.record(
  { position: fc.nat({ max: Number.MAX_SAFE_INTEGER }), time: anyTime, clock: anyTime },
  { requiredKeys: ['position', 'time'] },
)

test('what is hard to write down is among what the properties are tried with', () => {
  const texts = fc.sample(anyText, { numRuns: 1000, seed: 1 })
  for (const hard of [
    /#[0-7]{3}/,
    /\p{Cs}/u,
    /[\p{Cc}--[\t]]/v,
    /\p{Zl}|\p{Zp}/u,
    /\ufeff/,
    /["\\\]]/,
    /[^\0-\uffff]/u,
  ])
    assert.ok(
      texts.some((text) => hard.test(text)),
      String(hard),
    )
  const bytes = fc.sample(anyBytes, { numRuns: 1000, seed: 1 }).map((piece) => Buffer.from(piece))
  assert.ok(bytes.some((piece) => !Buffer.from(piece.toString()).equals(piece)))
})
