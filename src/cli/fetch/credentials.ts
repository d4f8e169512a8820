// What the flags say about who we are.

import { AnnalsError } from '../../errors.ts'
import { knownSecret } from '../password-source.ts'
import type { Surroundings } from '../surroundings.ts'
import { type Authorizer, basicAuthorizer, tokenAuthorizer } from './authorizer.ts'
import type { HttpClient } from './http-client.ts'
import { defaultTokenUrl, demandSafeTransport, parseServerUrl } from './target.ts'

/** Those flags. */
export interface CredentialFlags {
  readonly user?: string
  readonly passwordFile?: string
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly tokenUrl?: string
  readonly allowPlainHttpBeyondLoopback?: boolean
}

/** Makes an authorizer, once there is a client. */
export type MakeAuthorizer = (client: HttpClient) => Authorizer

/**
 * Gets the credentials, from a file or from the person at the terminal. Throws INVALID_INPUT where the flags do not
 * say one way to log in, or one that is not safe.
 */
export async function readCredentials(
  surroundings: Surroundings,
  server: URL,
  flags: CredentialFlags,
): Promise<MakeAuthorizer> {
  const { user, clientId } = flags
  demandOneWay(flags)
  if (user !== undefined) return await basic(surroundings, user, flags.passwordFile)
  if (clientId !== undefined) return await oauth(surroundings, server, clientId, flags)
  throw new AnnalsError('INVALID_INPUT', 'who are you? Give --user NAME, or --client-id ID')
}

function demandOneWay({ user, passwordFile, clientId, clientSecretFile, tokenUrl }: CredentialFlags): void {
  const basicFlags = [user, passwordFile].some((value) => value !== undefined)
  const oauthFlags = [clientId, clientSecretFile, tokenUrl].some((value) => value !== undefined)
  if (!basicFlags || !oauthFlags) return
  throw new AnnalsError(
    'INVALID_INPUT',
    'give --user and --password-file, or --client-id and --client-secret-file, and not both',
  )
}

async function basic(
  surroundings: Surroundings,
  user: string,
  file: string | undefined,
): Promise<MakeAuthorizer> {
  if (user === '' || user.includes(':')) {
    throw new AnnalsError('INVALID_INPUT', '--user: expected a login name, without a colon')
  }
  const question = `Password for ${user}: `
  const source = { what: 'password', file, flag: '--password-file', question }
  const password = await knownSecret(surroundings, source)
  return () => basicAuthorizer(user, password)
}

async function oauth(
  surroundings: Surroundings,
  server: URL,
  clientId: string,
  { clientSecretFile: file, tokenUrl: text, allowPlainHttpBeyondLoopback = false }: CredentialFlags,
): Promise<MakeAuthorizer> {
  const tokenUrl = text === undefined ? defaultTokenUrl(server) : parseServerUrl(text, '--token-url')
  demandSafeTransport(tokenUrl, '--token-url', allowPlainHttpBeyondLoopback)
  const question = `Secret of the client ${clientId}: `
  const source = { what: 'client secret', file, flag: '--client-secret-file', question }
  const clientSecret = await knownSecret(surroundings, source)
  return (client) => tokenAuthorizer(client, { tokenUrl, clientId, clientSecret })
}
