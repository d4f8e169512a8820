// HTTP clients for tests: one that speaks raw bytes, where the parser matters, and one on Node's own.

import { request, type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { admin } from './portal-server.ts'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** What a request is made of, beside its path. The caller is the administrator unless it says otherwise. */
export interface Ask {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly agent?: Agent
  readonly body?: string | Buffer
}

/** Asks and reads the whole answer. Rejects where the answer is cut short. */
export async function ask(
  port: number,
  path: string,
  { method = 'GET', headers, agent, body }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      agent,
      headers: { authorization: admin, ...headers },
    }
    const outgoing = request({ ...options, agent: agent ?? false }, (incoming) => {
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
  })
}

/** Opens a connection and writes bytes to it. */
export async function dial(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.write(bytes, 'latin1')
  return socket
}

/** Writes bytes to a connection, and resolves with all that comes until the server closes it. */
export async function raw(port: number, bytes: string): Promise<string> {
  const socket = await dial(port, bytes)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await new Promise((resolve, reject) => {
    socket.once('close', resolve)
    socket.once('error', reject)
  })
  return Buffer.concat(chunks).toString('latin1')
}

/** A raw GET with the administrator's credentials, and further header lines. */
export function getLines(path: string, ...lines: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, 'Host: a', `Authorization: ${admin}`, ...lines, '', ''].join('\r\n')
}

/** Waits until something is so. Bounded by the test's own time limit alone. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}
