// A window of recorded time, as the Audit Trail API asks for it (contract W1 to W7): `before_date` and
// `elapsed_hours`, each at most once, and nothing else. A typing error must never return the whole log, so whatever
// is not exactly one of the forms below is refused, by the name of its parameter and with an example.

import { AnnalsError } from '../errors.ts'
import type { Micros } from './event.ts'
import { localToMicros, saturate } from './time-zone.ts'
import { isDate, isTimeOfDay, utcSeconds } from './time.ts'

/** What was asked for. Neither: the whole log (W1). */
export interface Window {
  /** The end, not itself in the window (W2, W4). */
  readonly before?: Micros
  /** The length of the window, back from `before` or from now (W3). */
  readonly elapsed?: Micros
}

/** A window as two moments: start ≤ time < end. */
export interface ResolvedWindow {
  readonly start: Micros
  readonly end: Micros
}

const shownCharacters = 64

/**
 * Reads a query, as it stands behind the `?`, undecoded. Times without an offset are local to `timeZone`, an IANA
 * name. Throws INVALID_PARAMETER, naming the parameter and what is expected.
 */
export function parseWindow(rawQuery: string, timeZone: string): Window {
  const window: { before?: Micros; elapsed?: Micros } = {}
  if (rawQuery === '') return window
  for (const [name, value] of rawQuery.split('&').map(parsePair)) {
    if (name === 'before_date') {
      if (window.before !== undefined) throw repeated(name)
      window.before = parseBefore(value, timeZone)
    } else if (name === 'elapsed_hours') {
      if (window.elapsed !== undefined) throw repeated(name)
      window.elapsed = parseElapsed(value)
    } else {
      throw invalid(shown(name), 'unknown parameter; expected before_date or elapsed_hours')
    }
  }
  return window
}

/**
 * The moments that a window names when a read's "now" is known (W3). Without `elapsed` it starts with the log; it
 * never ends behind `now`, nor starts behind its end.
 */
export function resolveWindow({ before, elapsed }: Window, now: Micros): ResolvedWindow {
  const end = Math.min(before ?? now, now)
  if (elapsed === undefined) return { start: Number.MIN_SAFE_INTEGER, end }
  const start = Math.max((before ?? now) - elapsed, Number.MIN_SAFE_INTEGER)
  return { start: Math.min(start, end), end }
}

// RFC 3986: a plus is a plus, and only the first `=` parts name and value.
function parsePair(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=')
  const name = decode(equals === -1 ? pair : pair.slice(0, equals))
  if (name === undefined)
    throw invalid('query', 'a name is not well percent-encoded; expected such as before_date=2026-01-31')
  if (name === '')
    throw invalid('query', 'a parameter without a name; expected such as before_date=2026-01-31')
  const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
  if (value === undefined)
    throw invalid(shown(name), 'not well percent-encoded; expected UTF-8 as RFC 3986 encodes it')
  return [name, value]
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const dateForms = 'yyyy-mm-dd or yyyy-mm-ddThh:mm:ss, such as 2026-01-31 or 2026-01-31T14:00:00+01:00'
const dateForm =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?)?$/

function parseBefore(value: string, timeZone: string): Micros {
  const found = dateForm.exec(value)
  if (found === null) throw invalid('before_date', `expected ${dateForms}`)
  const [
    ,
    year,
    month,
    day,
    hour = 0,
    minute = 0,
    second = 0,
    fraction = '',
    zulu,
    sign,
    offsetHour,
    offsetMinute,
  ] = found
  const local = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    micros: microsAtLeast(fraction),
  }
  demandExistence(local)
  if (zulu === undefined && sign === undefined) return localToMicros(local, timeZone) ?? missing(value)
  const offset = sign === undefined ? 0 : parseOffset(sign, Number(offsetHour), Number(offsetMinute))
  const seconds = utcSeconds(local.year, local.month, local.day, local.hour, local.minute, local.second)
  return saturate((seconds ?? missing(value)) - offset, local.micros)
}

type Local = Parameters<typeof localToMicros>[0]

function demandExistence({ year, month, day, hour, minute, second }: Local): void {
  if (!isDate(year, month, day)) throw invalid('before_date', `there is no such date; expected ${dateForms}`)
  if (isTimeOfDay(hour, minute, second)) return
  throw invalid('before_date', `there is no such time, 00:00:00 to 23:59:59; expected ${dateForms}`)
}

function missing(value: string): never {
  throw new TypeError(`the date ${value} was checked, and is not there`)
}

// `time < before` is the same for whole microseconds as with the next whole one (W4).
function microsAtLeast(fraction: string): number {
  return Math.ceil(Number(fraction.padEnd(9, '0')) / 1000)
}

function parseOffset(sign: string, hours: number, minutes: number): number {
  if (hours > 23 || minutes > 59)
    throw invalid('before_date', 'there is no such offset, -23:59 to +23:59; expected such as +01:00')
  return (sign === '-' ? -1 : 1) * (hours * 3600 + minutes * 60)
}

// At most eight digits stand behind the point, so that every value is a whole number of microseconds: an hour is
// 36 · 10^8 of them. What is too large for a safe integer is at its end anyway.
function parseElapsed(value: string): Micros {
  const found = /^([0-9]+)(?:\.([0-9]+))?$/.exec(value)
  const [, whole = '', fraction = ''] = found ?? []
  if (found === null || whole.length + fraction.length > 9)
    throw invalid(
      'elapsed_hours',
      'expected a decimal number of hours of at most 9 digits, such as 24 or 0.5',
    )
  const micros = Number(whole + fraction) * 36 * 10 ** (8 - fraction.length)
  return Math.min(micros, Number.MAX_SAFE_INTEGER)
}

function repeated(name: string): AnnalsError {
  return invalid(name, 'given more than once; expected once')
}

function invalid(name: string, expectation: string): AnnalsError {
  return new AnnalsError('INVALID_PARAMETER', `${name}: ${expectation}`)
}

// A name that somebody typed, cut to what fits in a message.
function shown(name: string): string {
  const printable = name.toWellFormed().replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')
  return printable.length <= shownCharacters ? printable : `${printable.slice(0, shownCharacters)}…`
}
