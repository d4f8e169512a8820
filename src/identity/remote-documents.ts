// Small JSON documents of other servers: their metadata and their keys. What comes back decides whose tokens are
// believed, so it comes over TLS (except from the same machine), from exactly the URL that was asked, and within
// bounds of time and size. Nothing is sent but the question.

import { once } from 'node:events'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as requestTls } from 'node:https'
import { createRequire } from 'node:module'
import { BlockList, isIP } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { remoteDocumentBytes, remoteDocumentMs } from '../limits.ts'

// Not by import: that reads every name of the module, and for one of them Node loads a whole HTTP client.
const { request: requestPlain } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** Gets a JSON document. */
export interface Documents {
  /** Rejects, saying why, where there is no such document to be had within the bounds. */
  get(url: string): Promise<unknown>
}

/** Whom to trust, besides the authorities that Node knows. */
export interface DocumentTrust {
  /** PEM: the only authorities to trust, instead of Node's. */
  readonly ca?: string | undefined
  /** The SHA-256 of the server's certificate, in hex: then nothing else of it counts. */
  readonly pin?: string | undefined
}

/** Documents over HTTPS, each over a connection of its own: they are asked for rarely. Dispose of it to give up. */
export class RemoteDocuments implements Documents, AsyncDisposable {
  readonly #trust: DocumentTrust
  readonly #timeoutMs: number
  readonly #ending = new AbortController()

  /** `timeoutMs` is how long a document may take, all in all. */
  constructor(trust: DocumentTrust = {}, timeoutMs: number = remoteDocumentMs) {
    this.#trust = trust
    this.#timeoutMs = timeoutMs
  }

  async get(url: string): Promise<unknown> {
    if (!isGuardedUrl(url)) throw new Error('it would have to be fetched without TLS')
    // For all of it, so that a server which sends a byte now and then is not waited for.
    const signal = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#ending.signal])
    try {
      return await this.#ask(new URL(url), signal)
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('it is not wanted any more'))
  }

  async #ask(url: URL, signal: AbortSignal): Promise<unknown> {
    const { pin, ca } = this.#trust
    const headers = { accept: 'application/json, application/jwk-set+json', 'user-agent': 'annals' }
    const options: RequestOptions = { headers, signal }
    const isTls = url.protocol === 'https:'
    if (pin !== undefined) {
      if (!isTls) throw wrongCertificate()
      const socket = await pinnedSocket(url, pin, signal)
      return await read(requestTls(url, { ...options, createConnection: () => socket }))
    }
    const own = { ...options, agent: false } as const
    if (!isTls) return await read(requestPlain(url, own))
    return await read(requestTls(url, { ...own, ...(ca === undefined ? {} : { ca }) }))
  }
}

async function read(asked: ReturnType<typeof requestPlain>): Promise<unknown> {
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  try {
    // A redirect too: whoever could redirect could answer.
    if (answer.statusCode !== 200)
      throw new Error(`the answer's status is ${answer.statusCode}, and 200 was expected`)
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > remoteDocumentBytes) throw new Error(`it is longer than ${remoteDocumentBytes} bytes`)
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } finally {
    // Whatever it still says: the connection ends with it.
    asked.on('error', () => undefined).destroy()
  }
}

/** True for an https URL, or an http URL of this machine, without a user and a fragment. */
export function isGuardedUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

// As URLs write it: an IPv6 address has brackets.
function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const version = isIP(address)
  if (version === 0) return /^(?:.+\.)?localhost\.?$/.test(host)
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

// The certificate need not be valid in any other way: it is this one, or none. Looked at before anything is sent.
async function pinnedSocket(url: URL, pin: string, signal: AbortSignal): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const socket = connectTls({
    host,
    port: url.port === '' ? 443 : Number(url.port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
  })
  try {
    await once(socket, 'secureConnect', { signal })
    const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()
    if (shown !== pin.toLowerCase()) throw wrongCertificate()
    return socket
  } catch (error) {
    socket.on('error', () => undefined).destroy()
    throw error
  }
}

function wrongCertificate(): Error {
  return new Error('the server shows another certificate than the pinned one')
}
