// What Node's HTTP parser refuses never becomes a request: there is a socket and an error, nothing else. It
// gets the same answer as everything else (contract, table E), written by hand, and the connection ends.

import { createRequire } from 'node:module'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AnnalsError, type ErrorCode } from '../errors.ts'
import { refusalBody, refusalHeaders, type RefusalSink } from './errors.ts'
import { everyAnswer } from './headers.ts'
import { statusOf } from './status.ts'

// Not by import, as in `http-server.ts`.
const { METHODS, STATUS_CODES } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** An error of Node's parser; `rawPacket` is what had come when it was found. */
export interface ParserError extends Error {
  readonly code?: string
  readonly rawPacket?: Uint8Array
}

/** The methods of the resource at a path, as `Allow` has them; undefined where there is none (E7). */
export type AllowedAt = (path: string) => string | undefined

/** The refusal of what the parser could not read. */
export function parserRefusal(error: ParserError, allowedAt: AllowedAt): AnnalsError {
  if (error.code === 'HPE_INVALID_METHOD') return unknownMethod(error, allowedAt)
  const [code, message] = refusals.get(error.code ?? '') ?? malformed
  return new AnnalsError(code, message)
}

const malformed = ['MALFORMED_REQUEST', 'this is not a well-formed HTTP request'] as const

const refusals = new Map<string, readonly [code: ErrorCode, message: string]>([
  ['HPE_HEADER_OVERFLOW', ['HEADERS_TOO_LARGE', 'the request line and headers are too large']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['BODY_TOO_LARGE', 'the chunk extensions of the body are too large']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['REQUEST_TIMEOUT', 'the request did not arrive in time']],
])

// A5 asks for 405 for every method but two, and the parser knows only some three dozen of them.
function unknownMethod(error: ParserError, allowedAt: AllowedAt): AnnalsError {
  const packet = Buffer.from(error.rawPacket ?? []).toString('latin1', 0, 2_048)
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) (\/[^ ?#\r\n]*)(?:\?[^ #\r\n]*)? HTTP\/1\.[01]\r?\n/.exec(
    packet,
  )
  const [, method, path] = line ?? []
  if (method === undefined || path === undefined || METHODS.includes(method)) {
    return new AnnalsError(...malformed)
  }
  return refusalAt(path, allowedAt)
}

/** The refusal of a request that no route takes: there is no such resource, or it has other methods (A5, E7). */
export function refusalAt(path: string, allowedAt: AllowedAt): AnnalsError {
  const allow = allowedAt(path)
  if (allow === undefined) return new AnnalsError('NOT_FOUND', 'there is nothing at this path')
  const methods = allow.replace(', ', ' or ')
  return new AnnalsError('METHOD_NOT_ALLOWED', `this resource is used with ${methods}`, { allow })
}

/**
 * Writes a refusal to a bare socket and ends it. Where an answer is under way on that socket nothing is
 * written, for it would become a part of that answer: the connection is broken instead (R6). `request` is the one that
 * is refused, where there is one: an answer to it that has not begun is not under way.
 */
export function refuseSocket(
  sink: RefusalSink,
  socket: Socket,
  error: AnnalsError,
  lingerMs: number,
  request?: IncomingMessage,
): void {
  if (socket.destroyed || socket.writableEnded) return
  sink.metrics.refused(error.code)
  if (!socket.writable || isAnswering(socket, request)) {
    socket.destroy()
    return
  }
  sink.metrics.answered('none', statusOf[error.code])
  socket.end(rawAnswer(error, socket))
  // Closing on unread input resets the connection, and the client would lose the answer. What it still sends
  // goes to the parser, which refuses it again and drops it.
  const end = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(end))
}

// Node has no public word for "a response is assigned to this socket"; its own handler of parser errors asks
// the same property.
function isAnswering(socket: Socket, refused: IncomingMessage | undefined): boolean {
  if (!('_httpMessage' in socket) || socket._httpMessage === null) return false
  const { req, headersSent } = socket._httpMessage as ServerResponse
  return req !== refused || headersSent
}

function rawAnswer(error: AnnalsError, socket: Socket): string {
  const body = refusalBody(error)
  const headers = [...everyAnswer(socket), ...refusalHeaders(error)]
  const lines = [`HTTP/1.1 ${statusOf[error.code]} ${reasonOf(error)}`, `Date: ${new Date().toUTCString()}`]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', body)
  return lines.join('\r\n')
}

function reasonOf(error: AnnalsError): string {
  return STATUS_CODES[statusOf[error.code]] ?? ''
}
