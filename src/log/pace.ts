// How fast entries become durable, so that whoever finds the queue full is told when there will be room again.

import { paceMostSeconds } from '../limits.ts'

/** The pace of the last commits. */
export class Pace {
  #msEach = 0

  /** So many entries, at least one, took so many milliseconds from the queue to the disk. */
  note(entries: number, ms: number): void {
    // The last dozen or so count.
    this.#msEach += (ms / entries - this.#msEach) / 8
  }

  /** Whole seconds in which so many more will be, at least one. */
  secondsFor(entries: number): number {
    return Math.min(paceMostSeconds, Math.max(1, Math.ceil((entries * this.#msEach) / 1000)))
  }
}
