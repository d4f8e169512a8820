// Tokens of our own that were verified, by the SHA-256 of the whole token, so that one which comes with every request costs
// one verification in its life. An entry proves only what the token said; whoever uses it must look whether its client
// and the token are still good.

import { hash } from 'node:crypto'
import type { Micros } from '../entry/event.ts'
import { cachedTokens } from '../limits.ts'
import type { TokenClaims } from './access-token.ts'

/** At most 4,096 verified tokens, the oldest forgotten first. */
export class TokenCache<Claims extends TokenClaims = TokenClaims> {
  /** In order of age. */
  readonly #entries = new Map<string, Claims>()

  /** Stands for a token wherever it must be compared. */
  keyOf(token: string): string {
    return hash('sha256', token)
  }

  /** What a token says that was verified and has not expired. */
  get(key: string, now: Micros): Claims | undefined {
    const claims = this.#entries.get(key)
    if (claims === undefined || now < claims.expires) return claims
    this.#entries.delete(key)
    return undefined
  }

  /** Remembers what was verified. */
  put(key: string, claims: Claims): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < cachedTokens) break
      this.#entries.delete(oldest)
    }
    this.#entries.set(key, claims)
  }

  /** How many are remembered. */
  get size(): number {
    return this.#entries.size
  }
}
