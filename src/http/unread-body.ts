// What becomes of a body that nobody wants. A small one is read and dropped, and its connection goes on. For a large one
// the connection ends; but not at once, for closing on unread input resets it, and the client would lose the answer.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { lingerMs, unreadBodyBytes } from '../limits.ts'

/** Whether a body is too large, or may be, to be read only to be dropped. */
export function hasLargeBody({ headers }: IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > unreadBodyBytes
  )
}

/** Whether the client waits to be told that its body is welcome (RFC 9110 section 10.1.1). */
export function expectsContinue({ headers, httpVersionMinor, complete }: IncomingMessage): boolean {
  return (
    headers.expect !== undefined && !complete && httpVersionMinor > 0 && /100-continue/i.test(headers.expect)
  )
}

/** Ends an answer whose last bytes are `body`, though the request may still be arriving. */
export function endAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  body: string | Uint8Array,
): void {
  if (request.complete || response.shouldKeepAlive) {
    // Node drops the rest only of what nobody had begun to read.
    if (!request.complete) request.resume()
    return void response.end(body)
  }
  response.write(body)
  void dropped(request, lingerMs).then(() => response.end())
}

/** Ends a connection that was to go on behind an answer that is out, unless the request has arrived whole. */
export function endUnlessComplete(request: IncomingMessage, mostMs: number): void {
  if (request.complete) return
  void dropped(request, mostMs).then(() => request.complete || request.socket.destroy())
}

/** Reads and drops what still arrives of a request for so long, so that the client comes to read the answer. */
export async function dropped(request: IncomingMessage, mostMs: number): Promise<void> {
  if (request.complete || request.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, mostMs)
  request.once('end', resolve).once('close', resolve)
  request.resume()
  await promise
  clearTimeout(timer)
}
