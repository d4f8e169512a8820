// Times as they stand in a line: `2026-01-01T00:00:00.123456Z`, always UTC, always six digits of a second.
// Inside, a time is a safe integer of microseconds, which reaches from 1684 to 2255.

import type { Micros } from './event.ts'

/** The length of a time in a line. */
export const timeLength = 27

const day = 86_400

// Entries of one batch share a time, and those of one second all but its last six digits: both are kept, for
// the writer renders one line in four microseconds.
let lastTime = Number.NaN
let lastText = ''
let lastSecond = Number.NaN
let lastPrefix = ''

/** Renders a time, given as a safe integer, as it stands in a line. */
export function formatMicros(time: Micros): string {
  if (time === lastTime) return lastText
  const second = Math.floor(time / 1_000_000)
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20)
    lastSecond = second
  }
  // The leading 1 keeps the zeros behind it, and is cut off.
  lastText = `${lastPrefix}${String(1_000_000 + (time - second * 1_000_000)).slice(1)}Z`
  lastTime = time
  return lastText
}

/** Reads a time as a line has it; undefined where `text` is not exactly what `formatMicros` makes of a time. */
export function parseStoredTime(text: string): Micros | undefined {
  return text.length === timeLength ? readTime(Buffer.from(text, 'latin1'), 0) : undefined
}

/**
 * Reads the time that stands in `bytes` from `at` on, as `parseStoredTime` does. Made of comparisons of bytes only:
 * it is what scanning a log spends its time on.
 */
export function readTime(bytes: Uint8Array, at: number): Micros | undefined {
  if (
    bytes[at + 4] !== 0x2d ||
    bytes[at + 7] !== 0x2d ||
    bytes[at + 10] !== 0x54 ||
    bytes[at + 13] !== 0x3a ||
    bytes[at + 16] !== 0x3a ||
    bytes[at + 19] !== 0x2e ||
    bytes[at + 26] !== 0x5a
  )
    return undefined
  // What is no digit makes a part so negative that no other part can make up for it.
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const seconds = utcSeconds(
    year,
    twoDigits(bytes, at + 5),
    twoDigits(bytes, at + 8),
    twoDigits(bytes, at + 11),
    twoDigits(bytes, at + 14),
    twoDigits(bytes, at + 17),
  )
  const fraction =
    twoDigits(bytes, at + 20) * 10_000 + twoDigits(bytes, at + 22) * 100 + twoDigits(bytes, at + 24)
  if (seconds === undefined || fraction < 0) return undefined
  const time = seconds * 1_000_000 + fraction
  return Number.isSafeInteger(time) ? time : undefined
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30
  const ones = (bytes[at + 1] ?? 0) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000
}

/**
 * Seconds since 1970 of a date and time in UTC, years 0 to 9999 of the proleptic Gregorian calendar; undefined where
 * there is no such date or time. There are no leap seconds and no 24:00.
 */
export function utcSeconds(
  year: number,
  month: number,
  dayOfMonth: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (!isDate(year, month, dayOfMonth) || !isTimeOfDay(hour, minute, second)) return undefined
  return daysSince1970(year, month, dayOfMonth) * day + hour * 3600 + minute * 60 + second
}

/** True where the calendar has that date, in a year from 0 to 9999. */
export function isDate(year: number, month: number, dayOfMonth: number): boolean {
  if (year < 0 || year > 9999 || month < 1 || month > 12 || dayOfMonth < 1) return false
  return dayOfMonth <= daysIn(year, month)
}

/** True for 00:00:00 to 23:59:59. */
export function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

// The year is taken to begin in March, so that a leap day is its last; 719,468 days lie between 0000-03-01 and 1970.
function daysSince1970(year: number, month: number, dayOfMonth: number): number {
  const y = month > 2 ? year : year - 1
  const monthsSinceMarch = (month + 9) % 12
  const dayOfYear = Math.floor((153 * monthsSinceMarch + 2) / 5) + dayOfMonth - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}
