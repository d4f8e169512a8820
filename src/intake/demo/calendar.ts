// The days of the demo's activity, in UTC: the demo's office is where the instance's default time zone is.

import type { Micros } from '../../entry/event.ts'

/** A second, as times count it. */
export const second: Micros = 1_000_000
/** A minute. */
export const minute: Micros = 60 * second
/** An hour. */
export const hour: Micros = 60 * minute
const dayLength: Micros = 24 * hour

/** A day of the calendar. */
export interface Day {
  /** Its midnight. */
  readonly start: Micros
  /** Monday to Friday. */
  readonly isWorkday: boolean
  readonly isSunday: boolean
}

/** The days up to `end`, `days` at most: the first is whole, and `end` may cut the last. */
export function daysBefore(end: Micros, days: number): Day[] {
  const first = Math.ceil((end - days * dayLength) / dayLength)
  const beyond = Math.ceil(end / dayLength)
  return Array.from({ length: Math.max(0, beyond - first) }, (_, k) => dayAt((first + k) * dayLength))
}

function dayAt(start: Micros): Day {
  const weekday = new Date(start / 1000).getUTCDay()
  return { start, isWorkday: weekday >= 1 && weekday <= 5, isSunday: weekday === 0 }
}
