// The moment that a line of a log file names. The traditional form has neither year nor zone: the zone is the file's,
// and the year goes on from that of the first line, raised at each step from December to January (contract W9).

import type { ForeignLine, TraditionalLine } from '../entry/foreign.ts'
import type { Micros } from '../entry/event.ts'
import { localToMicros } from '../entry/time-zone.ts'

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Reads the times of one file's lines, or of several files' that follow each other. */
export class LineTimes {
  readonly #timeZone: string
  #year: number
  #month = 0
  #isNewYearsDay = false
  #last: Micros | undefined
  // Many lines share a minute, and a zone's offset changes at whole minutes only.
  #minute = ''
  #minuteStart: Micros | undefined

  /** `year` is that of the first line of the traditional form. */
  constructor(timeZone: string, year: number) {
    this.#timeZone = timeZone
    this.#year = year
  }

  /** The year of the last line of the traditional form. */
  get year(): number {
    return this.#year
  }

  /** The moment that a line names: undefined where it names none, a reason where there is no such moment. */
  of(line: ForeignLine): Micros | string | undefined {
    switch (line.form) {
      case 'blank':
      case 'unreadable':
        return undefined
      case 'rfc5424':
      case 'iso':
        return line.time
      case 'traditional':
        return this.#traditional(line)
    }
  }

  #traditional(line: TraditionalLine): Micros | string {
    this.#turnOfTheYear(line)
    const minute = `${this.#year} ${line.month} ${line.day} ${line.hour} ${line.minute}`
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#minuteStart = this.#startOfMinute(line)
    }
    if (this.#minuteStart === undefined)
      return `there is no ${monthNames[line.month - 1]} ${line.day} in ${this.#year}`
    this.#last = this.#minuteStart + line.second * 1_000_000
    return this.#last
  }

  #turnOfTheYear({ month, day }: TraditionalLine): void {
    if (this.#month === 12 && month === 1) this.#year += 1
    // A line that comes late, on New Year's Day, is still one of the old year.
    if (this.#isNewYearsDay && month === 12 && day === 31) this.#year -= 1
    this.#month = month
    this.#isNewYearsDay = month === 1 && day === 1
  }

  // Of an hour that the clock change repeats, the second one is meant where the first would step back.
  #startOfMinute({ month, day, hour, minute }: TraditionalLine): Micros | undefined {
    const local = { year: this.#year, month, day, hour, minute, second: 0 }
    const first = localToMicros(local, this.#timeZone)
    if (first === undefined || this.#last === undefined || first >= this.#last - 60_000_000) return first
    const second = localToMicros(local, this.#timeZone, 'later')
    return second !== undefined && second >= this.#last - 60_000_000 ? second : first
  }
}

/** Finds the year of a file's first traditional line from when the file was last written. */
export class FirstYear {
  readonly #written: Date
  #wraps = 0
  #month = 0
  #day = 0
  #isNewYearsDay = false

  constructor(written: Date) {
    this.#written = written
  }

  /** Takes in the next line. */
  add(line: ForeignLine): void {
    if (line.form !== 'traditional') return
    if (this.#month === 12 && line.month === 1) this.#wraps += 1
    if (this.#isNewYearsDay && line.month === 12 && line.day === 31) this.#wraps -= 1
    this.#month = line.month
    this.#day = line.day
    this.#isNewYearsDay = line.month === 1 && line.day === 1
  }

  /** Undefined where no line was of that form. The last line was written no later than the file was. */
  get year(): number | undefined {
    if (this.#month === 0) return undefined
    const written = this.#written
    const isLater =
      this.#month > written.getUTCMonth() + 1 ||
      // A day is allowed for: the file's zone may be ahead of UTC.
      (this.#month === written.getUTCMonth() + 1 && this.#day > written.getUTCDate() + 1)
    return written.getUTCFullYear() - (isLater ? 1 : 0) - this.#wraps
  }
}
