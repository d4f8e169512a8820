// Identity with clients that get access tokens, and tokens that nobody would issue.

import { createPrivateKey, randomBytes } from 'node:crypto'
import { decodeJwt, SignJWT } from 'jose'
import type { Selectable } from 'kysely'
import type { TokenKeyTable } from '../../database/schema.ts'
import { AnnalsError } from '../../errors.ts'
import type { TokenAnswer } from '../authorization-server.ts'
import { Clients, type ClientWithSecret, type NewClient } from '../clients.ts'
import type { IdentityParts } from '../identity.ts'
import { OAuthError } from '../oauth-error.ts'
import type { OAuthRequest } from '../oauth-form.ts'
import type { Principal } from '../principal.ts'
import { readScope } from '../scope.ts'
import { basic, by, identityFixture, type IdentityFixture } from './identity-fixture.ts'

/** Identity, and the clients beside it. */
export interface TokenFixture extends IdentityFixture {
  readonly clients: Clients
}

/** Where calls come from. */
export const source = '192.0.2.1'

// Keys take a tenth of a second each to make, so all fixtures of a process have the same.
let made: readonly Selectable<TokenKeyTable>[] = []

/** Opens identity with keys to sign with. */
export async function tokenFixture(options: Partial<IdentityParts['options']> = {}): Promise<TokenFixture> {
  const fixture = await identityFixture(options)
  const { database, clock, identity } = fixture
  if (made.length > 0) await database.write.insertInto('token_key').values(made).execute()
  await identity.tokenKeys.signer()
  made = await database.read.selectFrom('token_key').selectAll().execute()
  const accountMay = async () => true
  const clients = new Clients({ database, clock, hostName: 'portal-01', random: randomBytes, accountMay })
  return { ...fixture, clients, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

/** Makes a client, which may read everything where nothing else is said. */
export async function addClient(
  { clients }: TokenFixture,
  client: Partial<NewClient> = {},
): Promise<ClientWithSecret> {
  return clients.add({ name: 'siem', scopes: [readScope], ...client }, by)
}

/** A request with a form, and the client's credentials by HTTP Basic where there are any. */
export function asked(
  client: Pick<ClientWithSecret, 'clientId' | 'clientSecret'> | undefined,
  form: Readonly<Record<string, string>> | string,
): OAuthRequest {
  return {
    authorization: client === undefined ? undefined : basic(client.clientId, client.clientSecret),
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams(form).toString(),
  }
}

/** What the token endpoint answers a client with. */
export async function issue(
  { identity }: TokenFixture,
  client: Pick<ClientWithSecret, 'clientId' | 'clientSecret'>,
  form: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  return identity.authorization.token(asked(client, { grant_type: 'client_credentials', ...form }), source)
}

/** An access token of a client. */
export async function tokenOf(...asking: Parameters<typeof issue>): Promise<string> {
  const { access_token } = await issue(...asking)
  return access_token
}

/** Whom a token proves. */
export async function present({ identity }: TokenFixture, token: string): Promise<Principal> {
  return identity.authenticate({ authorization: `Bearer ${token}`, source })
}

/** A token with other claims and another header than one that was issued, signed with the portal's own key. */
export async function resigned(
  { database }: TokenFixture,
  token: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const { kid, private_key } = await database.read
    .selectFrom('token_key')
    .select(['kid', 'private_key'])
    .where('state', '=', 'current')
    .executeTakeFirstOrThrow()
  return new SignJWT({ ...decodeJwt(token), ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid, ...header })
    .sign(createPrivateKey(private_key ?? ''))
}

/** How an endpoint refuses: the error of RFC 6749, or the code of an `AnnalsError`. */
export async function refusalOf(answering: Promise<unknown>): Promise<string> {
  try {
    await answering
  } catch (error) {
    if (error instanceof OAuthError) return error.error
    if (error instanceof AnnalsError) return error.code
    throw error
  }
  return 'none'
}

/** The reasons of the calls without valid credentials that were recorded, in order. */
export function reasonsOf({ recorder }: IdentityFixture): string[] {
  return recorder.events
    .filter(({ code }) => code === '20103')
    .map(({ eventParams = [] }) => eventParams.find(([name]) => name === 'reason')?.[1] ?? '')
}
