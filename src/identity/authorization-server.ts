// The authorization server of an instance: access tokens for clients (RFC 6749 section 4.4), what they are worth (RFC 7662),
// their end (RFC 7009), its keys and its metadata (RFC 8414, RFC 9728). Each endpoint is a list of steps, in the order
// in which the standard has them.

import type { Database } from '../database/database.ts'
import { enqueue } from '../database/outbox.ts'
import type { AuditEvent } from '../entry/event.ts'
import { isAnnalsError, isUnrecordable } from '../errors.ts'
import { clientUsedMicros, recordBoundsCharacters } from '../limits.ts'
import { type AccessTokensParts, type NewToken, signToken, type TokenClaims } from './access-token.ts'
import { authenticateClient, type ClientAuthenticationParts } from './client-authentication.ts'
import type { ClientState } from './client-state.ts'
import type { Failures } from './failures.ts'
import { noName } from './login-events.ts'
import { OAuthError } from './oauth-error.ts'
import { demand, type OAuthForm, type OAuthRequest, parseForm } from './oauth-form.ts'
import { issuerPath, logsPath, oauthPaths } from './oauth-paths.ts'
import type { RateLimits } from './rate-limits.ts'
import type { RecordBounds } from './rights.ts'
import { isScope, namedScopes, parseScope, readScope, recordScope } from './scope.ts'
import type { TokenCheck } from './token-check.ts'
import { clientActor, clientRefused, tokenIssued, tokenRevoked } from './token-events.ts'
import { TokenRefused } from './token-refused.ts'

/** What the authorization server needs. */
export interface AuthorizationServerParts extends AccessTokensParts, ClientAuthenticationParts {
  readonly database: Database
  readonly tokens: TokenCheck
  readonly failures: Failures
  readonly limits: Pick<RateLimits, 'client' | 'token'>
  readonly record: (event: AuditEvent) => Promise<void>
  readonly hostName: string
  /** How long a token is good. */
  readonly lifeSeconds: number
  readonly engines: EngineLogs
}

/** The engines for which tokens can be had. */
export interface EngineLogs {
  /** The id of the log of the connected engine that a log id or host name means; undefined where there is none such. */
  logOf(name: string): Promise<string | undefined>
  /**
   * Tells the engine of a log what has changed of tokens. Resolves once it knows, or when that takes too long: then it
   * is told later.
   */
  tell(log: string): Promise<void>
}

/** The answer with a token, in the contract's order (S2). */
export interface TokenAnswer {
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly access_token: string
  readonly scope: string
}

/** The authorization server. Endpoints throw `OAuthError`, TOO_MANY_REQUESTS, or UNAVAILABLE where the database fails. */
export class AuthorizationServer {
  readonly #parts: AuthorizationServerParts

  constructor(parts: AuthorizationServerParts) {
    this.#parts = parts
  }

