// An instance for tests of connections: what it answers, and when, is up to the test.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { Instance } from '../instance.ts'

/** See the head of this file. */
export interface ScriptedInstance {
  readonly port: number
  /** Where it is reached. */
  readonly at: Pick<Instance, 'url' | 'ca' | 'pin'>
  /** Connections that were made, in order. */
  readonly connections: Socket[]
  /** The heads of the questions, as they came. */
  readonly questions: string[]
  /** Lets nobody in any more, and ends what there is. */
  leave(): Promise<void>
}

/** How it is reached; over plain HTTP unless there is a certificate. */
export interface ScriptedOptions {
  readonly certificate?: string
  readonly key?: string
  /** Where it listens. */
  readonly host?: string
}

/** Starts one that answers each question with what `answer` writes. */
export async function startScriptedInstance(
  context: TestContext,
  answer: (socket: Socket, question: string) => unknown,
  { certificate, key, host = '127.0.0.1' }: ScriptedOptions = {},
): Promise<ScriptedInstance> {
  const connections: Socket[] = []
  const questions: string[] = []
  const listener = (socket: Socket): void => {
    connections.push(socket)
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      text += data.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const question = text.slice(0, end)
        text = text.slice(end + 4)
        questions.push(question)
        answer(socket, question)
      }
    })
  }
  const server: Server =
    certificate === undefined
      ? createServer(listener)
      : createTlsServer({ cert: certificate, key }, listener).on('tlsClientError', () => undefined)
  const leave = async (): Promise<void> => {
    for (const socket of connections) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  server.listen(0, host)
  await once(server, 'listening')
  context.after(leave)
  const { port } = server.address() as AddressInfo
  const url = certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`
  return { port, at: { url, ca: certificate, pin: undefined }, connections, questions, leave }
}

/** An answer with a length. */
export function countedAnswer(body: string | Buffer, more = '', bytes = Buffer.byteLength(body)): Buffer {
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n${more}\r\n`, 'latin1'),
    Buffer.from(body),
  ])
}

/** An answer in chunks, each a part. */
export function chunkedAnswer(parts: readonly (string | Buffer)[], end = '0\r\n\r\n'): Buffer {
  const chunks = parts.map((part) =>
    Buffer.concat([
      Buffer.from(`${Buffer.byteLength(part).toString(16)}\r\n`),
      Buffer.from(part),
      Buffer.from('\r\n'),
    ]),
  )
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  return Buffer.concat([Buffer.from(head), ...chunks, Buffer.from(end)])
}

/** A question for the portal's log. */
export const question = { method: 'GET', target: '/log?a=b', headers: {} } as const
