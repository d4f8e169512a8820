// Exported log records in JSON (OTLP 1.x, "JSON Protobuf Encoding"): names in lowerCamelCase, trace and span ids in
// hexadecimal, 64-bit integers as text or number, enumerations as numbers. What is not known is skipped.

import { AnnalsError } from '../../errors.ts'
import { parseExactly } from '../exact-json.ts'
import {
  Allowance,
  type LogRecord,
  malformed,
  type RecordBody,
  type Resource,
  type Scope,
} from './log-record.ts'
import { integer, type KeyValue, microsOf, objectOf, real, type Value } from './value.ts'

/** The records of a request. Throws MALFORMED_REQUEST, naming what is wrong, and BODY_TOO_LARGE. */
export function readJson(bytes: Buffer): LogRecord[] {
  const allowance = new Allowance()
  const records: LogRecord[] = []
  for (const resourceLogs of listOf(partOf(parse(bytes), 'the request'), 'resourceLogs')) {
    const resource = resourceOf(childOf(resourceLogs, 'resource'), allowance)
    for (const scopeLogs of listOf(resourceLogs, 'scopeLogs')) {
      const scope = scopeOf(childOf(scopeLogs, 'scope'), allowance)
      for (const record of listOf(scopeLogs, 'logRecords')) {
        allowance.takeRecord()
        records.push({ resource, scope, ...recordOf(record, allowance) })
      }
    }
  }
  return records
}

type Part = Readonly<Record<string, unknown>>

function parse(bytes: Buffer): unknown {
  try {
    return parseExactly(utf8.decode(bytes))
  } catch (cause) {
    throw malformed('it is not JSON in UTF-8', cause)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function resourceOf(part: Part, allowance: Allowance): Resource {
  return {
    attributes: pairsOf(part, 'attributes', allowance, 1),
    droppedAttributes: numberOf(part, 'droppedAttributesCount'),
  }
}

function scopeOf(part: Part, allowance: Allowance): Scope {
  return { name: textOf(part, 'name'), version: textOf(part, 'version'), ...resourceOf(part, allowance) }
}

function recordOf(part: Part, allowance: Allowance): RecordBody {
  return {
    time: microsOf(nanosOf(part, 'timeUnixNano')),
    observed: microsOf(nanosOf(part, 'observedTimeUnixNano')),
    severityNumber: Number(wholeOf(part, 'severityNumber', -(2n ** 31n), 2n ** 31n)),
    severityText: textOf(part, 'severityText'),
    eventName: textOf(part, 'eventName'),
    body: valueOf(childOf(part, 'body'), allowance, 1),
    attributes: pairsOf(part, 'attributes', allowance, 1),
    droppedAttributes: numberOf(part, 'droppedAttributesCount'),
    traceId: hexOf(part, 'traceId'),
    spanId: hexOf(part, 'spanId'),
    flags: numberOf(part, 'flags'),
  }
}

function pairsOf(part: Part, name: string, allowance: Allowance, depth: number): KeyValue[] {
  return listOf(part, name).map((pair) => {
    allowance.takeValue(depth)
    return [textOf(pair, 'key'), valueOf(childOf(pair, 'value'), allowance, depth)]
  })
}

// One alternative at the most is given; none stands for null.
function valueOf(part: Part, allowance: Allowance, depth: number): Value {
  allowance.takeValue(depth)
  for (const name of Object.keys(part)) {
    if (part[name] === null) continue
    switch (name) {
      case 'stringValue':
        return textOf(part, name)
      case 'boolValue':
        return booleanOf(part, name)
      case 'intValue':
        return integer(wholeOf(part, name, -(2n ** 63n), 2n ** 63n))
      case 'doubleValue':
        return real(realOf(part, name))
      case 'bytesValue':
        return base64Of(part, name)
      case 'arrayValue':
        return listOf(childOf(part, name), 'values').map((value) => valueOf(value, allowance, depth + 1))
      case 'kvlistValue':
        return objectOf(pairsOf(childOf(part, name), 'values', allowance, depth + 1))
    }
  }
  return null
}

function partOf(value: unknown, name: string): Part {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Part
  throw malformed(`${name} is expected to be an object`)
}

function childOf(part: Part, name: string): Part {
  return partOf(part[name] ?? {}, `"${name}"`)
}

function listOf(part: Part, name: string): readonly Part[] {
  const list = part[name] ?? []
  if (!Array.isArray(list)) throw wrong(name, 'a list')
  for (const each of list) partOf(each, `an element of "${name}"`)
  return list as readonly Part[]
}

function textOf(part: Part, name: string): string {
  const text = part[name] ?? ''
  if (typeof text !== 'string') throw wrong(name, 'a text')
  return text
}

function booleanOf(part: Part, name: string): boolean {
  const value = part[name]
  if (typeof value !== 'boolean') throw wrong(name, 'true or false')
  return value
}

function hexOf(part: Part, name: string): string {
  const text = textOf(part, name)
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw wrong(name, 'hexadecimal')
  return text.toLowerCase()
}

function base64Of(part: Part, name: string): string {
  const text = textOf(part, name)
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw wrong(name, 'Base64')
  return Buffer.from(text, 'base64').toString('base64')
}

function realOf(part: Part, name: string): number {
  const value = part[name]
  if (typeof value === 'number') return value
  const isNumeral =
    typeof value === 'string' && /^(?:NaN|-?Infinity|-?[0-9.]+(?:[eE][+-]?[0-9]+)?)$/.test(value)
  if (!isNumeral) throw wrong(name, 'a number')
  return Number(value)
}

function numberOf(part: Part, name: string): number {
  return Number(wholeOf(part, name, 0n, 2n ** 32n))
}

function nanosOf(part: Part, name: string): bigint {
  return wholeOf(part, name, 0n, 2n ** 64n)
}

// A whole number from `least` up to below `end`, as number or text.
function wholeOf(part: Part, name: string, least: bigint, end: bigint): bigint {
  const value = part[name] ?? 0
  const isWhole =
    typeof value === 'string'
      ? /^-?[0-9]{1,20}$/.test(value)
      : typeof value === 'number' && Number.isInteger(value)
  const whole = isWhole ? BigInt(value as string | number) : undefined
  if (whole === undefined || whole < least || whole >= end) throw wrong(name, 'a whole number of its range')
  return whole
}

function wrong(name: string, expected: string): AnnalsError {
  return malformed(`"${name}" is expected to be ${expected}`)
}
