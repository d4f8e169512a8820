// Which client calls an endpoint of the authorization server (RFC 6749 section 2.3.1): its id and secret, by HTTP Basic or in
// the form. Many clients do not form-encode them within Basic, so they are compared as they came first, and decoded
// then. Whatever fails takes the same steps (S6).

import { timingSafeEqual } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { hashSecret } from './client.ts'
import { type ClientState, isOn, type ReadClientState } from './client-state.ts'
import type { Clock } from './clock.ts'
import type { Failures } from './failures.ts'
import { type FailureReason, noName, unknownName } from './login-events.ts'
import { OAuthError } from './oauth-error.ts'
import { type OAuthForm, type OAuthRequest, textOf } from './oauth-form.ts'
import { isAnnalsError } from '../errors.ts'
import { type Attempt, type RateLimits } from './rate-limits.ts'
import { clientActor } from './token-events.ts'

/** What authentication needs. */
export interface ClientAuthenticationParts {
  readonly database: Database
  readonly readClient: ReadClientState
  readonly failures: Failures
  readonly limits: Pick<RateLimits, 'client'>
  readonly clock: Clock
  /** With which ids that are no client's are hashed before they are recorded. */
  readonly nameKey: Uint8Array
}

interface ClientCredentials {
  readonly clientId: string
  readonly secret: string
}

/** The credentials that a request presents, in the order in which they are tried, and whom they name in the end. */
interface Presented {
  readonly clientId: string
  readonly candidates: readonly [ClientCredentials, ...ClientCredentials[]]
  readonly isBasic: boolean
}

/**
 * The client that a request proves. Throws `OAuthError` (invalid_client, or invalid_request where it is not clear who calls)
 * once that is recorded or counted (S7), and TOO_MANY_REQUESTS.
 */
export async function authenticateClient(
  parts: ClientAuthenticationParts,
  request: OAuthRequest,
  form: OAuthForm,
  source: string,
): Promise<ClientState> {
  const presented = presentedBy(request, form)
  const usesHeader = (request.authorization ?? '') !== ''
  if (presented === undefined) return refuse(parts, noName, 'no-credentials', source, usesHeader)
  const { clientId } = presented
  const attempt = await withinLimits(parts, clientId, source)
  const { client, matches } = await compare(parts, presented.candidates)
  const reason = problemOf(client, matches, parts.clock)
  if (client !== undefined && reason === undefined) {
    attempt.giveBack()
    return client
  }
  const name = client === undefined ? unknownName(clientId, parts.nameKey) : clientActor(client.clientId)
  return refuse(parts, name, reason ?? 'client-unknown', source, presented.isBasic)
}

async function withinLimits(
  { limits, failures, nameKey }: ClientAuthenticationParts,
  clientId: string,
  source: string,
): Promise<Attempt> {
  try {
    return await limits.client(clientId, source)
  } catch (error) {
    if (isAnnalsError(error, 'TOO_MANY_REQUESTS'))
      await failures.add({ account: unknownName(clientId, nameKey), reason: 'rate-limited', source })
    throw error
  }
}

// Undefined where there are none that count here: other ways to prove a client, such as assertions and schemes other than
// Basic, are "unsupported", which is invalid_client too (RFC 6749 section 5.2). A client that says who it is without a
// secret has not proved it.
function presentedBy({ authorization = '' }: OAuthRequest, form: OAuthForm): Presented | undefined {
  const [clientId, secret] = [form.get('client_id'), form.get('client_secret')]
  const basic = basicOf(authorization)
  if (basic === undefined) {
    if (authorization !== '' || clientId === undefined || secret === undefined) return undefined
    return { clientId, candidates: [{ clientId, secret }], isBasic: false }
  }
  if (secret !== undefined)
    throw new OAuthError(
      'invalid_request',
      'the client secret is expected by HTTP Basic or in the form, not both',
    )
  if (clientId !== undefined && !basic.candidates.some((candidate) => candidate.clientId === clientId))
    throw new OAuthError('invalid_request', 'the client_id of the form is another than that of HTTP Basic')
  return basic
}

function basicOf(authorization: string): Presented | undefined {
  const [, token] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const text = token === undefined ? undefined : textOf(token)
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon === -1) return undefined
  const raw = { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
  const plain = { clientId: decoded(raw.clientId), secret: decoded(raw.secret) }
  return { clientId: plain.clientId, candidates: [raw, plain], isBasic: true }
}

// Form-encoding, undone; what is none stays as it is.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

interface Compared {
  readonly client: ClientState | undefined
  readonly matches: boolean
}

async function compare(
  parts: ClientAuthenticationParts,
  candidates: readonly ClientCredentials[],
): Promise<Compared> {
  let found: Compared = { client: undefined, matches: false }
  for (const candidate of candidates) {
    const client = await parts.readClient(candidate)
    const matches = await isSecretOf(parts, client, candidate.secret)
    if (matches) return { client, matches }
    found = { client: found.client ?? client, matches }
  }
  return found
}

async function isSecretOf(
  { database, clock }: ClientAuthenticationParts,
  client: ClientState | undefined,
  secret: string,
): Promise<boolean> {
  const rows = await database.read
    .selectFrom('client_secret')
    .select(['hash', 'expires_at'])
    .where('client', '=', client?.id ?? 0)
    .execute()
  const now = clock.wallMicros()
  const valid = rows.filter(({ expires_at }) => now < (expires_at ?? Infinity)).map(({ hash }) => hash)
  const presented = Buffer.from(hashSecret(secret), 'hex')
  // One that is never reached stands for the secret of a client that there is not.
  const hashes = valid.length === 0 ? [nobodysHash] : valid
  return (
    hashes.reduce(
      (matches, hash) => timingSafeEqual(Buffer.from(hash, 'hex'), presented) || matches,
      false,
    ) && valid.length > 0
  )
}

const nobodysHash = '00'.repeat(32)

function problemOf(
  client: ClientState | undefined,
  matches: boolean,
  clock: Clock,
): FailureReason | undefined {
  if (client === undefined) return 'client-unknown'
  if (!matches) return 'client-secret'
  return isOn(client, clock.wallMicros()) ? undefined : 'client-ended'
}

async function refuse(
  { failures }: ClientAuthenticationParts,
  account: string,
  reason: FailureReason,
  source: string,
  challengesBasic: boolean,
): Promise<never> {
  await failures.add({ account, reason, source })
  const needed = 'the id and secret of a client are needed, by HTTP Basic or in the form'
  throw new OAuthError('invalid_client', needed, challengesBasic)
}
