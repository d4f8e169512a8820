// The event that a JSON line of an application's own log stands for, by a mapping. What comes out is held to the same
// rules as an event that is posted. A line that the mapping cannot read is kept whole, and says why: nothing is lost.

import type { AuditEvent, Micros } from '../../entry/event.ts'
import { formatMicros } from '../../entry/time.ts'
import { isAnnalsError } from '../../errors.ts'
import { rawEvent } from '../event-of-line.ts'
import { parseExactly } from '../exact-json.ts'
import { flatten } from '../flatten.ts'
import { parsePosted } from '../posted-event.ts'
import {
  type FileMapping,
  type JsonPath,
  type MappedField,
  mappedFields,
  valueAt,
} from '../../entry/file-mapping.ts'

/** What is known of a line besides itself. */
export interface MappedContext {
  readonly by: string
  readonly id: string
  /** The node's own, for what the line does not say. */
  readonly hostName: string
  readonly component: string
}

/** The event of a line. */
export function mappedEvent(line: Uint8Array, mapping: FileMapping, context: MappedContext): AuditEvent {
  const raw = (reason: string) => rawEvent(line, reason, { via: 'file', ...context })
  const root = parseObject(line)
  if (typeof root === 'string') return raw(root)
  try {
    return eventOf(root, mapping, context)
  } catch (error) {
    // JavaScript's own functions say so where something is nested deeper than they can go.
    if (error instanceof RangeError) return raw('it is nested too deep')
    if (!isAnnalsError(error, 'INVALID_EVENT')) throw error
    return raw(error.message)
  }
}

type Line = Readonly<Record<string, unknown>>

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseObject(line: Uint8Array): Line | string {
  try {
    const value = parseExactly(utf8.decode(line))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Line
    return 'it is not a JSON object'
  } catch {
    return 'it is not JSON'
  }
}

function eventOf(
  root: Line,
  mapping: FileMapping,
  { by, id, hostName, component }: MappedContext,
): AuditEvent {
  const read = (field: MappedField) => mappedValue(root, mapping, field)
  const posted: Record<string, unknown> = {}
  for (const field of mappedFields) {
    const value = read(field)
    if (value !== undefined && value !== null && !(field in senders)) posted[field] = convert(field, value)
  }
  const event = parsePosted({ ...posted, id }, { via: 'file', by, hostName, component })
  return { ...event, ...sender(read), ...detailsOf(root, mapping) }
}

function mappedValue(root: Line, { fields }: FileMapping, field: MappedField): unknown {
  const from = fields[field]
  if (from === undefined) return undefined
  return 'constant' in from ? from.constant : valueAt(root, from.path)
}

const senders = { hostName: true, appName: true, procId: true }

// These three are no fields of an event that is posted.
function sender(
  read: (field: MappedField) => unknown,
): Pick<Partial<AuditEvent>, 'hostName' | 'appName' | 'procId'> {
  const given: { hostName?: string; appName?: string; procId?: string } = {}
  for (const field of ['hostName', 'appName', 'procId'] as const) {
    const value = read(field)
    if (value !== undefined && value !== null && value !== '') given[field] = textOf(value)
  }
  return given
}

function convert(field: MappedField, value: unknown): unknown {
  if (field === 'code') return typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : value
  if (field === 'severity') return severityOf(value)
  if (field === 'occurred') return instantOf(value)
  return textOf(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

// The names of syslog and of the usual loggers.
const severities: Readonly<Record<string, number>> = {
  emerg: 0,
  emergency: 0,
  panic: 0,
  alert: 1,
  crit: 2,
  critical: 2,
  fatal: 2,
  err: 3,
  error: 3,
  severe: 3,
  warn: 4,
  warning: 4,
  notice: 5,
  info: 6,
  information: 6,
  informational: 6,
  debug: 7,
  verbose: 7,
  trace: 7,
  silly: 7,
}

// pino's: 10 is trace, 60 is fatal.
const levels = [7, 7, 6, 4, 3, 2]

function severityOf(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value
  if (typeof value === 'string' && !/^[0-9]+$/.test(value)) return severities[value.toLowerCase()] ?? value
  const number = Number(value)
  return number >= 10 && number <= 60 && number % 10 === 0 ? levels[number / 10 - 1] : number
}

// Seconds, milliseconds or microseconds since 1970: which, their size tells, for any time since 1973.
function instantOf(value: unknown): unknown {
  if (typeof value !== 'number') return value
  const scale = value < 1e11 ? 1_000_000 : value < 1e14 ? 1_000 : 1
  const micros: Micros = Math.round(value * scale)
  return Number.isSafeInteger(micros) ? formatMicros(micros) : value
}

const detailName = /^[A-Za-z0-9_.-]{1,32}$/

function detailsOf(root: Line, mapping: FileMapping): Pick<AuditEvent, 'details'> {
  const { details } = mapping
  const flat =
    details === 'rest'
      ? Object.entries(restOf(root, mapping)).flatMap(([name, value]) => flattened(name, value))
      : Object.entries(details).flatMap(([name, from]) =>
          flattened(name, 'constant' in from ? from.constant : valueAt(root, from.path)),
        )
  const named = flat.filter(([name]) => detailName.test(name))
  const others = flat.filter(([name]) => !detailName.test(name))
  // A name that cannot stand in an entry is kept with its value, as JSON.
  if (others.length > 0) named.push(['more', JSON.stringify(Object.fromEntries(others))])
  return named.length === 0 ? {} : { details: named }
}

type Flat = (readonly [string, string])[]

function flattened(name: string, value: unknown): Flat {
  if (value === undefined) return []
  try {
    return [...flatten({ [name]: value })]
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [[name, JSON.stringify(value)]]
  }
}

// What no field has taken.
function restOf(root: Line, { fields }: FileMapping): Line {
  const taken: JsonPath[] = []
  for (const from of Object.values(fields)) if ('path' in from) taken.push(from.path)
  return without(root, taken)
}

function without(object: Line, taken: readonly JsonPath[]): Line {
  const rest: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(object)) {
    const within = taken.filter(([first]) => first === name).map((path) => path.slice(1))
    if (within.some((path) => path.length === 0)) continue
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (within.length === 0 || !isObject) {
      rest[name] = value
      continue
    }
    const left = without(value as Line, within)
    if (Object.keys(left).length > 0) rest[name] = left
  }
  return rest
}
