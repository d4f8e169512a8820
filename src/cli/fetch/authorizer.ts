// Who we are to the server (contract S1, S2): a name and a password, or a token that is renewed when it has run out.

import { AnnalsError } from '../../errors.ts'
import { fetchTokenBytes, fetchTokenSpareMs } from '../../limits.ts'
import { bodyText, parseJson } from './answer-text.ts'
import type { HttpClient } from './http-client.ts'
import { refusalOf } from './refusal.ts'

/** Gives requests their Authorization header. */
export interface Authorizer {
  /** The header's value. Throws as `HttpClient.ask` does, and what the server refuses. */
  header(signal: AbortSignal): Promise<string>
  /** Told that the header was refused (401). True where another one may be accepted. */
  renew(): boolean
}

/** HTTP Basic (RFC 7617), in UTF-8. Nothing is ever tried twice: failed logins lock an account (S4). */
export function basicAuthorizer(user: string, password: string): Authorizer {
  const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return { header: () => Promise.resolve(header), renew: () => false }
}

/** Where and as whom a token is asked for. */
export interface ClientCredentials {
  readonly tokenUrl: URL
  readonly clientId: string
  readonly clientSecret: string
}

/** OAuth 2.0 client credentials (RFC 6749 section 4.4), with the client's secret by Basic. */
export function tokenAuthorizer(client: HttpClient, credentials: ClientCredentials): Authorizer {
  let token: AccessToken | undefined
  let isNew = false
  return {
    async header(signal) {
      isNew = token === undefined || token.endsMs <= performance.now()
      if (isNew) token = undefined
      token ??= await askForToken(client, credentials, signal)
      return `Bearer ${token.text}`
    },
    // A token that was refused when it had just been given will be refused again.
    renew() {
      if (isNew) return false
      token = undefined
      return true
    },
  }
}

interface AccessToken {
  readonly text: string
  /** When it is no longer to be used, on the clock of `performance`. */
  readonly endsMs: number
}

async function askForToken(
  client: HttpClient,
  { tokenUrl, clientId, clientSecret }: ClientCredentials,
  signal: AbortSignal,
): Promise<AccessToken> {
  // Form-encoded within Basic (RFC 6749 section 2.3.1).
  const basic = Buffer.from(`${encodeForm(clientId)}:${encodeForm(clientSecret)}`).toString('base64')
  const headers = {
    authorization: `Basic ${basic}`,
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  const body = 'grant_type=client_credentials&scope=service%3Aaudit-trail'
  const answer = await client.ask({ method: 'POST', url: tokenUrl.href, headers, body }, signal)
  if (answer.status !== 200) throw await refusalOf(answer, 'the token endpoint')
  return parseToken(await bodyText(answer.body, fetchTokenBytes))
}

function encodeForm(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function parseToken(text: string): AccessToken {
  const json = parseJson(text)
  const fields = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  const { access_token: token, token_type: type, expires_in: seconds } = fields
  // RFC 6750 section 2.1: anything else could not stand in a header.
  if (typeof token !== 'string' || !/^[A-Za-z0-9._~+/-]+=*$/.test(token) || !isBearer(type)) {
    throw new AnnalsError('INTERNAL', 'the token endpoint answers with something that is no bearer token')
  }
  const lifeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : Infinity
  return { text: token, endsMs: performance.now() + Math.max(lifeMs / 2, lifeMs - fetchTokenSpareMs) }
}

function isBearer(type: unknown): boolean {
  return typeof type === 'string' && type.toLowerCase() === 'bearer'
}
