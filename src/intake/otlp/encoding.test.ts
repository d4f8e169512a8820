import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deserialize, serialize } from 'node:v8'
import * as fc from 'fast-check'
import { isAnnalsError } from '../../errors.ts'
import { otlpRecords, otlpValues } from '../../limits.ts'
import { encodingOf, jsonEncoding, protobufEncoding } from './encoding.ts'
import { decoded, encoded } from './testing/messages.ts'

const type = 'ExportLogsServiceRequest'
const jsonOf = (request: unknown) => Buffer.from(JSON.stringify(request))
const protobufOf = (request: object) => encoded(type, request)

/** What was read, with ordinary objects for those without a prototype. */
function plain(value: unknown): unknown {
  return deserialize(serialize(value))
}

/** The same request in both encodings. */
interface Both {
  readonly json: object
  readonly protobuf: object
}

// Trace and span ids are hexadecimal in OTLP's JSON, and Base64 in that of Protocol Buffers.
function bothOf(record: object, traceId: string): Both {
  const of = (id: string) => ({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'host.name', value: { stringValue: 'app-1' } }] },
        scopeLogs: [{ scope: { name: 'orders', version: '2' }, logRecords: [{ ...record, traceId: id }] }],
      },
    ],
  })
  return { json: of(traceId), protobuf: of(Buffer.from(traceId, 'hex').toString('base64')) }
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)
const { value: anyValue, pair } = fc.letrec<{ value: object; pair: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: int64 }),
    fc.record({
      doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    }),
    fc.record({
      bytesValue: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: fc.array(tie('pair'), { maxLength: 3 }) }) }),
  ),
  pair: fc.record({ key: text, value: tie('value') }),
}))
const nanos = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String)
const uint32 = fc.nat({ max: 0xffff_ffff })
const anyRecord = fc.record({
  timeUnixNano: nanos,
  observedTimeUnixNano: nanos,
  severityNumber: fc.integer(),
  severityText: text,
  body: anyValue,
  attributes: fc.array(pair, { maxLength: 4 }),
  droppedAttributesCount: uint32,
  flags: uint32,
  eventName: text,
})
const anyTraceId = fc.uint8Array({ maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'))

test('a request says the same in both encodings', () => {
  fc.assert(
    fc.property(anyRecord, anyTraceId, (record, traceId) => {
      const { json, protobuf } = bothOf(record, traceId)
      const read = plain(jsonEncoding.read(jsonOf(json)))
      assert.deepEqual(read, plain(protobufEncoding.read(protobufOf(protobuf))))
      const [first] = read as { body: unknown; traceId: string; time: number | undefined }[]
      assert.equal(first?.traceId, traceId)
      assert.equal(first?.time ?? 0, Number(BigInt(record.timeUnixNano) / 1000n))
    }),
    { numRuns: 300 },
  )
})

test('integers that JavaScript has no number for, and what JSON has none for, come as text', () => {
  const [record] = jsonEncoding.read(
    jsonOf(
      bothOf(
        {
          body: {
            arrayValue: {
              values: [{ intValue: '9007199254740993' }, { intValue: -5 }, { doubleValue: 'NaN' }, {}],
            },
          },
        },
        '',
      ).json,
    ),
  )
  assert.deepEqual(record?.body, ['9007199254740993', -5, 'NaN', null])
})

test('64-bit integers that are written as numbers are not rounded', () => {
  const json =
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":1700000000000000999,' +
    '"body":{"arrayValue":{"values":[{"intValue":9007199254740993},{"intValue": -9223372036854775807},{"doubleValue":9007199254740993}]}}}]}]}]}'
  const [record] = jsonEncoding.read(Buffer.from(json))
  assert.equal(record?.time, 1_700_000_000_000_000)
  assert.deepEqual(record?.body, ['9007199254740993', '-9223372036854775807', 9_007_199_254_740_992])
})

test('what is not known is skipped, in both encodings', () => {
  const known = { body: { stringValue: 'kept' } }
  const more = { ...bothOf({ ...known, later: { a: [1] } }, '').json, other: 1 }
  assert.equal(jsonEncoding.read(jsonOf(more))[0]?.body, 'kept')
  // Field 900 as text, and field 901 as a varint.
  const unknown = Buffer.from([0xa2, 0x38, 0x03, 0x61, 0x62, 0x63, 0xa8, 0x38, 0x96, 0x01])
  const bytes = Buffer.concat([unknown, protobufOf(bothOf(known, '').protobuf), unknown])
  assert.equal(protobufEncoding.read(bytes)[0]?.body, 'kept')
})

test('in Protocol Buffers a resource may stand behind its records', () => {
  const [first, last] = [{ scopeLogs: [{ logRecords: [{}] }] }, { resource: { droppedAttributesCount: 7 } }]
  // Two ResourceLogs, made one by joining their bytes, as the encoding allows.
  const whole = Buffer.concat([encoded('ResourceLogs', first), encoded('ResourceLogs', last)])
  const [record] = protobufEncoding.read(Buffer.concat([Buffer.from([10, whole.length]), whole]))
  assert.equal(record?.resource.droppedAttributes, 7)
})

// A field of a message, and a request of one record, byte by byte.
function within(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([encoded('Status', { code: bytes.length }).fill(tag, 0, 1), bytes])
}

function logsOf(record: Buffer): Buffer {
  return within(10, within(18, within(18, record)))
}

test('L3: text that is no UTF-8 is kept, byte for byte', () => {
  const bytes = Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9])])
  const [read] = protobufEncoding.read(logsOf(within(42, within(10, bytes))))
  assert.equal(read?.body, 'caf\udce9')
})

