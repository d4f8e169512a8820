// One response as a place to put buffers: a write resolves once its buffer is free again, and rejects when the
// client has gone or takes too long over it (R6, R7). At most one write is under way at a time.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { BreakReason } from './metrics.ts'

/** A transfer that cannot be finished. The response is already destroyed, or must be. */
export class BrokenTransfer extends Error {
  override readonly name = 'BrokenTransfer'
  readonly reason: BreakReason

  constructor(reason: BreakReason) {
    super(`the transfer is broken: ${reason}`)
    this.reason = reason
  }
}

/** Writes a response's body. Dispose of it when the answer is over, however it ended. */
export class Outlet implements Disposable {
  readonly #response: ServerResponse
  readonly #socket: Socket
  readonly #stallMs: number
  readonly #onClose = () => this.#fail('gone')
  #timer: NodeJS.Timeout | undefined
  #failure: BrokenTransfer | undefined
  #reject: ((error: Error) => void) | undefined
  #sent = 0

  constructor(response: ServerResponse, socket: Socket, stallMs: number) {
    this.#response = response
    this.#socket = socket
    this.#stallMs = stallMs
    // The socket's own end, because a response that waits behind another one never hears of it.
    // A client may have many answers wait on one connection (pipelining).
    socket.setMaxListeners(0)
    socket.once('close', this.#onClose)
    if (socket.destroyed || response.destroyed) this.#fail('gone')
  }

  /** Bytes of the body that the network has taken. */
  get sent(): number {
    return this.#sent
  }

  /** Waits until earlier answers on this connection are out (pipelining), however long they take. */
  async turn(): Promise<void> {
    if (this.#response.socket !== null) return
    await this.#settled((done) => this.#response.once('socket', () => done()))
  }

  /** Writes a buffer, and resolves when it may be used again. */
  async write(buffer: Uint8Array): Promise<void> {
    this.#watch()
    await this.#settled((done) => this.#response.write(buffer, done))
    this.#sent += buffer.byteLength
    clearTimeout(this.#timer)
  }

  /** Ends the body, and resolves when all of it is out. The connection may then carry the next answer. */
  async end(): Promise<void> {
    this.#watch()
    await this.#settled((done) => this.#response.end(done))
    clearTimeout(this.#timer)
  }

  /** The same for a response that was ended already, with its last `bytes` bytes still on their way. */
  async finished(bytes: number): Promise<void> {
    if (this.#response.socket === null) this.#response.once('socket', () => this.#watch())
    else this.#watch()
    await this.#settled((done) => this.#response.once('finish', () => done()))
    clearTimeout(this.#timer)
    this.#sent += bytes
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#socket.off('close', this.#onClose)
  }

  #watch(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#fail('stalled'), this.#stallMs)
  }

  #fail(reason: BreakReason): void {
    this.#failure ??= new BrokenTransfer(reason)
    clearTimeout(this.#timer)
    if (reason === 'stalled') this.#response.destroy()
    this.#reject?.(this.#failure)
  }

  async #settled(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve, reject) => {
      this.#reject = reject
      start((error) => {
        // Node reports a write as done, too, when its socket was destroyed under it.
        if (error instanceof Error || this.#socket.destroyed) this.#fail('gone')
        else resolve()
      })
    })
    this.#reject = undefined
  }
}
