// What a log calls time: the wall clock, which people step, and the monotonic one, which shows that they did.

import type { Micros } from '../entry/event.ts'
import { clockLagMicros, clockStepMicros } from '../limits.ts'

/** The two clocks of a machine, in microseconds. */
export interface Clock {
  wallMicros(): Micros
  /** Counts up evenly from any beginning. */
  monotonicMicros(): Micros
}

/** Gives out recorded times: strictly later from batch to batch, and never earlier than the wall clock (I3, W8). */
export class RecordedTime {
  readonly #clock: Clock
  #last: Micros
  #wall: Micros
  #monotonic: Micros

  constructor(clock: Clock, last: Micros) {
    this.#clock = clock
    this.#last = last
    this.#wall = clock.wallMicros()
    this.#monotonic = clock.monotonicMicros()
  }

  /** The next time, and the wall clock where it lies behind. */
  next(): { time: Micros; clock?: Micros } {
    const wall = this.#clock.wallMicros()
    this.#last = Math.max(wall, this.#last + 1)
    return this.#last - wall < clockLagMicros ? { time: this.#last } : { time: this.#last, clock: wall }
  }

  /** By how much the wall clock was stepped since the last call; undefined where it was not. */
  step(): Micros | undefined {
    const wall = this.#clock.wallMicros()
    const monotonic = this.#clock.monotonicMicros()
    const step = wall - this.#wall - (monotonic - this.#monotonic)
    this.#wall = wall
    this.#monotonic = monotonic
    return Math.abs(step) > clockStepMicros ? Math.round(step) : undefined
  }
}
