// Whether a token of our own is good at this moment, and for what: its signature, once in its life, and everything that may
// have changed since, at every use.

import type { Micros } from '../entry/event.ts'
import { type AccessTokensParts, type TokenClaims, verifyToken } from './access-token.ts'
import { type ClientState, isOn, type ReadClientState } from './client-state.ts'
import { TokenCache } from './token-cache.ts'
import { TokenRefused } from './token-refused.ts'

/** What checking needs. */
export interface TokenCheckParts extends AccessTokensParts {
  readonly readClient: ReadClientState
}

/** A token that is good now. */
export interface GoodToken {
  readonly claims: TokenClaims
  readonly client: ClientState
  /** What the token was issued for and its client may still do. */
  readonly scopes: readonly string[]
}

/** Checks tokens, and remembers those that were verified. */
export class TokenCheck {
  readonly #parts: TokenCheckParts
  readonly #cache = new TokenCache()

  constructor(parts: TokenCheckParts) {
    this.#parts = parts
  }

  /** What a token for this instance is good for. Throws `TokenRefused`. */
  async check(token: string): Promise<GoodToken> {
    const now = this.#parts.clock.wallMicros()
    return this.#asOfNow(this.#demandOurs(await this.claimsOf(token, now)), now)
  }

  /** The same for a token whomever it is for, which may be an engine. */
  async checkIssued(token: string): Promise<GoodToken> {
    const now = this.#parts.clock.wallMicros()
    return this.#asOfNow(await this.claimsOf(token, now), now)
  }

  /** As `check`, for a token that was verified before; undefined where it was not. */
  async checkKnown(token: string): Promise<GoodToken | undefined> {
    const now = this.#parts.clock.wallMicros()
    const claims = this.#cache.get(this.#cache.keyOf(token), now)
    return claims === undefined ? undefined : this.#asOfNow(this.#demandOurs(claims), now)
  }

  /** What a token says, whomever it is for and whatever has become of its client. Throws `TokenRefused`. */
  async claimsOf(token: string, now: Micros = this.#parts.clock.wallMicros()): Promise<TokenClaims> {
    const key = this.#cache.keyOf(token)
    const known = this.#cache.get(key, now)
    if (known !== undefined) return known
    const claims = await verifyToken(this.#parts, token)
    this.#cache.put(key, claims)
    return claims
  }

  // What is for an engine is of no use here: whoever gets hold of it there must not read with it.
  #demandOurs(claims: TokenClaims): TokenClaims {
    if (claims.audience !== this.#parts.place().audience) throw new TokenRefused('token-audience')
    return claims
  }

  async #asOfNow(claims: TokenClaims, now: Micros): Promise<GoodToken> {
    const client = await this.#parts.readClient(claims)
    if (client === undefined || !isOn(client, now) || claims.validFrom !== client.tokensValidFrom)
      throw new TokenRefused('token-client')
    if (client.isRevoked) throw new TokenRefused('token-revoked')
    if (!client.hasKey) throw new TokenRefused('token-signature')
    return { claims, client, scopes: claims.scopes.filter((scope) => client.scopes.includes(scope)) }
  }
}
