// Callers with an access token (RFC 6750): one of this instance, or one of another authorization server that is listed. The
// `iss` of a token that is not yet verified only decides who verifies it.

import { AnnalsError } from '../errors.ts'
import type { TokenPlace } from './access-token.ts'
import type { Failures } from './failures.ts'
import { noName } from './login-events.ts'
import { claimedIssuer, presentedToken } from './presented-token.ts'
import type { CallerClaim, Principal } from './principal.ts'
import { rightsOf } from './scope.ts'
import type { GoodToken, TokenCheck } from './token-check.ts'
import { clientActor } from './token-events.ts'
import { TokenRefused } from './token-refused.ts'

/** The authorization servers of others (`issuers.ts`). */
export interface OtherIssuers {
  has(issuer: string): boolean
  /** Throws `TokenRefused`. */
  authenticate(token: string, issuer: string): Promise<Principal>
}

/** What is needed to know callers by their tokens. */
export interface BearersParts {
  readonly tokens: TokenCheck
  readonly others: OtherIssuers
  readonly place: () => TokenPlace
  readonly failures: Failures
}

/** Callers that present tokens. */
export class Bearers {
  readonly #parts: BearersParts

  constructor(parts: BearersParts) {
    this.#parts = parts
  }

  /**
   * Whom the token in an Authorization header proves, with what it may do. Throws UNAUTHENTICATED, in the same words
   * whatever was wrong, once that is recorded or counted (S7); UNAVAILABLE where it cannot be told.
   */
  async authenticate({ authorization, source }: CallerClaim): Promise<Principal> {
    try {
      return await this.#principalOf(presentedToken(authorization))
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error
      await this.#parts.failures.add({ account: noName, reason: error.reason, source })
      throw new AnnalsError('UNAUTHENTICATED', 'the access token is not valid: ask for a new one', {
        bearer: { error: 'invalid_token' },
      })
    }
  }

  async #principalOf(token: string): Promise<Principal> {
    // Looked up before it is read: a token that comes with every request is known.
    const known = await this.#parts.tokens.checkKnown(token)
    if (known !== undefined) return principalOf(known)
    const issuer = claimedIssuer(token)
    if (issuer !== this.#parts.place().issuer) {
      if (!this.#parts.others.has(issuer)) throw new TokenRefused('token-issuer')
      return await this.#parts.others.authenticate(token, issuer)
    }
    return principalOf(await this.#parts.tokens.check(token))
  }
}

function principalOf({ claims, client, scopes }: GoodToken): Principal {
  return {
    name: clientActor(claims.clientId),
    session: claims.jti,
    scheme: 'Bearer',
    rights: rightsOf(scopes, client.recordBounds),
  }
}
