// Local dates and times of an IANA time zone (contract W5). UTC goes without the zone database.

import { Temporal } from 'temporal-polyfill'
import type { Micros } from './event.ts'
import { utcSeconds } from './time.ts'

/** A date and a time of day, of the proleptic Gregorian calendar, years 0 to 9999. */
export interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros?: number
}

/** True for an IANA name, aliases included. Bare offsets such as `+01:00` are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/**
 * The moment that a local time of a zone is. One that a clock change skips is taken with the offset from before it,
 * of one that comes twice the first is meant (ECMAScript Temporal's `compatible`) unless the `later` is asked for.
 * Saturates at the ends of what `Micros` can hold. Undefined where there is no such date or time. `timeZone` must be
 * one (`isTimeZone`).
 */
export function localToMicros(
  local: LocalTime,
  timeZone: string,
  disambiguation: 'compatible' | 'later' = 'compatible',
): Micros | undefined {
  const { year, month, day, hour, minute, second, micros = 0 } = local
  const utc = utcSeconds(year, month, day, hour, minute, second)
  if (utc === undefined || timeZone === 'UTC') return utc === undefined ? undefined : saturate(utc, micros)
  const plain = new Temporal.PlainDateTime(year, month, day, hour, minute, second)
  const moment = plain.toZonedDateTime(timeZone, { disambiguation })
  return saturate(moment.epochMilliseconds / 1000, micros)
}

/** True for a moment that is, or may be, farther away than `Micros` can say. */
export function isSaturated(time: Micros): boolean {
  return Math.abs(time) === Number.MAX_SAFE_INTEGER
}

/** Seconds and microseconds as `Micros`, or the end of what that can hold. */
export function saturate(seconds: number, micros: number): Micros {
  const time = seconds * 1_000_000 + micros
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, time))
}
