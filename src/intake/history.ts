// The recorded times of history (contract W9): a line's own time, raised to the previous entry's where the file steps
// back; a time later than the import is not believed; a line without a time takes that of the line before it, and at
// the head of a file that of the first line that has one.

import type { Micros } from '../entry/event.ts'

/** An entry's times. */
export interface HistoricTime {
  readonly time: Micros
  /** The line's own time, where that is another. */
  readonly occurred?: Micros
}

/** Gives history its times, in order. */
export class History {
  readonly #now: Micros
  #last: Micros

  /** `start` is the first time that there is; `now` is when the import began. */
  constructor(start: Micros, now: Micros) {
    this.#now = now
    this.#last = Math.min(start, now)
  }

  /** The last time that was given. */
  get last(): Micros {
    return this.#last
  }

  /** The next entry's times. */
  next(own: Micros | undefined): HistoricTime {
    if (own === undefined) return { time: this.#last }
    if (own < this.#last || own > this.#now) return { time: this.#last, occurred: own }
    this.#last = own
    return { time: own }
  }
}
