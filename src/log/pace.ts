// How fast entries become durable, so that whoever finds the queue full is told when there will be room again.

import { paceMostSeconds } from '../limits.ts'

/** The pace of the last commits. */
export class Pace {
  #msEach = 0
  #began: number | undefined

  /** A commit begins, at a time in milliseconds. */
  begin(nowMs: number): void {
    this.#began = nowMs
  }

  /** It has ended: so many entries, at least one, took so many milliseconds from the queue to the disk. */
  note(entries: number, ms: number): void {
    this.#began = undefined
    // The last dozen or so count.
    this.#msEach += (ms / entries - this.#msEach) / 8
  }

  /** Whole seconds in which so many more will be, at least one. */
  secondsFor(entries: number, nowMs: number): number {
    // How long the running commit still takes, nobody knows: as long again as it has by now.
    const runningMs = this.#began === undefined ? 0 : nowMs - this.#began
    return Math.min(paceMostSeconds, Math.max(1, Math.ceil((entries * this.#msEach + runningMs) / 1000)))
  }
}
