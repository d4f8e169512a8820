// The body of a request, as it comes: chunk by chunk and with back-pressure, so that it may have any length, or whole,
// where it is bounded. Nothing is read before somebody asks, and a client that is slow is not waited for without end.

import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import type { BodyDeadlines } from './body-deadlines.ts'
import type { Node } from './node.ts'
import { BrokenTransfer } from './outlet.ts'
import { expectsContinue } from './unread-body.ts'

/** How a body is read. */
export interface BodyForm {
  /** It is compressed with gzip (RFC 9110 section 8.4.1.3), and comes out decompressed. */
  readonly isGzip: boolean
}

/** A request that arrives, and what answers it. */
export interface Incoming {
  readonly request: Pick<FastifyRequest, 'raw'>
  readonly reply: Pick<FastifyReply, 'raw'>
}

const unreadable = Symbol('unreadable')

/** Ends the reading of a request's body with a refusal, where somebody reads it: returns whether somebody does. */
export function endBody(request: IncomingMessage, refusal: AnnalsError): boolean {
  return request.emit(unreadable, refusal)
}

/** One body. Dispose of it when no more is wanted. */
export class BodyStream implements Disposable {
  readonly #request: IncomingMessage
  readonly #source: Readable
  readonly #gunzip: Gunzip | undefined
  readonly #stallMs: number
  readonly #deadlines: BodyDeadlines
  #chunk: Buffer | undefined
  #failure: unknown
  #hasEnded = false
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  /** `stallMs` is how long the client may send nothing while its bytes are wanted. */
  constructor(node: Pick<Node, 'deadlines'>, incoming: Incoming, stallMs: number, form: BodyForm) {
    const { raw } = incoming.request
    this.#request = raw
    this.#stallMs = stallMs
    this.#gunzip = form.isGzip ? createGunzip({ chunkSize: gunzipBytes }) : undefined
    this.#source = this.#gunzip ?? raw
    this.#deadlines = node.deadlines
    this.#deadlines.release(raw)
    // Only now, when it is known that the caller may send it.
    if (expectsContinue(raw)) incoming.reply.raw.writeContinue()
    raw.on('error', this.#onBroken).on('close', this.#onClose).on(unreadable, this.#onUnreadable)
    this.#gunzip?.on('error', this.#onCorrupt)
    this.#source.pause().on('data', this.#onData).on('end', this.#onEnd)
    if (this.#gunzip !== undefined) raw.pipe(this.#gunzip)
    if (raw.destroyed && !raw.complete) this.#onBroken()
  }

  /**
   * The next bytes, or undefined behind the last. Throws `BrokenTransfer` where the client has gone, REQUEST_TIMEOUT where
   * it sends nothing for too long, MALFORMED_REQUEST where the compression is broken, and what `endBody` is given.
   */
  async next(): Promise<Buffer | undefined> {
    while (this.#chunk === undefined && this.#failure === undefined && !this.#hasEnded)
      await this.#something()
    if (this.#failure !== undefined) throw this.#failure
    const chunk = this.#chunk
    this.#chunk = undefined
    return chunk
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    // What nobody wants any more is dropped as it comes, and has to end some time.
    if (!this.#request.complete) this.#deadlines.restart(this.#request)
    this.#source.off('data', this.#onData).off('end', this.#onEnd)
    this.#request.off('close', this.#onClose).off(unreadable, this.#onUnreadable)
    // Not taken off: a request whose connection ends later still tells of it, and nobody else listens.
    if (this.#gunzip === undefined) return
    this.#request.unpipe(this.#gunzip)
    this.#gunzip.destroy()
  }

  async #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    if (this.#timer === undefined) this.#timer = setTimeout(this.#onStall, this.#stallMs)
    else this.#timer.refresh()
    this.#source.resume()
    await promise
    this.#wake = undefined
  }

  // One at a time: what comes meanwhile waits where it is.
  readonly #onData = (chunk: Buffer) => {
    this.#chunk = chunk
    this.#source.pause()
    this.#wake?.()
  }

  readonly #onEnd = () => {
    this.#hasEnded = true
    this.#wake?.()
  }

  readonly #onClose = () => {
    if (!this.#request.complete) this.#onBroken()
  }

  readonly #onBroken = () => this.#fail(new BrokenTransfer('gone'))

  readonly #onUnreadable = (refusal: AnnalsError) => this.#fail(refusal)

  readonly #onCorrupt = (cause: Error) =>
    this.#fail(new AnnalsError('MALFORMED_REQUEST', 'the body is not what gzip makes', { cause }))

  // Only while somebody waits: the timer is not stopped each time that bytes come.
  readonly #onStall = () => {
    if (this.#wake !== undefined)
      this.#fail(new AnnalsError('REQUEST_TIMEOUT', 'the rest of the request did not arrive in time'))
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure
    this.#wake?.()
  }
}

// What is decompressed in one go: as much as a connection is read in one go.
const gunzipBytes = 64 * 1024
