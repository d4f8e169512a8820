// OAuth 2.0 clients for tests: made with the portal's command as an operator makes them, and what a client sends, written
// out by hand.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Answer, ask, type Credentials, type Server } from '../conformance/wire.ts'
import { annals, until } from './portal-process.ts'

/** A client's id and secret. */
export interface OAuthClient {
  readonly clientId: string
  readonly clientSecret: string
}

/** Makes a client, with the flags of `annals client add`. */
export async function addClient(
  context: TestContext,
  data: string,
  name: string,
  flags: readonly string[] = [],
): Promise<OAuthClient> {
  const output = await annals(context, ['client', 'add', name, '--data', data, '--json', ...flags])
  const made = JSON.parse(output) as { readonly client_id: string; readonly client_secret: string }
  return { clientId: made.client_id, clientSecret: made.client_secret }
}

/** Waits until an engine has been told of a client, whose tokens are good there from then on: a token may come before that. */
export async function untilTold(
  { data }: { readonly data: string },
  { clientId }: Pick<OAuthClient, 'clientId'>,
): Promise<void> {
  const file = join(data, 'token-keys.json')
  await until(() => existsSync(file) && readFileSync(file, 'utf8').includes(`"${clientId}"`))
}

/** A client's credentials for HTTP Basic. */
export function basicOf({ clientId, clientSecret }: OAuthClient): Credentials {
  return { name: clientId, password: clientSecret }
}

/** Sends a form. */
export async function postForm(
  server: Server,
  path: string,
  form: Readonly<Record<string, string>>,
  asked: { readonly credentials?: Credentials; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...asked.headers }
  const body = new URLSearchParams(form).toString()
  return await ask(server, path, { ...asked, method: 'POST', headers, body })
}

/** An access token for a client, with the scope that it gets where it names none. */
export async function tokenOf(server: Server, client: OAuthClient): Promise<string> {
  const form = { grant_type: 'client_credentials' }
  const answer = await postForm(server, tokenPath, form, { credentials: basicOf(client) })
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body.toString()}`)
  return (JSON.parse(answer.body.toString()) as { readonly access_token: string }).access_token
}

/** Where tokens are given out (S2). */
export const tokenPath = '/oauth2/default/v1/token'
/** Where clients end them. */
export const revokePath = '/oauth2/default/v1/revoke'
