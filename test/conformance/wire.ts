// What the conformance suite speaks HTTP with: Node's own client where an answer is what matters, and a bare socket
// where the bytes on the wire are. Knows nothing of Annals.

import { request as plainRequest, type Agent, type IncomingHttpHeaders } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'

/** A login name and its password. */
export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Where the server is. */
export interface Server {
  /** Such as `http://127.0.0.1:8080`. */
  readonly baseUrl: string
  /** The certificate to trust, PEM, where the server speaks TLS with one of its own. */
  readonly ca?: string
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What is asked beside the path. */
export interface Ask {
  readonly method?: string
  readonly credentials?: Credentials
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Without one, each request has a connection of its own. */
  readonly agent?: Agent
}

/** The value of an Authorization header. */
export function basic({ name, password }: Credentials): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

/** Asks, with the path exactly as given, and reads the whole answer. Rejects where the answer is cut short. */
export async function ask(server: Server, path: string, asked: Ask = {}): Promise<Answer> {
  const { method = 'GET', credentials, headers, agent, body } = asked
  const { protocol, hostname, port } = new URL(server.baseUrl)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = {
    hostname,
    port,
    path,
    method,
    agent: agent ?? false,
    ca: server.ca,
    headers: { ...(credentials === undefined ? {} : { authorization: basic(credentials) }), ...headers },
  }
  const outgoing = (protocol === 'https:' ? tlsRequest : plainRequest)(options, (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', reject)
    incoming.on('end', () => {
      const { statusCode: status = 0, headers, rawHeaders } = incoming
      resolve({ status, headers, rawHeaders, body: Buffer.concat(chunks) })
    })
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

/** Opens a connection. */
export async function dial({ baseUrl, ca }: Server): Promise<Socket> {
  const { protocol, hostname, port } = new URL(baseUrl)
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const address = { host: hostname, port: Number(port) }
  const socket =
    protocol === 'https:'
      ? tlsConnect({ ...address, ...(ca === undefined ? {} : { ca }) }, () => resolve(undefined))
      : connect(address, () => resolve(undefined))
  socket.once('error', reject)
  await promise
  socket.off('error', reject)
  return socket
}

/** Writes bytes to a new connection, and resolves with all that comes until the server closes it. */
export async function converse(server: Server, bytes: string): Promise<Buffer> {
  const socket = await dial(server)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.once('error', reject)
  socket.once('close', () => resolve(Buffer.concat(chunks)))
  socket.write(bytes, 'latin1')
  return promise
}

/** A request as text, ready for a socket. */
export function requestText(
  path: string,
  credentials: Credentials,
  lines: readonly string[] = [],
  version = '1.1',
): string {
  const head = [`GET ${path} HTTP/${version}`, 'Host: conformance', `Authorization: ${basic(credentials)}`]
  return [...head, ...lines, '', ''].join('\r\n')
}

/** Splits what a connection gave into answers that say their length. */
export function splitAnswers(bytes: Buffer): { readonly head: string; readonly body: Buffer }[] {
  const answers: { head: string; body: Buffer }[] = []
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end === -1) throw new Error('an answer without the end of its head')
    const head = bytes.toString('latin1', at, end)
    const length = /^content-length: (\d+)$/im.exec(head)?.[1]
    if (length === undefined) throw new Error(`an answer without its length:\n${head}`)
    const start = end + 4
    at = start + Number(length)
    if (at > bytes.length) throw new Error(`an answer that is cut short:\n${head}`)
    answers.push({ head, body: bytes.subarray(start, at) })
  }
  return answers
}
