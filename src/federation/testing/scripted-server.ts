// A server for tests of connections: what it says, and when, is up to the test.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { Connect } from '../engine-socket.ts'

/** See the head of this file. */
export interface ScriptedServer {
  /** Connections that were made, in order. */
  readonly connections: Socket[]
  /** Requests as they came, whole. */
  readonly requests: string[]
  readonly connect: Connect
}

/** Starts one that answers each request with what `answer` writes. A request here is what comes in one piece. */
export async function startScriptedServer(
  context: TestContext,
  answer: (socket: Socket, request: string) => unknown,
): Promise<ScriptedServer> {
  const connections: Socket[] = []
  const requests: string[] = []
  const server = createServer((socket) => {
    connections.push(socket.setNoDelay(true))
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      requests.push(data.toString())
      answer(socket, data.toString())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  context.after(() => {
    server.close()
    for (const socket of connections) socket.destroy()
  })
  const connectTo: Connect = (onread) => ({
    socket: connect({ host: '127.0.0.1', port, onread }),
    readyOn: 'connect',
  })
  return { connections, requests, connect: connectTo }
}

/** An answer with a length. */
export function answerOf(body: string | Buffer, bytes = Buffer.byteLength(body)): Buffer {
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`),
    Buffer.from(body),
  ])
}
