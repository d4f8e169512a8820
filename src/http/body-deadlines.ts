// How long a request may take to arrive, body included. Node's own bound holds for all requests of a server alike; here a
// body that is read as a stream is taken out, and answers for its own pace (`body-stream.ts`).

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Told of a request that did not arrive in time, and of its connection. */
export type LateListener = (request: IncomingMessage, socket: Socket) => void

/** Requests whose bodies are still arriving: at most one for each connection. */
export class BodyDeadlines implements Disposable {
  readonly #arriving = new Map<Socket, { readonly request: IncomingMessage; readonly since: number }>()
  readonly #forget = (socket: Socket) => () => this.#arriving.delete(socket)
  #timer: NodeJS.Timeout | undefined

  /** Looks again and again, and tells of what has taken longer than `mostMs`. */
  watch(mostMs: number, everyMs: number, late: LateListener): void {
    this.#timer = setInterval(() => this.#look(mostMs, late), everyMs).unref()
  }

  /** A request has come, whose body may not have. */
  begin(request: IncomingMessage): void {
    const { socket } = request
    // A connection that sends many requests is listened to once.
    if (!this.#arriving.has(socket)) socket.once('close', this.#forget(socket))
    this.#arriving.set(socket, { request, since: performance.now() })
  }

  /** The request on a connection that has not arrived whole, where there is one. */
  arrivingOn(socket: Socket): IncomingMessage | undefined {
    const request = this.#arriving.get(socket)?.request
    return request?.complete === false ? request : undefined
  }

  /** The rest of a request arrives at a pace that somebody else watches. */
  release(request: IncomingMessage): void {
    const known = this.#arriving.get(request.socket)
    if (known?.request === request) this.#arriving.set(request.socket, { request, since: Infinity })
  }

  /** The rest of it has as long as a request that has just begun. */
  restart(request: IncomingMessage): void {
    const known = this.#arriving.get(request.socket)
    if (known?.request === request) this.#arriving.set(request.socket, { request, since: performance.now() })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(mostMs: number, late: LateListener): void {
    const before = performance.now() - mostMs
    for (const [socket, { request, since }] of this.#arriving)
      if (!request.complete && since < before) {
        this.#arriving.set(socket, { request, since: Infinity })
        late(request, socket)
      }
  }
}
