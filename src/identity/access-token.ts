// Access tokens of our own: signed JWTs after RFC 9068. Besides its times, a token says from when on tokens of its client
// were good at the moment at which the client proved itself (`annals_valid_from`). A change that ends a client's tokens
// moves that, and so ends exactly those whose client had proved itself before, whatever the clock said, and even where
// the token was signed only afterwards.

import type { KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Micros } from '../entry/event.ts'
import type { Clock } from './clock.ts'
import type { Random } from './password.ts'
import type { RecordBounds } from './rights.ts'
import type { TokenKeys } from './token-keys.ts'
import { type TokenProblem, TokenRefused } from './token-refused.ts'

/** What every token of this instance says. */
export interface TokenPlace {
  readonly issuer: string
  /** Whom tokens are for, where it is no engine. */
  readonly audience: string
  readonly instance: string
  readonly region: string
}

/** What a verified token says. */
export interface TokenClaims {
  readonly jti: string
  readonly clientId: string
  /** Whom it is for: this instance, or an engine by the id of its log. */
  readonly audience: string
  readonly scopes: readonly string[]
  readonly expires: Micros
  readonly issued: Micros
  /** `ClientState.tokensValidFrom`, as it was when the client proved itself. */
  readonly validFrom: Micros
  /** The key that signed it. */
  readonly kid: string
}

/** What a new token is to say. */
export interface NewToken {
  readonly clientId: string
  readonly scope: string
  readonly lifeSeconds: number
  /** `ClientState.tokensValidFrom`, as it was when the client proved itself. */
  readonly validFrom: Micros
  /** The engine that it is for, and what may be recorded there; for this instance where it is not given. */
  readonly engine?: { readonly log: string; readonly records: RecordBounds } | undefined
}

/** A new token, and its id. */
export interface SignedToken {
  readonly token: string
  readonly jti: string
}

/** What issuing and verifying need. */
export interface AccessTokensParts {
  readonly keys: TokenKeys
  readonly place: () => TokenPlace
  readonly clock: Clock
  readonly random: Random
}

/** Signs a token. */
export async function signToken(
  { keys, place, clock, random }: AccessTokensParts,
  { clientId, scope, lifeSeconds, validFrom, engine }: NewToken,
): Promise<SignedToken> {
  const { kid, key } = await keys.signer()
  const { issuer, audience, instance, region } = place()
  const jti = uuid(random)
  const issuedSeconds = Math.floor(clock.wallMicros() / 1_000_000)
  const token = await new SignJWT({
    client_id: clientId,
    scope,
    annals_instance: instance,
    annals_region: region,
    annals_valid_from: validFrom,
    // An engine has no other way to know.
    ...(engine === undefined ? {} : { annals_records: engine.records }),
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setAudience(engine?.log ?? audience)
    .setSubject(clientId)
    .setIssuedAt(issuedSeconds)
    .setExpirationTime(issuedSeconds + lifeSeconds)
    .setJti(jti)
    .sign(key)
  return { token, jti }
}

/** What a token says, if it is one of ours and has not expired, whomever it is for. Throws `TokenRefused`. */
export async function verifyToken(parts: AccessTokensParts, token: string): Promise<TokenClaims> {
  const { issuer } = parts.place()
  const { payload, kid } = await verifySigned(token, {
    issuer,
    keyOf: (kid) => parts.keys.verifier(kid),
    now: parts.clock.wallMicros(),
  })
  return claimsOf(payload, kid)
}

/** What a signature is verified with. */
export interface SignatureDemand {
  readonly issuer: string
  /** The public key of that id; undefined where there is none. */
  readonly keyOf: (kid: string) => Promise<KeyObject | undefined> | KeyObject | undefined
  readonly now: Micros
}

/** The payload of a token that one of the keys has signed and that has not expired. Throws `TokenRefused`. */
export async function verifySigned(
  token: string,
  { issuer, keyOf, now }: SignatureDemand,
): Promise<{ readonly payload: JWTPayload; readonly kid: string }> {
  const kid = keyIdOf(token)
  const key = await keyOf(kid)
  if (key === undefined) throw new TokenRefused('token-signature')
  const { payload } = await jwtVerify(token, key, {
    issuer,
    // Looked at before the key is: a token can neither choose "none" nor make a secret of the public key.
    algorithms: ['RS256'],
    typ: 'at+jwt',
    currentDate: new Date(now / 1000),
    requiredClaims: ['exp', 'iat', 'jti', 'sub', 'aud', 'client_id', 'scope'],
  }).catch((error: unknown) => {
    throw new TokenRefused(problemOf(error), { cause: error })
  })
  return { payload, kid }
}

function keyIdOf(token: string): string {
  try {
    const { kid } = decodeProtectedHeader(token)
    if (typeof kid === 'string') return kid
  } catch (cause) {
    throw new TokenRefused('token-malformed', { cause })
  }
  throw new TokenRefused('token-malformed')
}

/** What a verified payload says. An earlier version may have signed it: throws `TokenRefused` where it is not whole. */
export function claimsOf(payload: JWTPayload, kid: string): TokenClaims {
  const { jti, sub, aud: audience, client_id: clientId, scope, iat, exp } = payload
  const { annals_valid_from: validFrom } = payload
  const isWhole =
    typeof clientId === 'string' &&
    typeof scope === 'string' &&
    typeof validFrom === 'number' &&
    typeof audience === 'string' &&
    clientId === sub
  if (!isWhole || jti === undefined || iat === undefined || exp === undefined)
    throw new TokenRefused('token-malformed')
  const [issued, expires] = [iat * 1_000_000, exp * 1_000_000]
  return { jti, clientId, audience, scopes: scope.split(' '), expires, issued, validFrom, kid }
}

function problemOf(error: unknown): TokenProblem {
  if (error instanceof errors.JWTExpired) return 'token-expired'
  if (error instanceof errors.JWTClaimValidationFailed) return claimProblems[error.claim] ?? 'token-malformed'
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'token-malformed'
  return 'token-signature'
}

const claimProblems: Readonly<Record<string, TokenProblem>> = {
  iss: 'token-issuer',
  aud: 'token-audience',
  nbf: 'token-expired',
}

// RFC 9562 section 5.4.
function uuid(random: Random): string {
  const bytes = Buffer.from(random(16))
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
