// An authorization server of others, for tests: it has keys, tells of them over HTTP, and signs whatever it is told to.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'

/** A key that tokens are signed with. */
export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** Makes a key. */
export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** What answers at a path. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** Such a server at a port of this machine. */
export class IssuerServer implements AsyncDisposable {
  /** What answers by path; anything else is 404. */
  readonly paths = new Map<string, Answering>()
  /** The paths that were asked for, in order. */
  readonly asked: string[] = []
  /** The keys that it tells of. */
  published: readonly SigningKey[]
  readonly #server: Server

  private constructor(published: readonly SigningKey[]) {
    this.published = published
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '')
      const answer = this.paths.get(request.url ?? '')
      if (answer === undefined) response.writeHead(404).end()
      else answer(request, response)
    })
    this.paths.set(
      '/.well-known/oauth-authorization-server/as',
      json(() => this.metadata()),
    )
    this.paths.set(
      '/keys',
      json(() => ({ keys: this.published.map(({ publicJwk }) => publicJwk) })),
    )
  }

  /** Starts one. */
  static async start(...published: readonly SigningKey[]): Promise<IssuerServer> {
    const server = new IssuerServer(published)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get issuer(): string {
    return `${this.origin}/as`
  }

  metadata(): Record<string, unknown> {
    return { issuer: this.issuer, jwks_uri: `${this.origin}/keys` }
  }

  /** How often its keys were asked for. */
  get keysAsked(): number {
    return this.asked.filter((path) => path === '/keys').length
  }

  /** Nobody answers any more, until the server is disposed of. */
  async leave(): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }
}

/** Answers with what is to be told at that moment, as JSON. */
export function json(value: () => unknown): Answering {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value()))
  }
}

/** Claims as they may come, undefined where one is to be missing. */
export type Claims = Readonly<Record<string, unknown>>

/** Signs claims with a key. */
export function sign(
  key: Pick<SigningKey, 'kid' | 'alg'> & { readonly privateKey: CryptoKey | Uint8Array },
  claims: Claims,
  header: { readonly kid?: string; readonly typ?: string | undefined } = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header } as JWTHeaderParameters)
    .sign(key.privateKey)
}
