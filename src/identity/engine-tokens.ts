// Callers of an engine with an access token of its portal, for recording. The engine asks nobody: it judges by what the
// portal has told it last (`token-trust.ts`), so that recording goes on while the portal is away. A token is verified
// once in its life; what may have changed since is looked at every time.

import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWTPayload } from 'jose'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { claimsOf, type TokenClaims, verifySigned } from './access-token.ts'
import type { Clock } from './clock.ts'
import type { Failures } from './failures.ts'
import { type FailureReason, noName } from './login-events.ts'
import { isBearer, presentedToken } from './presented-token.ts'
import type { CallerClaim, Principal } from './principal.ts'
import type { RecordBounds } from './rights.ts'
import { rightsOf } from './scope.ts'
import { TokenCache } from './token-cache.ts'
import { clientActor } from './token-events.ts'
import { TokenRefused } from './token-refused.ts'
import { recordsDigest, type TokenTrust } from './token-trust.ts'

/** What an engine needs to know callers by their tokens. */
export interface EngineTokensParts {
  /** What the portal told last; undefined where it has told nothing yet. */
  readonly trust: () => TokenTrust | undefined
  /** The id of the engine's log: whom tokens must be for. */
  readonly log: string
  readonly clock: Clock
  readonly failures: Pick<Failures, 'add'>
}

/** See the head of this file. */
export class EngineTokens {
  readonly #parts: EngineTokensParts
  readonly #cache = new TokenCache<EngineClaims>()
  // Looked up in what was told last, which is another object after each change.
  #known: Known | undefined

  constructor(parts: EngineTokensParts) {
    this.#parts = parts
  }

  /**
   * Whom an Authorization header proves, with what it may record. Throws UNAUTHENTICATED, in the same words whatever was
   * wrong with a token, once that is recorded or counted (S7).
   */
  async authenticate({ authorization, source }: CallerClaim): Promise<Principal> {
    try {
      return principalOf(await this.#check(presentedToken(authorization)))
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error
      const isToken = isBearer(authorization)
      const reason = isToken ? error.reason : otherReason(authorization)
      await this.#parts.failures.add({ account: noName, reason, source })
      throw refusal(isToken)
    }
  }

  async #check(token: string): Promise<EngineClaims> {
    const known = this.#trusted()
    const now = this.#parts.clock.wallMicros()
    const key = this.#cache.keyOf(token)
    const claims = this.#cache.get(key, now) ?? (await this.#verify(known, token, key, now))
    demandGood(known, claims, now)
    return claims
  }

  #trusted(): Known {
    const trust = this.#parts.trust()
    // An engine that has joined no portal knows no issuer.
    if (trust === undefined) throw new TokenRefused('token-issuer')
    if (this.#known?.trust !== trust) this.#known = knownOf(trust, this.#known)
    return this.#known
  }

  async #verify(known: Known, token: string, key: string, now: Micros): Promise<EngineClaims> {
    const { issuer } = known.trust
    const keyOf = (kid: string) => known.keys.get(kid)?.key
    const { payload, kid } = await verifySigned(token, { issuer, keyOf, now })
    const claims = { ...claimsOf(payload, kid), issuer, ...recordsOf(payload) }
    if (claims.audience !== this.#parts.log) throw new TokenRefused('token-audience')
    this.#cache.put(key, claims)
    return claims
  }
}

/** What a verified token says. */
interface EngineClaims extends TokenClaims {
  readonly issuer: string
  readonly records: RecordBounds
  readonly digest: string
}

/** What was told, to be looked up. */
interface Known {
  readonly trust: TokenTrust
  readonly keys: ReadonlyMap<string, { readonly modulus: string | undefined; readonly key: KeyObject }>
  readonly clients: ReadonlyMap<string, TokenTrust['clients'][number]>
  readonly revoked: ReadonlySet<string>
}

// A key that stays is not parsed again: that takes longer than all the rest.
function knownOf(trust: TokenTrust, before: Known | undefined): Known {
  const keys = trust.keys.map((jwk) => {
    const { kid = '', n: modulus } = jwk
    const present = before?.keys.get(kid)
    const key = present?.modulus === modulus ? present?.key : undefined
    return [kid, { modulus, key: key ?? createPublicKey({ key: { ...jwk }, format: 'jwk' }) }] as const
  })
  return {
    trust,
    keys: new Map(keys),
    clients: new Map(trust.clients.map((client) => [client.id, client])),
    revoked: new Set(trust.revoked.map(({ jti }) => jti)),
  }
}

// Everything that may have become another since the token was verified.
function demandGood({ trust, keys, clients, revoked }: Known, claims: EngineClaims, now: Micros): void {
  if (claims.issuer !== trust.issuer) throw new TokenRefused('token-issuer')
  if (!keys.has(claims.kid)) throw new TokenRefused('token-signature')
  if (revoked.has(claims.jti) || claims.expires <= trust.endedUntil) throw new TokenRefused('token-revoked')
  const client = clients.get(claims.clientId)
  const isSame =
    client !== undefined &&
    client.validFrom === claims.validFrom &&
    client.records === claims.digest &&
    now < (client.expires ?? Infinity)
  if (!isSame) throw new TokenRefused('token-client')
}

// The portal signed it, so its shape is ours; a token without it was issued for something else.
function recordsOf({ annals_records: records }: JWTPayload): Pick<EngineClaims, 'records' | 'digest'> {
  if (typeof records !== 'object' || records === null || !('ownCodes' in records))
    throw new TokenRefused('token-audience')
  const bounds = records as RecordBounds
  return { records: bounds, digest: recordsDigest(bounds) }
}

function principalOf({ clientId, jti, scopes, records }: EngineClaims): Principal {
  return { name: clientActor(clientId), session: jti, scheme: 'Bearer', rights: rightsOf(scopes, records) }
}

function otherReason(authorization = ''): FailureReason {
  return authorization === '' ? 'no-credentials' : 'other-scheme'
}

function refusal(isToken: boolean): AnnalsError {
  const problem = isToken ? 'the access token is not valid here' : 'an access token is needed'
  return new AnnalsError(
    'UNAUTHENTICATED',
    `${problem}: ask the portal for one with the resource of this engine's log`,
    isToken ? { bearer: { error: 'invalid_token' } } : {},
  )
}