  /** The token endpoint (S2). That a token was issued is durable before it is handed out. */
  async token(request: OAuthRequest, source: string): Promise<TokenAnswer> {
    const { form, client } = await this.#authenticated(request, source)
    return this.#recordingRefusals(client, source, async () => {
      await this.#demandRoom(client, source)
      demandGrant(form)
      const log = await this.#engineOf(form)
      return log === undefined
        ? this.#issue(client, { scope: scopeFor(form, client).join(' ') }, source)
        : this.#issueForEngine(client, log, form, source)
    })
  }

  /** The introspection endpoint: what one of its own tokens is worth, for a client. */
  async introspect(request: OAuthRequest, source: string): Promise<object> {
    const { form, client } = await this.#authenticated(request, source)
    return this.#recordingRefusals(client, source, async () => {
      const good = await unlessRefused(this.#parts.tokens.checkIssued(demand(form, 'token')))
      if (good?.claims.clientId !== client.clientId) return inactive
      return this.#described(good.claims, good.scopes)
    })
  }

  /**
   * The revocation endpoint: a client ends one of its own tokens. It has ended when this returns; one for an engine that
   * cannot be reached, once that is told.
   */
  async revoke(request: OAuthRequest, source: string): Promise<void> {
    const { form, client } = await this.#authenticated(request, source)
    await this.#recordingRefusals(client, source, async () => {
      const claims = await unlessRefused(this.#parts.tokens.claimsOf(demand(form, 'token')))
      // What is no token, or has expired, needs no end (RFC 7009 section 2.2).
      if (claims === undefined) return
      if (claims.clientId !== client.clientId)
        throw new OAuthError('unauthorized_client', 'this token was issued to another client')
      await this.#end(claims, source)
    })
  }

  /** The key set. */
  async jwks(): Promise<object> {
    return this.#parts.keys.jwks()
  }

  /** The metadata of the authorization server (RFC 8414 section 2). */
  metadata(): object {
    const { issuer } = this.#parts.place()
    const base = issuer.slice(0, -issuerPath.length)
    const methods = ['client_secret_basic', 'client_secret_post']
    return {
      issuer,
      token_endpoint: `${base}${oauthPaths.token}`,
      jwks_uri: `${base}${oauthPaths.keys}`,
      introspection_endpoint: `${base}${oauthPaths.introspect}`,
      revocation_endpoint: `${base}${oauthPaths.revoke}`,
      scopes_supported: namedScopes,
      // Nobody is sent through a browser here.
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_methods_supported: methods,
    }
  }

  /** The metadata of what tokens are for (RFC 9728 section 2). */
  resourceMetadata(): object {
    const { issuer, audience } = this.#parts.place()
    return {
      resource: audience,
      authorization_servers: [issuer],
      scopes_supported: namedScopes,
      bearer_methods_supported: ['header'],
      resource_name: 'Audit Trail API',
    }
  }

  async #authenticated(
    request: OAuthRequest,
    source: string,
  ): Promise<{ readonly form: OAuthForm; readonly client: ClientState }> {
    try {
      const form = parseForm(request)
      return { form, client: await authenticateClient(this.#parts, request, form, source) }
    } catch (error) {
      // A client that could not be authenticated is recorded already; one that could not be understood is not.
      const isUnclear = error instanceof OAuthError && error.error === 'invalid_request'
      if (isUnclear) await this.#parts.failures.add({ account: noName, reason: 'malformed', source })
      throw error
    }
  }

  // Not an entry each time: a client that runs wild must not fill the log.
  async #demandRoom({ clientId }: ClientState, source: string): Promise<void> {
    const { limits, failures } = this.#parts
    try {
      await limits.token(clientId)
    } catch (error) {
      if (isAnnalsError(error, 'TOO_MANY_REQUESTS'))
        await failures.add({ account: clientActor(clientId), reason: 'rate-limited', source })
      throw error
    }
  }

  /** The log of the engine that a token is wanted for (RFC 8707 section 2); undefined where it is for this instance. */
  async #engineOf(form: OAuthForm): Promise<string | undefined> {
    const { audience } = this.#parts.place()
    const resource = form.get('resource') ?? audience
    if (resource === audience) return undefined
    const logs = `${audience}${logsPath}`
    const name = resource.startsWith(logs) ? resource.slice(logs.length) : ''
    const log = name === '' ? undefined : await this.#parts.engines.logOf(name)
    if (log !== undefined) return log
    const expected = `tokens of this server are for ${audience}, or for recording at a connected engine: ${logs}LOG`
    throw new OAuthError('invalid_target', expected)
  }

  // It is good there from the first moment on, where the engine can be told of a client that it does not know yet.
  async #issueForEngine(
    client: ClientState,
    log: string,
    form: OAuthForm,
    source: string,
  ): Promise<TokenAnswer> {
    const records = boundsFor(form, client)
    await this.#parts.engines.tell(log)
    return this.#issue(client, { scope: recordScope, engine: { log, records } }, source)
  }

  async #issue(
    client: ClientState,
    { scope, engine }: Pick<NewToken, 'scope' | 'engine'>,
    source: string,
  ): Promise<TokenAnswer> {
    const { lifeSeconds, hostName, place } = this.#parts
    const { clientId, tokensValidFrom: validFrom } = client
    const { token, jti } = await signToken(this.#parts, { clientId, scope, lifeSeconds, validFrom, engine })
    await this.#noteUse(client)
    const audience = engine?.log ?? place().audience
    const told = { jti, clientId, source, scope, audience, seconds: lifeSeconds }
    await this.#recordWhereRoom(tokenIssued(hostName, told))
    return { token_type: 'Bearer', expires_in: lifeSeconds, access_token: token, scope }
  }

  // Not more often than somebody who looks at a list can tell.
  async #noteUse({ id, lastUsedAt }: ClientState): Promise<void> {
    const now = this.#parts.clock.wallMicros()
    if (lastUsedAt !== undefined && Math.abs(now - lastUsedAt) < clientUsedMicros) return
    await this.#parts.database.write
      .updateTable('client')
      .set({ last_used_at: now })
      .where('id', '=', id)
      .execute()
  }

  async #end(claims: TokenClaims, source: string): Promise<void> {
    const { database, clock, hostName, place, engines } = this.#parts
    const log = claims.audience === place().audience ? null : claims.audience
    await database.write.transaction().execute(async (transaction) => {
      const now = clock.wallMicros()
      await transaction.deleteFrom('revoked_token').where('expires_at', '<=', now).execute()
      const { numInsertedOrUpdatedRows } = await transaction
        .insertInto('revoked_token')
        .values({ jti: claims.jti, expires_at: claims.expires, log })
        .onConflict((conflict) => conflict.column('jti').doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) return
      await enqueue(transaction, { ...tokenRevoked(hostName, { ...claims, source }), occurred: now })
    })
    if (log !== null) await engines.tell(log)
  }

  // RFC 7662 section 2.2.
  #described({ jti, clientId, audience, expires, issued }: TokenClaims, scopes: readonly string[]): object {
    const { issuer } = this.#parts.place()
    return {
      active: true,
      scope: scopes.join(' '),
      client_id: clientId,
      token_type: 'Bearer',
      exp: expires / 1_000_000,
      iat: issued / 1_000_000,
      sub: clientId,
      aud: audience,
      iss: issuer,
      jti,
    }
  }

  // A refusal of valid credentials is an entry (S7).
  async #recordingRefusals<T>(client: ClientState, source: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      // Costs as much as a token, at every endpoint.
      await this.#demandRoom(client, source)
      await this.#recordWhereRoom(clientRefused(this.#parts.hostName, client.clientId, error.error, source))
      throw error
    }
  }

  /** I9: where there is no room to record, tokens are issued all the same, for reading goes on. */
  async #recordWhereRoom(event: AuditEvent): Promise<void> {
    try {
      await this.#parts.record(event)
    } catch (error) {
      if (!isUnrecordable(error)) throw error
    }
  }
}

