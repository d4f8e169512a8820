// How often, and how long apart, a fetch tries again. It computes; whoever asks it waits.

import { fetchPauseMaxMs, fetchPauseMs, fetchPausesMs } from '../../limits.ts'

/** What to do about a setback: wait so long and try again, or give up, and why. */
export type Verdict = { readonly pauseMs: number } | { readonly givenUp: string }

/** Counts the attempts that bring nothing new, and all pauses. */
export class Patience {
  readonly #retries: number
  readonly #random: () => number
  #failures = 0
  #pausedMs = 0
  #furthest = 0

  /** `random` gives numbers from 0 to 1, as `Math.random` does. */
  constructor(retries: number, random: () => number = Math.random) {
    this.#retries = retries
    this.#random = random
  }

  /** Attempts in a row that brought nothing new. */
  get failures(): number {
    return this.#failures
  }

  /**
   * A setback after `bytes` bytes. Only more bytes than ever before are new: a download that starts over and breaks
   * at the same place each time must end.
   */
  after(bytes: number, retryAfterMs: number | undefined): Verdict {
    if (bytes > this.#furthest) this.#failures = 0
    this.#furthest = Math.max(this.#furthest, bytes)
    this.#failures += 1
    if (this.#failures > this.#retries) return { givenUp: `given up after ${this.#failures} attempts` }
    const pauseMs = this.#pause(retryAfterMs)
    if (this.#pausedMs + pauseMs > fetchPausesMs) {
      const seconds = Math.ceil(pauseMs / 1000)
      return { givenUp: `given up: another pause of ${seconds} s would be more waiting than a fetch does` }
    }
    this.#pausedMs += pauseMs
    return { pauseMs }
  }

  // Spread out, so that many clients of one server do not come back together; never earlier than the server asks.
  #pause(retryAfterMs: number | undefined): number {
    const ownMs = Math.min(fetchPauseMaxMs, fetchPauseMs * 2 ** (this.#failures - 1))
    const spreadMs = (ownMs / 2) * this.#random()
    return Math.round(retryAfterMs === undefined ? ownMs / 2 + spreadMs : retryAfterMs + spreadMs)
  }
}
