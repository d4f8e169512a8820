// The moment that a line without a year means, where the line is new: the last one of that date that is not to come. A
// day is allowed for, because clocks and zones differ.

import type { Micros } from '../../entry/event.ts'
import type { ForeignLine, TraditionalLine } from '../../entry/foreign.ts'
import { localToMicros } from '../../entry/time-zone.ts'

const allowedMicros = 86_400_000_000
// So long ago that the same date of the year after could be meant.
const staleMicros = 300 * 86_400_000_000
// Between two leap years there may be eight years: 1896 and 1904.
const yearsBack = 9

/** Reads the times of lines as they are written. */
export class RecentTimes {
  readonly #timeZone: string
  // Many lines share a minute, and a zone's offset changes at whole minutes only.
  #minute = ''
  #minuteStart: Micros | undefined
  #last: Micros | undefined

  /** `timeZone` is that of lines that name none. */
  constructor(timeZone: string) {
    this.#timeZone = timeZone
  }

  /** The moment that a line names: undefined where it names none, a reason where there is no such moment. */
  of(line: ForeignLine, now: Micros): Micros | string | undefined {
    switch (line.form) {
      case 'blank':
      case 'unreadable':
        return undefined
      case 'rfc5424':
      case 'iso':
        return line.time
      case 'traditional':
        return this.#traditional(line, now)
    }
  }

  #traditional(line: TraditionalLine, now: Micros): Micros | string {
    const minute = `${line.month} ${line.day} ${line.hour} ${line.minute}`
    if (minute !== this.#minute || !isRecent(this.#minuteStart, now)) {
      this.#minute = minute
      this.#minuteStart = this.#startOfMinute(line, now)
    }
    if (this.#minuteStart === undefined) return 'there has been no such time'
    this.#last = this.#minuteStart + line.second * 1_000_000
    return this.#last
  }

  #startOfMinute({ month, day, hour, minute }: TraditionalLine, now: Micros): Micros | undefined {
    const thisYear = new Date(now / 1000).getUTCFullYear()
    for (let year = thisYear + 1; year > thisYear - yearsBack; year--) {
      const local = { year, month, day, hour, minute, second: 0 }
      const first = localToMicros(local, this.#timeZone)
      if (first === undefined || first > now + allowedMicros) continue
      // Of an hour that the clock change repeats, the second one is meant where the first would step back.
      if (this.#last === undefined || first >= this.#last - 60_000_000) return first
      const second = localToMicros(local, this.#timeZone, 'later')
      return second !== undefined && second >= this.#last - 60_000_000 ? second : first
    }
    return undefined
  }
}

function isRecent(time: Micros | undefined, now: Micros): boolean {
  return time !== undefined && time <= now + allowedMicros && time > now - staleMicros
}
