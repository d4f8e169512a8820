// The moments that senders of syslog write: with date and offset (RFC 5424, and as rsyslog forwards), or with neither
// year nor zone (RFC 3164). Messages come by the thousand in one second, of which all but the fraction is read once.

import { parseTimestamp } from '../../entry/foreign.ts'
import type { Micros } from '../../entry/event.ts'
import { localToMicros } from '../../entry/time-zone.ts'
import { isDate, isTimeOfDay } from '../../entry/time.ts'

const secondLength = '2025-12-10T07:34:00'.length
const minuteLength = 'Dec 10 08:06'.length
const traditional = /([A-Z][a-z]{2}) ([ 0-3][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) /y
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const leapYear = 2024

/** True where what stands at `at` may be a time with a year. */
export function isoTime(text: string, at: number): boolean {
  return text.charCodeAt(at + 4) === 0x2d && text.charCodeAt(at + 10) === 0x54
}

/** Reads such moments. */
export class SenderTimes {
  readonly #timeZone: string
  readonly #clock: { wallMicros(): Micros }
  #second = '?'
  #offset = '?'
  #secondStart: Micros = 0
  #minute = ''
  #minuteStart: Micros = 0
  #minuteReadAt: Micros = 0

  constructor({ timeZone, clock }: { readonly timeZone: string; readonly clock: { wallMicros(): Micros } }) {
    this.#timeZone = timeZone
    this.#clock = clock
  }

  /** A time with an offset; a text says what is wrong with it. What is finer than a microsecond is cut off. */
  iso(written: string): Micros | string {
    const digits = written.length - secondLength - 1 - this.#offset.length
    if (digits >= -1 && digits <= 9 && written.startsWith(this.#second) && written.endsWith(this.#offset)) {
      const micros = digits === -1 ? 0 : fraction(written, digits)
      if (micros !== undefined) return this.#secondStart + micros
    }
    const time = parseTimestamp(written, 9)
    // Not what was too far away to be told exactly.
    if (typeof time === 'number' && Math.abs(time) < 2 ** 52) this.#remember(written, time)
    return time
  }

  /**
   * A time of RFC 3164 that stands at `at`, its space behind it: of the years, and of the two hours of a clock change,
   * what is nearest to now. Undefined where there is none.
   */
  traditional(message: string, at: number): Micros | undefined {
    const now = this.#clock.wallMicros()
    const second = secondOf(message, at)
    const isSame = second !== undefined && message.startsWith(this.#minute, at) && this.#minute !== ''
    if (isSame && Math.abs(now - this.#minuteReadAt) < 60_000_000)
      return this.#minuteStart + second * 1_000_000
    traditional.lastIndex = at
    const found = traditional.exec(message)
    if (found === null) return undefined
    const [, name = '', ...others] = found
    const [day = 0, hour = 0, minute = 0, last = 0] = others.map(Number)
    const month = months.indexOf(name) / 3 + 1
    if (!isDate(leapYear, month, day) || !isTimeOfDay(hour, minute, last)) return undefined
    const start = this.#nearest(now, { month, day, hour, minute, second: 0 })
    if (start === undefined) return undefined
    this.#minute = message.slice(at, at + minuteLength)
    this.#minuteStart = start
    this.#minuteReadAt = now
    return start + last * 1_000_000
  }

  #remember(written: string, time: Micros): void {
    this.#second = written.slice(0, secondLength)
    this.#offset = written.endsWith('Z') ? 'Z' : written.slice(-6)
    this.#secondStart = Math.floor(time / 1_000_000) * 1_000_000
  }

  #nearest(now: Micros, local: Omit<Parameters<typeof localToMicros>[0], 'year'>): Micros | undefined {
    const year = new Date(now / 1000).getUTCFullYear()
    let nearest: Micros | undefined
    for (const each of [year, year - 1, year + 1]) {
      for (const which of ['compatible', 'later'] as const) {
        const time = localToMicros({ year: each, ...local }, this.#timeZone, which)
        if (time === undefined) continue
        if (nearest === undefined || Math.abs(time - now) < Math.abs(nearest - now)) nearest = time
      }
    }
    return nearest
  }
}

// The microseconds of `.` and so many digits behind the second.
function fraction(written: string, digits: number): number | undefined {
  if (digits === 0 || written.charCodeAt(secondLength) !== 0x2e) return undefined
  let micros = 0
  for (let k = 0; k < 6; k++) {
    const digit = k < digits ? written.charCodeAt(secondLength + 1 + k) - 0x30 : 0
    if (!(digit >= 0 && digit <= 9)) return undefined
    micros = micros * 10 + digit
  }
  for (let k = 6; k < digits; k++) {
    const digit = written.charCodeAt(secondLength + 1 + k) - 0x30
    if (!(digit >= 0 && digit <= 9)) return undefined
  }
  return micros
}

// The seconds behind a minute of RFC 3164, `:26 `.
function secondOf(message: string, at: number): number | undefined {
  const start = at + minuteLength
  const tens = message.charCodeAt(start + 1) - 0x30
  const ones = message.charCodeAt(start + 2) - 0x30
  const isSecond = message.charCodeAt(start) === 0x3a && message.charCodeAt(start + 3) === 0x20
  return isSecond && tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9 ? tens * 10 + ones : undefined
}
