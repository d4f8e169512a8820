// Somebody in the middle of plain HTTP, who reads everything, changes what he likes, and may drop a request before
// it arrives or an answer after it was given. It reads each message whole, and sets its Content-Length anew.

import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/**
 * Changes a message: returns its new body, and changes `headers` in place. Undefined drops the message and cuts the
 * connection: a request that never arrived, or an answer that never came back.
 */
export type Alter = (body: Buffer, headers: Headers) => Buffer | string | undefined

/** What the meddler does. What is left out passes as it is. */
export interface Change {
  request?: Alter
  answer?: Alter
}

/** An exchange as each side meant it, before any change. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly request: { readonly headers: Headers; readonly body: Buffer }
  /** Undefined as long as the server has not answered. */
  answer?: { readonly status: number; readonly headers: Headers; readonly body: Buffer }
}

/** A meddler under way. */
export interface Meddler {
  readonly host: string
  readonly port: number
  /** What it does with exchanges to come; it may be set anew. */
  change: Change
  /** All that it saw, in order. */
  readonly seen: readonly Exchange[]
}

/** Starts a meddler on loopback before a server. Everything of it ends with the test. */
export async function startMeddler(
  context: TestContext,
  target: { readonly host: string; readonly port: number },
  change: Change = {},
): Promise<Meddler> {
  const seen: Exchange[] = []
  const host = '127.0.0.1'
  const server = createServer((incoming, outgoing) => {
    meddle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error))
  })
  const meddle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = '', url: path = '' } = incoming
    const exchange: Exchange = { method, path, request: await readMessage(incoming) }
    seen.push(exchange)
    const altered = alter(meddler.change.request, exchange.request)
    if (altered === undefined) return void incoming.socket.destroy()
    const answer = await forward(target, exchange, altered)
    exchange.answer = answer
    const returned = alter(meddler.change.answer, answer)
    if (returned === undefined) return void incoming.socket.destroy()
    outgoing.writeHead(answer.status, Object.fromEntries(returned.headers)).end(returned.body)
  }
  server.listen(0, host)
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const meddler: Meddler = { host, port: (server.address() as AddressInfo).port, change, seen }
  return meddler
}

interface Message {
  readonly headers: Headers
  readonly body: Buffer
}

// What belongs to a connection and not to the message.
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length']

async function readMessage(incoming: IncomingMessage): Promise<Message> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const headers = new Headers()
  const { rawHeaders } = incoming
  for (let k = 0; k + 1 < rawHeaders.length; k += 2)
    headers.append(rawHeaders[k] ?? '', rawHeaders[k + 1] ?? '')
  for (const name of hopByHop) headers.delete(name)
  return { headers, body: Buffer.concat(chunks) }
}

// The change works on copies: what was seen stays as it was.
function alter(change: Alter | undefined, { headers, body }: Message): Message | undefined {
  const altered = new Headers(headers)
  const changed = change === undefined ? body : change(Buffer.from(body), altered)
  if (changed === undefined) return undefined
  const bytes = Buffer.from(changed)
  altered.set('content-length', String(bytes.length))
  return { headers: altered, body: bytes }
}

async function forward(
  { host, port }: { readonly host: string; readonly port: number },
  { method, path }: Exchange,
  { headers, body }: Message,
): Promise<Message & { status: number }> {
  const outgoing = request({ host, port, method, path, agent: false, headers: Object.fromEntries(headers) })
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: incoming.statusCode ?? 0, ...(await readMessage(incoming)) }
}
