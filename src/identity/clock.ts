// What `identity/` needs of time, by argument: every clock of the system has it.

import type { Micros } from '../entry/event.ts'

/** The two clocks of a machine, in microseconds. */
export interface Clock {
  /** The time of day: for what is stored, as until when an account is locked. */
  wallMicros(): Micros
  /** Counts up evenly from any beginning: for durations, which a clock that is set must not change. */
  monotonicMicros(): Micros
}
