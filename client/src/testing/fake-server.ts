// A server that answers as an audit trail does, and badly when it is told to. It remembers events by their ids, as the real
// one does, so that a test can see what was recorded, and what was sent twice.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSafeServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** An event as it came. */
export type Posted = Readonly<Record<string, unknown>> & { readonly id: string; readonly code: number }

/** A request as it came. */
export interface Seen {
  readonly path: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly events: readonly Posted[]
}

/** What befalls one request to record. */
export type Mischief =
  | { readonly kind: 'refuse'; readonly status: number; readonly retryAfter?: string; readonly type?: string }
  /** Records nothing, and resets the connection. */
  | { readonly kind: 'reset' }
  /** Records all, and resets the connection before it says so. */
  | { readonly kind: 'lose' }
  /** Records all, and breaks off in the middle of the answer, after so many whole results. */
  | { readonly kind: 'break'; readonly after: number }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Says nothing of events from that index on, though the answer is whole. */
  | { readonly kind: 'forget'; readonly from: number }

/** A refusal of one event. */
export interface EventRefusal {
  readonly code: string
  readonly message: string
  readonly field?: string
}

/** A server for tests. */
export interface FakeServer {
  readonly url: string
  readonly requests: readonly Seen[]
  /** The events that are recorded, in order. */
  readonly recorded: readonly Posted[]
  /** What befalls the next requests, one each. */
  readonly next: Mischief[]
  /** Befalls every request while it is set. */
  always: Mischief | undefined
  /** Refuses single events. */
  refuses: (event: Posted) => EventRefusal | undefined
  /** The `Authorization` that is accepted; all are while it is undefined. */
  accepts: string | undefined
  /** Answers the token endpoint. */
  token: (form: URLSearchParams, authorization: string | undefined) => readonly [number, object]
  close(): Promise<void>
}

/** How to start one. */
export interface FakeOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly port?: number
  readonly socketPath?: string
}

/** Starts a server on loopback, which ends with the test. */
export async function startFakeServer(context: TestContext, options: FakeOptions = {}): Promise<FakeServer> {
  const [requests, recorded]: [Seen[], Posted[]] = [[], []]
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    if (request.url?.endsWith('/token') === true) answerToken(server, request, response, body)
    else answerEntries(server, { requests, recorded }, request, response, body)
  }
  const handle: RequestListener = (request, response) => void answer(request, response)
  const { tls } = options
  const listener = tls === undefined ? createServer(handle) : createSafeServer({ ...tls }, handle)
  await new Promise<void>((resolve) => {
    if (options.socketPath === undefined) listener.listen(options.port ?? 0, '127.0.0.1', resolve)
    else listener.listen(options.socketPath, resolve)
  })
  const address = listener.address() as AddressInfo | string
  const port = typeof address === 'string' ? 0 : address.port
  const server: FakeServer = {
    url: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${port}`,
    requests,
    recorded,
    next: [],
    always: undefined,
    refuses: () => undefined,
    accepts: undefined,
    token: () => [200, { access_token: 'token-1', token_type: 'Bearer', expires_in: 900 }],
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
      }),
  }
  context.after(() => server.close())
  return server
}

interface Memory {
  readonly requests: Seen[]
  readonly recorded: Posted[]
}

function answerEntries(
  server: FakeServer,
  { requests, recorded }: Memory,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const { authorization, 'content-type': contentType } = request.headers
  const events = body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Posted]))
  requests.push({ path: request.url ?? '', authorization, contentType, events })
  const mischief = server.next.shift() ?? server.always
  if (mischief?.kind === 'refuse') return refuse(response, mischief)
  if (mischief?.kind === 'hang') return
  if (mischief?.kind === 'reset') return void request.socket.resetAndDestroy()
  if (server.accepts !== undefined && server.accepts !== authorization)
    return refuse(response, { kind: 'refuse', status: 401 })
  const results = events.map((event, index) => JSON.stringify(record(server, recorded, event, index)))
  if (mischief?.kind === 'lose') return void request.socket.resetAndDestroy()
  response.setHeader('Content-Type', 'application/x-ndjson')
  if (mischief?.kind === 'break') {
    response.write(`${results.slice(0, mischief.after).join('\n')}\n${results[mischief.after]?.slice(0, 20)}`)
    return void setImmediate(() => request.socket.resetAndDestroy())
  }
  const said = mischief?.kind === 'forget' ? results.slice(0, mischief.from) : results
  response.end(said.map((result) => `${result}\n`).join(''))
}

function record(server: FakeServer, recorded: Posted[], event: Posted, index: number): object {
  const refusal = server.refuses(event)
  if (refusal !== undefined) return { index, id: event.id, error: refusal }
  const before = recorded.findIndex(({ id }) => id === event.id)
  if (before === -1) recorded.push(event)
  const position = before === -1 ? recorded.length - 1 : before
  const { id } = event
  return { index, id, log: 'log-1', position, time: '2026-01-31T12:00:00.123456Z', new: before === -1 }
}

function refuse(
  response: ServerResponse,
  { status, retryAfter, type = 'application/json' }: Extract<Mischief, { kind: 'refuse' }>,
): void {
  const headers = { 'Content-Type': type, ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }) }
  response.writeHead(status, headers)
  response.end(JSON.stringify([{ code: `REFUSED_${status}`, message: `refused with ${status}` }]))
}

function answerToken(
  server: FakeServer,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const [status, answer] = server.token(new URLSearchParams(body), request.headers.authorization)
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(answer))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    // The client went away in the middle.
  }
  return Buffer.concat(chunks).toString()
}
