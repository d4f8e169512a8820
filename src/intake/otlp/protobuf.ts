// Exported log records in Protocol Buffers' binary encoding (opentelemetry-proto 1.x: `logs_service.proto`, `logs.proto`,
// `resource.proto`, `common.proto`), read by hand over the wire-level reader: one pass, no reflection, no generated code,
// and nothing held but the records. What is not known is skipped, as the encoding demands.
//
// Cases are tags: the field's number times eight, and its wire type. A field of another type than its own is unknown.

import protobuf from 'protobufjs/minimal.js'
import { decodeText } from '../../entry/escape.ts'
import type { Micros } from '../../entry/event.ts'
import { AnnalsError } from '../../errors.ts'
import {
  Allowance,
  type LogRecord,
  malformed,
  type RecordBody,
  type Resource,
  type Scope,
} from './log-record.ts'
import { integer, type KeyValue, microsOf, objectOf, real, type Value } from './value.ts'

/** The records of a request. Throws MALFORMED_REQUEST and BODY_TOO_LARGE. */
export function readProtobuf(bytes: Buffer): LogRecord[] {
  const decoder = new Decoder(protobuf.Reader.create(bytes))
  try {
    return decoder.request()
  } catch (cause) {
    if (cause instanceof AnnalsError) throw cause
    throw malformed('it ends in the middle, or is something else', cause)
  }
}

/** A message's bytes: [start, end) of the request. */
type Range = readonly [start: number, end: number]

class Decoder {
  readonly #reader: protobuf.Reader
  readonly #allowance = new Allowance()

  constructor(reader: protobuf.Reader) {
    this.#reader = reader
  }