const inactive = { active: false } as const

async function unlessRefused<T>(checking: Promise<T>): Promise<T | undefined> {
  try {
    return await checking
  } catch (error) {
    if (error instanceof TokenRefused) return undefined
    throw error
  }
}

function demandGrant(form: OAuthForm): void {
  if (demand(form, 'grant_type') === 'client_credentials') return
  throw new OAuthError('unsupported_grant_type', 'the only grant type here is client_credentials')
}

// Recording is all that there is at an engine.
function boundsFor(form: OAuthForm, client: ClientState): RecordBounds {
  const { scopes, recordBounds } = client
  if ((form.get('scope') ?? recordScope) !== recordScope)
    throw new OAuthError('invalid_scope', `the only scope of tokens for an engine is ${recordScope}`)
  if (!scopes.includes(recordScope) || recordBounds === undefined)
    throw new OAuthError('invalid_scope', 'this client may not have that scope')
  if (JSON.stringify(recordBounds).length <= recordBoundsCharacters) return recordBounds
  throw new OAuthError(
    'invalid_scope',
    'what this client may record is too much for a token: it needs fewer components and codes, or "any"',
  )
}

// What is asked for; else to read all logs, where the client may; else all that it may (RFC 6749 section 3.3).
function scopeFor(form: OAuthForm, client: ClientState): readonly string[] {
  const text = form.get('scope')
  if (text === undefined) return client.scopes.includes(readScope) ? [readScope] : client.scopes
  const asked = parseScope(text)
  const unknown = asked?.find((scope) => !isScope(scope))
  if (asked === undefined || unknown !== undefined)
    throw new OAuthError('invalid_scope', 'the scope is none of this server')
  if (asked.every((scope) => client.scopes.includes(scope))) return asked
  throw new OAuthError('invalid_scope', 'this client may not have that scope')
}
