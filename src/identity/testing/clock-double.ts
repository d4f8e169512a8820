// Two clocks that stand still until they are told, and timers that go off as they do.

import type { Micros } from '../../entry/event.ts'
import type { Clock } from '../clock.ts'
import type { Schedule } from '../failures.ts'

/** Clocks for tests: the day begins at 2026-01-01T00:00:00Z. */
export class ClockDouble implements Clock {
  #wall: Micros = Date.UTC(2026, 0, 1) * 1000
  #monotonic: Micros = 5_000_000
  #timers: { at: Micros; work: () => void }[] = []

  wallMicros(): Micros {
    return this.#wall
  }

  monotonicMicros(): Micros {
    return this.#monotonic
  }

  /** Timers that have not gone off. */
  get timers(): number {
    return this.#timers.length
  }

  /** A timer of this clock. */
  readonly schedule: Schedule = (work, delayMs) => {
    const timer = { at: this.#monotonic + delayMs * 1000, work }
    this.#timers.push(timer)
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** Both clocks go on, and the timers that are due go off. */
  pass(ms: number): void {
    this.#monotonic += ms * 1000
    this.#wall += ms * 1000
    const due = this.#timers.filter(({ at }) => at <= this.#monotonic)
    this.#timers = this.#timers.filter(({ at }) => at > this.#monotonic)
    for (const { work } of due) work()
  }

  /** Somebody sets the time of day. */
  step(ms: number): void {
    this.#wall += ms * 1000
  }
}
