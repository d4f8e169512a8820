// The authorization servers of others, and whom their tokens prove: `<sub>@<issuer>`. What their tokens say of an
// instance or a region of Annals is ignored. The list can be replaced while calls are answered.

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { JWTPayload } from 'jose'
import { AnnalsError } from '../errors.ts'
import { foreignNameCharacters } from '../limits.ts'
import type { Clock } from './clock.ts'
import { ForeignTokens } from './foreign-tokens.ts'
import { grantedRights, type Issuer, type IssuerChange, issuerChanges } from './issuer.ts'
import type { Principal } from './principal.ts'
import { type Documents, type DocumentTrust, RemoteDocuments } from './remote-documents.ts'
import { KeysUnavailable, RemoteKeys } from './remote-keys.ts'
import { SingleFlight } from './single-flight.ts'
import { TokenRefused } from './token-refused.ts'

/** What external issuers need. */
export interface ExternalIssuersParts {
  readonly issuers: readonly Issuer[]
  readonly clock: Clock
  /** How documents of a server are fetched; over HTTPS unless it is given. */
  readonly open?: (trust: DocumentTrust) => Documents & AsyncDisposable
}

/** The servers of others. Dispose of it to close its connections. */
export class ExternalIssuers implements AsyncDisposable {
  readonly #clock: Clock
  readonly #open: NonNullable<ExternalIssuersParts['open']>
  #servers: ReadonlyMap<string, Server> = new Map()

  constructor({ issuers, clock, open }: ExternalIssuersParts) {
    this.#clock = clock
    this.#open = open ?? ((trust) => new RemoteDocuments(trust))
    this.#servers = this.#serve(issuers)
  }

  /** All of them. */
  get list(): readonly Issuer[] {
    return [...this.#servers.values()].map(({ issuer }) => issuer)
  }

  /** Whether tokens of an issuer are accepted at all. */
  has(issuer: string): boolean {
    return this.#servers.has(issuer)
  }

  /**
   * Whom a token proves, with what it is granted, which may be nothing. Throws `TokenRefused` where it proves nobody,
   * and UNAVAILABLE where that cannot be told, because the issuer's keys cannot be had.
   */
  async authenticate(token: string, issuer: string): Promise<Principal> {
    const server = this.#servers.get(issuer)
    if (server === undefined) throw new TokenRefused('token-issuer')
    const digest = createHash('sha256').update(token).digest('base64url')
    return (
      server.tokens.get(digest) ?? server.flights.share(digest, () => this.#verify(server, token, digest))
    )
  }

  /**
   * Puts other servers in the place of the present ones, and says what changed. Those that stay as they are keep what
   * is known of them.
   */
  async replace(issuers: readonly Issuer[]): Promise<readonly IssuerChange[]> {
    const [before, list] = [this.#servers, this.list]
    this.#servers = this.#serve(issuers)
    const kept = new Set(this.#servers.values())
    for (const server of before.values()) if (!kept.has(server)) await server.documents[Symbol.asyncDispose]()
    return issuerChanges(list, issuers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.replace([])
  }

  #serve(issuers: readonly Issuer[]): ReadonlyMap<string, Server> {
    return new Map(
      issuers.map((issuer) => {
        const present = this.#servers.get(issuer.issuer)
        const isSame = present !== undefined && isDeepStrictEqual(present.issuer, issuer)
        return [issuer.issuer, isSame ? present : this.#begin(issuer)]
      }),
    )
  }

  #begin(issuer: Issuer): Server {
    const clock = this.#clock
    const documents = this.#open({ ca: issuer.ca })
    const keys = new RemoteKeys({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, documents, clock })
    return { issuer, documents, keys, tokens: new ForeignTokens(clock), flights: new SingleFlight() }
  }

  async #verify({ issuer, keys, tokens }: Server, token: string, digest: string): Promise<Principal> {
    const { acceptUntypedTokens, clockSkewSeconds } = issuer
    const demand = { ...issuer, acceptsUntyped: acceptUntypedTokens }
    const claims = await keys.verify(token, demand).catch(unavailable)
    const principal = principalOf(issuer, claims, digest)
    tokens.put(digest, principal, ((claims.exp ?? 0) + clockSkewSeconds) * 1_000_000)
    return principal
  }
}

interface Server {
  readonly issuer: Issuer
  readonly documents: Documents & AsyncDisposable
  readonly keys: RemoteKeys
  readonly tokens: ForeignTokens
  readonly flights: SingleFlight<Principal>
}

function principalOf({ issuer, grants }: Issuer, claims: JWTPayload, digest: string): Principal {
  const { sub, jti } = claims
  if (!isSubject(sub)) throw new TokenRefused('token-malformed')
  const isPlain = typeof jti === 'string' && /^[\x21-\x7e]{1,64}$/.test(jti)
  const session = isPlain ? jti : digest.slice(0, 22)
  return { name: `${sub}@${issuer}`, session, scheme: 'Bearer', rights: grantedRights(grants, claims) }
}

// It becomes part of a name that entries tell: nothing in it may pass for something else. It comes from outside, and its
// type is only what the standard says.
function isSubject(sub: unknown): sub is string {
  if (typeof sub !== 'string' || sub === '' || sub.length > foreignNameCharacters) return false
  return !/[\p{C}\p{Zl}\p{Zp}]/u.test(sub)
}

function unavailable(error: unknown): never {
  if (!(error instanceof KeysUnavailable)) throw error
  throw new AnnalsError(
    'UNAVAILABLE',
    'the token cannot be verified now: its authorization server does not answer as it should',
    { cause: error, detail: error.message, retryAfterSeconds: error.retryAfterSeconds },
  )
}
