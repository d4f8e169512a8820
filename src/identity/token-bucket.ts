// Token buckets: how often something may be tried, by key. Pure but for the clock. What is remembered is bounded: where too
// many keys are in use at once, those that come then share one bucket, and are never let through for that.

import { bucketSweepMicros } from '../limits.ts'
import type { Clock } from './clock.ts'

/** How much a bucket holds, and how fast it fills again. */
export interface Rate {
  /** Tries at once. */
  readonly burst: number
  readonly perMinute: number
  /** Keys that are remembered. */
  readonly keys: number
}

// What is left is counted in shares of a try, as many as there are microseconds in a minute: then all is whole numbers, and
// whoever waits as long as they were told is not refused for a rounding.
interface Bucket {
  left: number
  at: number
}

const shares = 60_000_000

/** Buckets of one rate. */
export class TokenBuckets {
  readonly #clock: Pick<Clock, 'monotonicMicros'>
  readonly #rate: Rate
  /** The shares of a full bucket. */
  readonly #full: number
  /** Those that are not full, the longest untouched first. */
  readonly #buckets = new Map<string, Bucket>()
  readonly #shared: Bucket
  #sweptAt = -Infinity

  constructor(clock: Pick<Clock, 'monotonicMicros'>, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
    this.#full = rate.burst * shares
    this.#shared = { left: this.#full, at: clock.monotonicMicros() }
  }

  /** Takes one. Returns 0, or after how many seconds there is one again. */
  take(key: string): number {
    const bucket = this.#bucketOf(key)
    if (bucket.left < shares) return Math.ceil((shares - bucket.left) / this.#rate.perMinute / 1_000_000)
    bucket.left -= shares
    return 0
  }

  /** Gives one back that turned out to be well spent. */
  giveBack(key: string): void {
    const bucket = this.#bucketOf(key)
    bucket.left = Math.min(this.#full, bucket.left + shares)
    if (bucket.left === this.#full) this.#buckets.delete(key)
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  #bucketOf(key: string): Bucket {
    const known = this.#buckets.get(key)
    if (known !== undefined) {
      this.#buckets.delete(key)
      this.#buckets.set(key, known)
      return this.#filled(known)
    }
    this.#forgetFull()
    if (this.#buckets.size >= this.#rate.keys) return this.#filled(this.#shared)
    const bucket = { left: this.#full, at: this.#clock.monotonicMicros() }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #filled(bucket: Bucket): Bucket {
    const now = this.#clock.monotonicMicros()
    bucket.left = Math.min(this.#full, bucket.left + (now - bucket.at) * this.#rate.perMinute)
    bucket.at = now
    return bucket
  }

  // One that is full again is as good as one that was never there. As a rule those untouched for longest are looked at, up to
  // the first that is not full. Where there is no room, all are, now and then: somebody could keep the first from filling.
  #forgetFull(): void {
    const isSweep = this.#buckets.size >= this.#rate.keys && this.#maySweep()
    for (const [key, bucket] of this.#buckets) {
      if (this.#filled(bucket).left === this.#full) this.#buckets.delete(key)
      else if (!isSweep) return
    }
  }

  #maySweep(): boolean {
    const now = this.#clock.monotonicMicros()
    if (now - this.#sweptAt < bucketSweepMicros) return false
    this.#sweptAt = now
    return true
  }
}
