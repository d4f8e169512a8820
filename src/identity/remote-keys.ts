// The public keys of another authorization server, and the verification of its tokens with them. Keys are found by
// its metadata (RFC 8414, or OpenID Connect Discovery), are asked for again when they are old or when a token names one
// that is not known, and go on being used for a day where the server is away. Where keys are needed and cannot be had,
// that is not the token's fault, and is told apart.

import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import type { Micros } from '../entry/event.ts'
import { remoteKeyLimit, remoteKeysCooldownMs, remoteKeysFreshMs, remoteKeysKeptMs } from '../limits.ts'
import type { Clock } from './clock.ts'
import { findJwksUri } from './issuer-metadata.ts'
import type { Documents } from './remote-documents.ts'
import { type TokenProblem, TokenRefused } from './token-refused.ts'

/** The signatures that can be accepted. None is made with a shared secret, and "none" is none. */
export const signatureAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const

/** One of them. */
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

/** What a token must say to be accepted. */
export interface TokenDemand {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly clockSkewSeconds: number
  /** Also a token whose header says `typ: JWT`, or no type, and not `at+jwt` (RFC 9068). */
  readonly acceptsUntyped?: boolean
}

/** What is needed to have the keys. */
export interface RemoteKeysParts {
  /** As the server's metadata and its tokens name it. */
  readonly issuer: string
  /** Where its keys are; found by its metadata where this is not given. */
  readonly jwksUri?: string | undefined
  readonly documents: Documents
  readonly clock: Pick<Clock, 'wallMicros' | 'monotonicMicros'>
}

/** The keys of an authorization server cannot be had. `message` is for the operator: it may name addresses. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
  /** When they are asked for again, at the earliest. */
  readonly retryAfterSeconds: number

  constructor(issuer: string, retryAfterSeconds: number, cause: Error | undefined) {
    super(`the keys of ${issuer} cannot be had: ${cause?.message ?? 'unknown'}`, { cause })
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The keys of one server. */
export class RemoteKeys {
  readonly #parts: RemoteKeysParts
  #set: KeySet | undefined
  /** When they were last asked for, and what came of it where nothing came. */
  #askedAt: Micros | undefined
  #problem: Error | undefined
  #asking: Promise<void> | undefined

  constructor(parts: RemoteKeysParts) {
    this.#parts = parts
  }

  /**
   * The claims of a token that keeps the demands. Throws `TokenRefused` where it does not, and `KeysUnavailable` where
   * that cannot be told.
   */
  async verify(token: string, demand: TokenDemand): Promise<JWTPayload> {
    const { issuer, audience, algorithms, clockSkewSeconds } = demand
    const nowMicros = this.#parts.clock.wallMicros()
    const { payload, protectedHeader } = await jwtVerify(token, (header) => this.#keyOf(header), {
      issuer,
      audience,
      // Looked at before any key is: a token can neither choose "none" nor make a secret of a public key.
      algorithms: [...algorithms],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(nowMicros / 1000),
      requiredClaims: ['exp', 'sub'],
    }).catch(refuse)
    if (!isAccessToken(protectedHeader.typ, demand.acceptsUntyped ?? false))
      throw new TokenRefused('token-malformed')
    // A clock that is that much ahead would also make tokens last longer than they should.
    if ((payload.iat ?? 0) > nowMicros / 1_000_000 + clockSkewSeconds) throw new TokenRefused('token-expired')
    return payload
  }

  async #keyOf(header: JWTHeaderParameters): Promise<CryptoKey> {
    const set = await this.#current()
    try {
      return await set.select(header)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    }
    // The server may have begun to use another key since.
    await this.#ask()
    if (this.#problem !== undefined) throw this.#unavailable()
    return (this.#set ?? set).select(header)
  }

  async #current(): Promise<KeySet> {
    if (this.#isYounger(remoteKeysFreshMs) && this.#set !== undefined) return this.#set
    const asking = this.#ask()
    // A server that does not answer is waited for once, and then asked beside the calls for as long as keys are kept.
    if (this.#set === undefined || this.#problem === undefined) await asking
    if (this.#isYounger(remoteKeysKeptMs) && this.#set !== undefined) return this.#set
    await asking
    if (this.#problem === undefined && this.#set !== undefined) return this.#set
    throw this.#unavailable()
  }

  #isYounger(ms: number): boolean {
    return this.#set !== undefined && this.#parts.clock.monotonicMicros() - this.#set.at < ms * 1000
  }

  // Asks, unless that was done just now. Never rejects. Whoever comes while the server is asked waits for the answer.
  async #ask(): Promise<void> {
    if (this.#asking === undefined && this.#cooldownMicros() > 0) return
    await (this.#asking ??= this.#fetch().finally(() => (this.#asking = undefined)))
  }

  async #fetch(): Promise<void> {
    const { issuer, jwksUri, documents, clock } = this.#parts
    const at = clock.monotonicMicros()
    this.#askedAt = at
    try {
      const uri = jwksUri ?? (await findJwksUri(documents, issuer))
      this.#set = { select: createLocalJWKSet(parseKeySet(await documents.get(uri))), at }
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error : new Error(String(error))
    }
  }

  #cooldownMicros(): Micros {
    if (this.#askedAt === undefined) return 0
    return this.#askedAt + remoteKeysCooldownMs * 1000 - this.#parts.clock.monotonicMicros()
  }

  #unavailable(): KeysUnavailable {
    const seconds = Math.max(1, Math.ceil(this.#cooldownMicros() / 1_000_000))
    return new KeysUnavailable(this.#parts.issuer, seconds, this.#problem)
  }
}

interface KeySet {
  readonly select: ReturnType<typeof createLocalJWKSet>
  readonly at: Micros
}

// Each key is looked at only when a token names it: one that we cannot use is no fault of the others.
function parseKeySet(document: unknown): JSONWebKeySet {
  const keys = typeof document === 'object' && document !== null && 'keys' in document && document.keys
  if (!Array.isArray(keys)) throw new Error('the keys are no JSON Web Key Set')
  if (keys.length > remoteKeyLimit) throw new Error(`there are more than ${remoteKeyLimit} keys`)
  return document as JSONWebKeySet
}

// Media types are of any case, and "application/" may be left out (RFC 7515 section 4.1.9).
function isAccessToken(type: string | undefined, acceptsUntyped: boolean): boolean {
  const name = type?.toLowerCase().replace(/^application\//, '')
  return name === 'at+jwt' || (acceptsUntyped && (name === undefined || name === 'jwt'))
}

function refuse(error: unknown): never {
  if (error instanceof KeysUnavailable) throw error
  throw new TokenRefused(problemOf(error), { cause: error })
}

function problemOf(error: unknown): TokenProblem {
  if (error instanceof errors.JWTExpired) return 'token-expired'
  if (error instanceof errors.JWTClaimValidationFailed) return claimProblems[error.claim] ?? 'token-malformed'
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'token-malformed'
  // No key of that name, another algorithm than is allowed, a key that cannot be used, or a signature that is wrong.
  return 'token-signature'
}

const claimProblems: Readonly<Record<string, TokenProblem>> = {
  iss: 'token-issuer',
  aud: 'token-audience',
  nbf: 'token-expired',
}
