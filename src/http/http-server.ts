// Node's HTTP server with our bounds, and with an answer for everything that never becomes a request.

import { constants } from 'node:crypto'
import type { IncomingMessage, RequestListener, Server, ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { AnnalsError } from '../errors.ts'
import type { BodyDeadlines } from './body-deadlines.ts'
import { endBody } from './body-stream.ts'
import type { HttpBounds } from './bounds.ts'
import type { RefusalSink } from './errors.ts'
import { type AllowedAt, parserRefusal, refuseSocket, type ParserError } from './parser-errors.ts'

// Not by import: that reads every name of the module, and for one of them Node loads a whole HTTP client.
const { createServer } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** A certificate chain and its key, PEM, and whatever else the TLS listener is to demand. */
export interface TlsIdentity extends TlsOptions {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

// TLS 1.2 with the suites that encrypt and authenticate in one, under keys that nobody can work out later, and TLS 1.3,
// which has no others. Each client of the last ten years has one of them (RFC 9325 section 4.2).
const tlsOptions: TlsOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
  // A client could make us do its key exchange again and again.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
}

/** Makes the server. `allowedAt` tells the methods of the resource at a path, where there is one. */
export function createHttpServer(
  listener: RequestListener,
  bounds: HttpBounds,
  sink: RefusalSink,
  allowedAt: AllowedAt,
  deadlines: BodyDeadlines,
  tls?: TlsIdentity,
): Server {
  const options = serverOptions(bounds)
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...tlsOptions, ...tls }, listener)
  server.maxConnections = bounds.connections
  server.timeout = bounds.connectionIdleMs
  // A client may close its sending side after the request (RFC 9112 section 9.6; `nc -N` does), and still
  // wants the answer. Node has this switch, but neither documentation nor a type for it.
  Object.assign(server, { httpAllowHalfOpen: true })
  closeSilentAsIdle(server)
  watchDeadlines(server, bounds, sink, deadlines)
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy())
    refuseSocket(sink, socket, noProxy(), bounds.lingerMs)
  })
  // An expectation that we do not know may be ignored (RFC 9110 section 10.1.1); Node's own 417 is no JSON.
  // Whoever reads the body says that it is welcome.
  server.on('checkContinue', (request, response) => server.emit('request', request, response))
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  // Connections whose last request is refused by whoever read its body: all that still comes is refused here again.
  const refused = new WeakSet<Socket>()
  server.on('clientError', (error: ParserError, socket: Socket) => {
    if (refused.has(socket)) return
    const refusal = parserRefusal(error, allowedAt)
    if (isBrokenBody(error, deadlines.arrivingOn(socket), refusal)) refused.add(socket)
    else if (isParserError(error)) refuseSocket(sink, socket, refusal, bounds.lingerMs)
    else if (isPlainHttp(error)) refuseSocket(sink, connectionUnder(socket), plainRefusal(), bounds.lingerMs)
    else socket.destroy()
  })
  return server
}

// Node's own bound of a whole request holds for all requests alike, so that it is not used.
function watchDeadlines(
  server: Server,
  bounds: HttpBounds,
  sink: RefusalSink,
  deadlines: BodyDeadlines,
): void {
  server.on('request', (request: IncomingMessage) => {
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
      deadlines.begin(request)
  })
  deadlines.watch(bounds.requestTimeoutMs, bounds.connectionsCheckMs, (request, socket) => {
    const late = new AnnalsError('REQUEST_TIMEOUT', 'the request did not arrive in time')
    refuseSocket(sink, socket, late, bounds.lingerMs, request)
  })
  server.on('close', () => deadlines[Symbol.dispose]())
}

// Node counts a connection as idle only behind its first request, and one that has not finished its TLS handshake not at
// all: whoever connected and said nothing would hold up a node that stops until some time limit. A half-sent first
// request goes with them; it would be refused anyway.
function closeSilentAsIdle(server: Server): void {
  const silent = new Map<string | Socket, Socket>()
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    silent.set(peer, socket)
    socket.once('close', () => silent.get(peer) === socket && silent.delete(peer))
  })
  server.on('request', ({ socket }) => silent.delete(peerOf(socket)))
  const closeIdle = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    closeIdle()
    for (const socket of silent.values()) socket.destroy()
  }
}

// A TLS socket and the connection that carries it have this in common. One of a unix socket has no address, and no TLS.
function peerOf(socket: Socket): string | Socket {
  const { remoteAddress, remotePort } = socket
  return remoteAddress === undefined ? socket : `${remoteAddress} ${remotePort}`
}

function serverOptions(bounds: HttpBounds): ServerOptions {
  return {
    maxHeaderSize: bounds.headerBytes,
    headersTimeout: bounds.headersTimeoutMs,
    // Of the body see `watchDeadlines`.
    requestTimeout: 0,
    connectionsCheckingInterval: bounds.connectionsCheckMs,
    keepAliveTimeout: bounds.keepAliveMs,
    noDelay: true,
    // Node's own answer to a missing Host is no JSON; `app.ts` asks for it instead.
    requireHostHeader: false,
  }
}

// Errors of the network come the same way; there is nobody to answer then.
function isParserError(error: ParserError): boolean {
  return error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
}

// A body that cannot be read on, and that somebody reads, who then answers. Of one that just ends the client has gone.
function isBrokenBody(
  error: ParserError,
  request: IncomingMessage | undefined,
  refusal: AnnalsError,
): boolean {
  const isBroken = error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE'
  return isBroken && request !== undefined && endBody(request, refusal)
}

function noProxy(): AnnalsError {
  return new AnnalsError('METHOD_NOT_ALLOWED', 'this is not a proxy', { allow: 'GET, HEAD' })
}

// Plain HTTP at a TLS port. The client can read an answer in its own language, and hardly a TLS alert.
function isPlainHttp(error: ParserError): boolean {
  return error.code === 'ERR_SSL_HTTP_REQUEST'
}

function plainRefusal(): AnnalsError {
  return new AnnalsError('MALFORMED_REQUEST', 'this port speaks HTTPS: the URL must begin with https://')
}

// By now Node has given up the TLS socket, but not the connection that carries it, for which it has no public word.
function connectionUnder(socket: Socket): Socket {
  const connection = '_parent' in socket ? (socket._parent as Socket | null) : null
  connection?.on('error', () => connection.destroy())
  return connection ?? socket
}
