// What a program of the same machine does at a record socket: HTTP over a unix stream socket.

import { request } from 'node:http'
import { join } from 'node:path'

/** An answer, read to its end. */
export interface SocketAnswer {
  readonly status: number
  /** Its body as JSON, where it is JSON. */
  readonly body: unknown
}

/** Where a node's record socket is unless somebody says otherwise. */
export function socketOf({ data }: { readonly data: string }): string {
  return join(data, 'record.sock')
}

/** Asks with a JSON body, or for nothing but an answer. */
export async function askSocket(socketPath: string, path: string, body?: unknown): Promise<SocketAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<SocketAnswer>()
  const method = body === undefined ? 'GET' : 'POST'
  const headers = { 'content-type': 'application/json' }
  const outgoing = request({ socketPath, path, method, headers, agent: false }, (incoming) => {
    let text = ''
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
    incoming.on('error', reject)
    incoming.on('end', () => {
      const isJson = incoming.headers['content-type']?.startsWith('application/json') === true
      resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : text })
    })
  })
  outgoing.on('error', reject)
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  return await promise
}
