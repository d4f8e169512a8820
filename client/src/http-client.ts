// One HTTP request to a fixed server, over connections that are kept: with a time limit, a bound on the answer, and no
// redirect ever followed, for credentials go to the server that was named and nowhere else.

import {
  Agent as PlainAgent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as SafeAgent, request as safeRequest } from 'node:https'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import { AuditTrailError } from './errors.ts'

/** How to reach the server. */
export interface HttpClientOptions {
  readonly socketPath?: string | undefined
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
  readonly pin?: string | undefined
  readonly connections: number
  readonly timeoutMs: number
}

/** What to ask. */
export interface Asked {
  readonly url: URL
  /** Instead of the URL's own. */
  readonly path?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Beyond: the rest is not read, and the answer is not whole. */
  readonly mostBytes: number
  /** Awaited once there is a connection, before a byte of the request goes out. Where it throws, none does. */
  readonly beforeSent?: (() => Promise<void>) | undefined
}

/** What came. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly retryAfter: string | undefined
  readonly text: string
  /** Whether the server said all that it had to say. */
  readonly isWhole: boolean
}

/**
 * A kept connection was found to have ended: nothing is wrong with the server, and a new one is worth a try at once. What
 * was posted may have arrived all the same.
 */
export class StaleConnection extends AuditTrailError {
  constructor(cause: unknown) {
    super('UNREACHABLE', 'the audit trail had closed the connection', { cause })
  }
}

/** What was to be posted has not left this process: no connection came about, or it ended before that. */
export class NeverConnected extends AuditTrailError {
  constructor(cause: NodeJS.ErrnoException) {
    super('UNREACHABLE', unreachableText(cause), { cause })
  }
}

/** Posts to a server. Dispose of it to close its connections. */
export class HttpClient implements Disposable {
  readonly #options: HttpClientOptions
  readonly #plain: PlainAgent
  readonly #safe: SafeAgent
  #isClosed = false

  constructor(options: HttpClientOptions) {
    this.#options = options
    const kept = { keepAlive: true, maxSockets: options.connections }
    this.#plain = new PlainAgent(kept)
    this.#safe = safeAgent(kept, options)
  }

  /**
   * Posts. Throws UNREACHABLE where no answer began; a `StaleConnection` where a kept connection had ended, and
   * `NeverConnected` where nothing was sent.
   */
  post({ url, path, headers, body, mostBytes, beforeSent }: Asked): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new NeverConnected(closed()))
    return new Promise((resolve, reject) => {
      const isSafe = url.protocol === 'https:'
      const { socketPath, timeoutMs } = this.#options
      const options: RequestOptions = {
        method: 'POST',
        path: path ?? `${url.pathname}${url.search}`,
        headers: { ...headers, 'Content-Length': Buffer.byteLength(body), 'User-Agent': 'annals-client' },
        agent: isSafe ? this.#safe : this.#plain,
        ...(socketPath === undefined
          ? { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port }
          : { socketPath }),
      }
      const request = (isSafe ? safeRequest : plainRequest)(options)
      let [isBegun, hasAnswer] = [false, false]
      const fail = (cause: NodeJS.ErrnoException): void => {
        if (hasAnswer) return
        clearTimeout(timer)
        reject(failure(request, cause, isBegun))
      }
      const begin = (): void => {
        isBegun = true
        request.end(body)
      }
      whenConnected(request, isSafe, () => {
        if (beforeSent === undefined) return begin()
        beforeSent().then(begin, (cause: Error) => {
          request.destroy(cause)
          fail(cause)
        })
      })
      const timer = setTimeout(() => {
        const late = new Error('no answer in time')
        request.destroy(late)
        // A request that has no connection yet does not tell of its end.
        fail(late)
      }, timeoutMs)
      request.on('response', (response) => {
        hasAnswer = true
        readAnswer(response, mostBytes, (answer) => {
          clearTimeout(timer)
          resolve(answer)
        })
      })
      request.on('error', fail)
    })
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#plain.destroy()
    this.#safe.destroy()
  }
}

function readAnswer(response: IncomingMessage, mostBytes: number, done: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > mostBytes) response.destroy()
    else chunks.push(chunk)
  })
  // What breaks an answer is seen in `close`.
  response.on('error', () => undefined)
  response.on('close', () =>
    done({
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      retryAfter: response.headers['retry-after'],
      text: Buffer.concat(chunks).toString(),
      isWhole: response.complete && bytes <= mostBytes,
    }),
  )
}

// Calls once the request has a connection over which it can go out. One that does not connect any more stands already: it was
// used before, handed over by another request, or is pinned.
function whenConnected(request: ClientRequest, isSafe: boolean, call: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket || !socket.connecting) call()
    else socket.once(isSafe ? 'secureConnect' : 'connect', call)
  })
}

function failure(request: ClientRequest, cause: NodeJS.ErrnoException, isBegun: boolean): AuditTrailError {
  if (!isBegun) return new NeverConnected(cause)
  const isStale = request.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE')
  if (isStale) return new StaleConnection(cause)
  return new AuditTrailError('UNREACHABLE', unreachableText(cause), { cause })
}

function unreachableText({ code, message }: NodeJS.ErrnoException): string {
  return `the audit trail cannot be reached: ${code ?? message}`
}

function closed(): Error {
  return new Error('the client is closed')
}

function safeAgent(
  kept: { readonly keepAlive: boolean; readonly maxSockets: number },
  { ca, pin, timeoutMs }: HttpClientOptions,
): SafeAgent {
  if (pin !== undefined) return new PinnedAgent(kept, fingerprintOf(pin), timeoutMs)
  // A Buffer that was handed over to a worker, as to pino's, is a plain array of bytes there.
  const isOne = typeof ca === 'string' || ca instanceof Uint8Array
  const trust = ca === undefined ? {} : { ca: isOne ? ca : [...ca] }
  return new SafeAgent({ ...kept, ...trust, minVersion: 'TLSv1.2' })
}

function fingerprintOf(pin: string): string {
  const hex = pin.replaceAll(':', '').toUpperCase()
  if (/^[0-9A-F]{64}$/.test(hex)) return hex
  throw new TypeError('pin is expected to be the SHA-256 fingerprint of a certificate, in hexadecimal')
}

/** Trusts one certificate. No byte of a request goes out before the server has shown it. */
class PinnedAgent extends SafeAgent {
  readonly #fingerprint: string
  readonly #timeoutMs: number
  // Connections that do not stand yet, of which the agent itself does not know.
  readonly #pending = new Set<TLSSocket>()

  constructor(
    kept: { readonly keepAlive: boolean; readonly maxSockets: number },
    fingerprint: string,
    timeoutMs: number,
  ) {
    super(kept)
    this.#fingerprint = fingerprint
    this.#timeoutMs = timeoutMs
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const socket: TLSSocket = connect({ ...options, minVersion: 'TLSv1.2', rejectUnauthorized: false })
    const settled = this.#await(socket)
    socket.once('error', (error) => {
      settled()
      callback?.(error, socket)
    })
    socket.once('secureConnect', () => {
      settled()
      const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '')
      if (shown === this.#fingerprint) callback?.(null, socket)
      else socket.destroy(new Error('the server has another certificate than the pinned one'))
    })
  }

  override destroy(): void {
    super.destroy()
    for (const socket of this.#pending) socket.destroy(closed())
  }

  // Bounds how long a connection takes to stand. To be told when it does, or never will.
  #await(socket: TLSSocket): () => void {
    const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), this.#timeoutMs)
    this.#pending.add(socket)
    return () => {
      clearTimeout(timer)
      this.#pending.delete(socket)
    }
  }
}