  request(): LogRecord[] {
    const records: LogRecord[] = []
    this.#each([0, this.#reader.len], {
      10: () => this.#resourceLogs(this.#range(), records),
    })
    return records
  }

  // What a record came in may stand behind it: its bytes are read when that is known.
  #resourceLogs(range: Range, into: LogRecord[]): void {
    const parts: Range[] = []
    const scopes: Range[] = []
    this.#each(range, {
      10: () => parts.push(this.#skipped()),
      18: () => scopes.push(this.#skipped()),
    })
    const resource = this.#resource(parts)
    for (const scope of scopes) this.#scopeLogs(scope, resource, into)
    this.#reader.pos = range[1]
  }

  #scopeLogs(range: Range, resource: Resource, into: LogRecord[]): void {
    const parts: Range[] = []
    const records: Range[] = []
    this.#each(range, {
      10: () => parts.push(this.#skipped()),
      18: () => {
        this.#allowance.takeRecord()
        records.push(this.#skipped())
      },
    })
    const scope = this.#scope(parts)
    for (const record of records) into.push({ resource, scope, ...this.#record(record) })
  }

  #resource(parts: readonly Range[]): Resource {
    const attributes: KeyValue[] = []
    let droppedAttributes = 0
    for (const part of parts) {
      this.#each(part, {
        10: () => attributes.push(this.#keyValue(this.#range(), 1)),
        16: () => (droppedAttributes = this.#reader.uint32()),
      })
    }
    return { attributes, droppedAttributes }
  }

  #scope(parts: readonly Range[]): Scope {
    const attributes: KeyValue[] = []
    let [name, version, droppedAttributes] = ['', '', 0]
    for (const part of parts) {
      this.#each(part, {
        10: () => (name = this.#text()),
        18: () => (version = this.#text()),
        26: () => attributes.push(this.#keyValue(this.#range(), 1)),
        32: () => (droppedAttributes = this.#reader.uint32()),
      })
    }
    return { name, version, attributes, droppedAttributes }
  }

  #record(range: Range): RecordBody {
    const attributes: KeyValue[] = []
    let [time, observed]: (Micros | undefined)[] = []
    let body: Value = null
    let [severityText, eventName, traceId, spanId] = ['', '', '', '']
    let [severityNumber, droppedAttributes, flags] = [0, 0, 0]
    this.#each(range, {
      9: () => (time = this.#instant()),
      16: () => (severityNumber = this.#reader.int32()),
      26: () => (severityText = this.#text()),
      42: () => (body = this.#value(this.#range(), 1)),
      50: () => attributes.push(this.#keyValue(this.#range(), 1)),
      56: () => (droppedAttributes = this.#reader.uint32()),
      69: () => (flags = this.#reader.fixed32()),
      74: () => (traceId = this.#bytes().toString('hex')),
      82: () => (spanId = this.#bytes().toString('hex')),
      89: () => (observed = this.#instant()),
      98: () => (eventName = this.#text()),
    })
    const said = { time, observed, severityNumber, severityText, eventName, body }
    return { ...said, attributes, droppedAttributes, traceId, spanId, flags }
  }

  #keyValue(range: Range, depth: number): KeyValue {
    this.#allowance.takeValue(depth)
    let name = ''
    let value: Value = null
    this.#each(range, {
      10: () => (name = this.#text()),
      18: () => (value = this.#value(this.#range(), depth)),
    })
    return [name, value]
  }

  // Of several alternatives, the last one counts.
  #value(range: Range, depth: number): Value {
    this.#allowance.takeValue(depth)
    let value: Value = null
    this.#each(range, {
      10: () => (value = this.#text()),
      16: () => (value = this.#reader.bool()),
      24: () => (value = this.#integer()),
      33: () => (value = real(this.#reader.double())),
      42: () => (value = this.#array(this.#range(), depth + 1)),
      50: () => (value = this.#object(this.#range(), depth + 1)),
      58: () => (value = this.#bytes().toString('base64')),
    })
    return value
  }

  #array(range: Range, depth: number): Value {
    const values: Value[] = []
    this.#each(range, { 10: () => values.push(this.#value(this.#range(), depth)) })
    return values
  }

  #object(range: Range, depth: number): Value {
    const pairs: KeyValue[] = []
    this.#each(range, { 10: () => pairs.push(this.#keyValue(this.#range(), depth)) })
    return objectOf(pairs)
  }

  // Reads the fields of a message that are known, and skips the others.
  #each([start, end]: Range, fields: Readonly<Record<number, () => unknown>>): void {
    const reader = this.#reader
    reader.pos = start
    while (reader.pos < end) {
      const tag = reader.tag()
      const read = fields[tag]
      if (read === undefined) reader.skipType(tag & 7, 0, tag >>> 3)
      else read()
    }
    if (reader.pos !== end) throw malformed('a field is longer than its message')
  }

  #range(): Range {
    const length = this.#reader.size()
    const end = this.#reader.pos + length
    if (end > this.#reader.len) throw malformed('it ends in the middle')
    return [this.#reader.pos, end]
  }

  #skipped(): Range {
    const range = this.#range()
    this.#reader.pos = range[1]
    return range
  }

  #bytes(): Buffer {
    const [start, end] = this.#skipped()
    return Buffer.from(this.#reader.buf.buffer, this.#reader.buf.byteOffset + start, end - start)
  }

  // Bytes that are no UTF-8 are kept (contract L3).
  #text(): string {
    return decodeText(this.#bytes())
  }

  // A varint, the lowest seven bits first, in two's complement of 64 bits.
  #integer(): Value {
    const reader = this.#reader
    const start = reader.pos
    reader.skip()
    if (reader.pos - start > 10) throw malformed('an integer is longer than 64 bits')
    let bits = 0n
    for (const byte of reader.buf.subarray(start, reader.pos).toReversed())
      bits = (bits << 7n) | BigInt(byte & 0x7f)
    return integer(BigInt.asIntN(64, bits))
  }

  #instant(): Micros | undefined {
    const [low, high] = [this.#reader.fixed32(), this.#reader.fixed32()]
    return microsOf((BigInt(high) << 32n) | BigInt(low))
  }
}
