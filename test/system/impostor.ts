// A TLS server of the tests' own in the place of an engine: with a certificate that it made itself, or with the engine's
// own, stolen from its data directory, and whatever it likes to answer.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { TlsOptions } from 'node:tls'
import { makeCertificate } from '../../src/federation/certificate.ts'

/** A certificate and its key. */
export interface Shown {
  readonly cert: string
  readonly key: string
}

/** What a node shows its peers, from its data directory. */
export function stolenFrom({ data }: { readonly data: string }): Shown {
  const pem = readFileSync(join(data, 'tls', 'current.pem'), 'utf8')
  return { cert: pem, key: pem }
}

/** A certificate with a name that is somebody else's. */
export async function forgedFor(hostName: string): Promise<Shown> {
  const { certificate, keyPem } = await makeCertificate(hostName, Date.now() * 1000)
  return { cert: certificate.pem, key: keyPem }
}

/** An impostor under way. */
export interface Impostor {
  readonly port: number
  /** What it was asked: method and path. */
  readonly asked: readonly string[]
}

/** Starts one on loopback. It asks for a client's certificate, and takes any. Everything of it ends with the test. */
export async function startImpostor(
  context: TestContext,
  shown: Shown,
  answer: RequestListener,
  options: TlsOptions = {},
): Promise<Impostor> {
  const asked: string[] = []
  const server = createServer(
    { ...shown, requestCert: true, rejectUnauthorized: false, ...options },
    (request: IncomingMessage, response: ServerResponse) => {
      asked.push(`${request.method} ${request.url}`)
      answer(request, response)
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}
