// The `Authorization` header of requests to record. Access tokens are fetched when the first one is needed, by one
// request for all who wait, and replaced before they end.

import { AuditTrailError } from './errors.ts'
import { type Answer, type Asked, type HttpClient, StaleConnection } from './http-client.ts'
import { tokenAnswerBytes, tokenEarlySeconds, tokenLifeSeconds } from './limits.ts'
import { type AuditTrailOptions, type Credentials, safeUrl } from './options.ts'
import { isPassing, retryAfterMs } from './status.ts'

/** Proves who the application is. */
export interface Authorization {
  /** The header's value; undefined where none is needed. Throws `Refused` where a token cannot be had. */
  header(): Promise<string | undefined>
  /** Forgets the token that the server did not accept. False where there is nothing to renew. */
  renew(): boolean
}

/** A token was refused, or the authorization server does not answer. */
export class Refused extends AuditTrailError {
  readonly mayPass: boolean
  readonly retryAfterMs: number | undefined

  constructor(error: AuditTrailError, mayPass: boolean, retryAfterMs?: number) {
    super(error.code, error.message, {
      cause: error,
      ...(error.status === undefined ? {} : { status: error.status }),
    })
    this.mayPass = mayPass
    this.retryAfterMs = retryAfterMs
  }
}

/** What proving needs. */
export interface AuthorizationParts {
  readonly http: Pick<HttpClient, 'post'>
  readonly origin: URL
  /** Milliseconds of a clock that never steps back. */
  readonly monotonicMs: () => number
  /** How long the application has for a token of its own. */
  readonly timeoutMs: number
  /** Ends the waiting for it. */
  readonly signal: AbortSignal
}

/** How the application of some options proves who it is. Throws a TypeError where an option is wrong. */
export function authorizationOf(options: AuditTrailOptions, parts: AuthorizationParts): Authorization {
  const { credentials } = options
  if (credentials === undefined) {
    if (options.socketPath === undefined) throw new TypeError('credentials are expected, or a socketPath')
    return { header: async () => undefined, renew: () => false }
  }
  if ('user' in credentials) {
    const value = basic(credentials.user, credentials.password)
    return { header: async () => value, renew: () => false }
  }
  if ('token' in credentials) {
    const { token } = credentials
    return { header: async () => `Bearer ${await ask(token, parts)}`, renew: () => true }
  }
  return new ClientCredentials(credentials, tokenUrlOf(credentials, options, parts.origin), parts)
}

type OAuthCredentials = Extract<Credentials, { readonly clientId: string }>

class ClientCredentials implements Authorization {
  readonly #credentials: OAuthCredentials
  readonly #url: URL
  readonly #parts: AuthorizationParts
  #token: { readonly value: string; readonly staleMs: number } | undefined
  #fetching: Promise<string> | undefined

  constructor(credentials: OAuthCredentials, url: URL, parts: AuthorizationParts) {
    this.#credentials = credentials
    this.#url = url
    this.#parts = parts
  }

  async header(): Promise<string> {
    if (this.#token !== undefined && this.#parts.monotonicMs() < this.#token.staleMs) return this.#token.value
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined))
    return await this.#fetching
  }

  renew(): boolean {
    this.#token = undefined
    return true
  }

  // RFC 6749 section 4.4, the secret by Basic as section 2.3.1 has it.
  async #fetch(): Promise<string> {
    const { clientId, clientSecret, scope = 'service:audit-trail:record', resource } = this.#credentials
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope })
    if (resource !== undefined) form.set('resource', resource)
    const answer = await this.#post(
      form,
      basic(encodeURIComponent(clientId), encodeURIComponent(clientSecret)),
    )
    const { token, lifeSeconds } = tokenIn(answer)
    const earlySeconds = Math.min(tokenEarlySeconds, lifeSeconds / 5)
    this.#token = {
      value: `Bearer ${token}`,
      staleMs: this.#parts.monotonicMs() + (lifeSeconds - earlySeconds) * 1000,
    }
    return this.#token.value
  }

  async #post(form: URLSearchParams, authorization: string): Promise<Answer> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: authorization }
    const asked: Asked = {
      url: this.#url,
      headers: { ...headers, Accept: 'application/json' },
      body: form.toString(),
      mostBytes: tokenAnswerBytes,
    }
    const { http } = this.#parts
    try {
      return await http.post(asked).catch((error: unknown) => {
        if (error instanceof StaleConnection) return http.post(asked)
        throw error
      })
    } catch (error) {
      throw error instanceof AuditTrailError ? new Refused(error, true) : error
    }
  }
}

function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
}

function tokenUrlOf({ tokenUrl }: OAuthCredentials, options: AuditTrailOptions, origin: URL): URL {
  if (tokenUrl !== undefined) return safeUrl('credentials.tokenUrl', tokenUrl, options)
  // Not as seen from the origin: a path that begins with two slashes would name another host.
  return new URL(`${origin.origin}${origin.pathname.replace(/\/+$/, '')}/oauth2/default/v1/token`)
}

async function ask(token: () => Promise<string>, parts: AuthorizationParts): Promise<string> {
  try {
    const given: unknown = await inTime(token(), parts)
    if (isToken(given)) return given
    throw new TypeError('a token is expected to be of visible ASCII characters')
  } catch (cause) {
    throw new Refused(new AuditTrailError('UNAUTHENTICATED', 'there is no access token', { cause }), true)
  }
}

function inTime<T>(
  work: Promise<T>,
  { timeoutMs, signal }: Pick<AuthorizationParts, 'timeoutMs' | 'signal'>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      end()
      reject(new Error(why))
    }
    const closed = (): void => fail('the audit trail was closed')
    const timer = setTimeout(() => fail('it did not come in time'), timeoutMs)
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', closed)
    }
    signal.addEventListener('abort', closed)
    if (signal.aborted) closed()
    void Promise.resolve(work).finally(end).then(resolve, reject)
  })
}

// Of an answer that is no token, the message says nothing but the standard's own code: it may hold anything.
function tokenIn(answer: Answer): { readonly token: string; readonly lifeSeconds: number } {
  const { status, text, isWhole } = answer
  const said = isWhole ? parsed(text) : {}
  const { access_token: token, expires_in: life, error } = said
  if (status === 200 && isToken(token)) {
    return { token, lifeSeconds: typeof life === 'number' && life > 0 ? life : tokenLifeSeconds }
  }
  const why = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : ''
  const message = `the authorization server gives no access token: ${status}${why}`
  const mayPass = isPassing(status) || !isWhole
  throw new Refused(
    new AuditTrailError('UNAUTHENTICATED', message, { status }),
    mayPass,
    retryAfterMs(answer),
  )
}

// What can stand in a header.
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
