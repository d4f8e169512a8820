// Tokens of one other authorization server that were verified not long ago, by the SHA-256 of the whole token. They are
// believed until they expire, and no longer than some minutes: then the server's keys are looked at again.

import type { Micros } from '../entry/event.ts'
import { foreignTokenCachedMs, foreignTokens } from '../limits.ts'
import type { Clock } from './clock.ts'
import type { Principal } from './principal.ts'

/** At most 1,000 verified tokens, the oldest forgotten first. */
export class ForeignTokens {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whom a token proves that was verified not long ago. */
  get(digest: string): Principal | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    const isGood =
      this.#clock.wallMicros() < entry.expires && this.#clock.monotonicMicros() < entry.believedUntil
    if (isGood) return entry.principal
    this.#entries.delete(digest)
    return undefined
  }

  /** Remembers a token until it expires, by the time of day. */
  put(digest: string, principal: Principal, expires: Micros): void {
    this.#entries.delete(digest)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < foreignTokens) break
      this.#entries.delete(oldest)
    }
    const believedUntil = this.#clock.monotonicMicros() + foreignTokenCachedMs * 1000
    this.#entries.set(digest, { principal, expires, believedUntil })
  }

  /** How many are remembered. */
  get size(): number {
    return this.#entries.size
  }
}

interface Entry {
  readonly principal: Principal
  readonly expires: Micros
  readonly believedUntil: Micros
}
