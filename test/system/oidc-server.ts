// An authorization server that others wrote (oidc-provider), with one client that gets access tokens as JWTs.

import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { Provider } from 'oidc-provider'

/** Such a server. */
export interface OidcServer {
  readonly issuer: string
  readonly clientId: string
  /** An access token of the client for a resource; with one of the scopes `audit.read` and `other`. */
  token(resource: string, scope: string): Promise<string>
  /** Nobody answers any more. */
  leave(): Promise<void>
}

const client = { id: 'siem', secret: 'a-secret-of-the-tests-and-of-nothing-else' }

/** Starts one at loopback. It is gone when the test is over. */
export async function startOidcServer(context: TestContext): Promise<OidcServer> {
  let answer: RequestListener | undefined
  const server = createServer((request, response) => answer?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const leave = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  context.after(leave)
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  answer = new Provider(issuer, configuration()).callback()
  return {
    issuer,
    clientId: client.id,
    token: (resource, scope) => tokenOf(`${issuer}/token`, client, { resource, scope }),
    leave,
  }
}

/** Gets an access token with client credentials (RFC 6749 section 4.4). */
export async function tokenOf(
  url: string,
  { id, secret }: { readonly id: string; readonly secret: string },
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
  })
  const body = (await response.json()) as Readonly<Record<string, unknown>>
  if (typeof body['access_token'] === 'string') return body['access_token']
  throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`)
}

function configuration(): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'RS256', use: 'sig' }] },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: 'audit.read other',
          audience: resource,
          accessTokenTTL: 900,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  }
}