const isMalformed = (error: unknown) => isAnnalsError(error, 'MALFORMED_REQUEST')
const isTooLarge = (error: unknown) => isAnnalsError(error, 'BODY_TOO_LARGE')

test('whatever bytes come, they are records or refused', () => {
  const valid = protobufOf(bothOf({ body: { stringValue: 'a' }, attributes: [{ key: 'b' }] }, 'ab').protobuf)
  const broken = fc
    .tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: valid.length }))
    .map(([at, byte, end]) =>
      Buffer.concat([valid.subarray(0, at), Buffer.from([byte]), valid.subarray(at + 1, end)]),
    )
  const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(broken, anything), (bytes) => {
      for (const { read } of [protobufEncoding, jsonEncoding]) {
        try {
          read(bytes)
        } catch (error) {
          assert.ok(isMalformed(error), String(error))
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('what is wrong in JSON is named', () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ resourceLogs: {} }, /"resourceLogs" is expected to be a list/],
    [bothOf({ timeUnixNano: '1.5' }, '').json, /"timeUnixNano" is expected to be a whole number/],
    [bothOf({ severityNumber: 'SEVERITY_NUMBER_INFO' }, '').json, /"severityNumber"/],
    [bothOf({ body: { stringValue: 1 } }, '').json, /"stringValue" is expected to be a text/],
    [bothOf({ attributes: ['x'] }, '').json, /"attributes" is expected to be an object/],
    [bothOf({}, 'xyz').json, /"traceId" is expected to be hexadecimal/],
  ]
  for (const [request, message] of wrong)
    assert.throws(() => jsonEncoding.read(jsonOf(request)), { code: 'MALFORMED_REQUEST', message })
})

test('depth, records and values have bounds, in both encodings', () => {
  const nested = (depth: number): object =>
    depth === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nested(depth - 1)] } }
  for (const depth of [32, 40]) {
    const { json, protobuf } = bothOf({ body: nested(depth) }, '')
    assert.throws(() => jsonEncoding.read(jsonOf(json)), isMalformed)
    assert.throws(() => protobufEncoding.read(protobufOf(protobuf)), isMalformed)
  }
  const empty = (count: number) => Array.from({ length: count }, () => ({}))
  const many = { resourceLogs: [{ scopeLogs: [{ logRecords: empty(otlpRecords + 1) }] }] }
  assert.throws(() => jsonEncoding.read(jsonOf(many)), isTooLarge)
  assert.throws(() => protobufEncoding.read(protobufOf(many)), isTooLarge)
  const { json } = bothOf({ body: { arrayValue: { values: empty(otlpValues) } } }, '')
  assert.throws(() => jsonEncoding.read(jsonOf(json)), isTooLarge)
  // As many empty values, of two bytes each.
  const values = Buffer.alloc(2 * otlpValues, Buffer.from([10, 0]))
  assert.throws(() => protobufEncoding.read(logsOf(within(42, within(42, values)))), isTooLarge)
})

test('an integer that does not end is refused, and not computed', () => {
  const varint = Buffer.concat([Buffer.from([24]), Buffer.alloc(1_000_000, 0x80), Buffer.from([1])])
  const request = logsOf(within(42, varint))
  assert.throws(() => protobufEncoding.read(request), { message: /longer than 64 bits/ })
})

test('answers say nothing where everything was recorded, and otherwise how much was not, and why', () => {
  const all = { rejected: 0, message: '' }
  const some = { rejected: 3, message: 'log record 0: "actor" is missing; and 2 more – höchstens' }
  const partialSuccess = { rejectedLogRecords: '3', errorMessage: some.message }
  assert.equal(jsonEncoding.response(all).toString(), '{}')
  assert.equal(protobufEncoding.response(all).length, 0)
  assert.deepEqual(JSON.parse(jsonEncoding.response(some).toString()), { partialSuccess })
  const { partialSuccess: read } = decoded('ExportLogsServiceResponse', protobufEncoding.response(some)) as {
    partialSuccess: object
  }
  assert.deepEqual({ ...read }, partialSuccess)
  assert.deepEqual(JSON.parse(jsonEncoding.status('no').toString()), { message: 'no' })
  assert.deepEqual(decoded('Status', protobufEncoding.status('no')), { message: 'no' })
})

test('the encoding is found by the media type alone', () => {
  assert.equal(encodingOf('Application/JSON; charset=utf-8'), jsonEncoding)
  assert.equal(encodingOf('application/x-protobuf'), protobufEncoding)
  for (const other of [undefined, '', 'text/plain', 'application/jsonl'])
    assert.equal(encodingOf(other), undefined)
})
