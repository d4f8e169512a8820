// One connection to an engine, and as much of HTTP/1.1 as portal and engine need of each other: one request at a time,
// and answers with a Content-Length. It is there for entries: what comes is read into a buffer that all connections share,
// and copied at once to whoever waits for it. So no garbage is made of a transfer, and no more is read than is wanted (R7).

import assert from 'node:assert/strict'
import type { OnReadOpts, Socket } from 'node:net'
import { innerHeadBytes } from '../limits.ts'
import { EngineFailure, failureOf } from './failure.ts'
import type { ReadBuffers } from './read-buffers.ts'

/** What an engine is asked. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** How long its body is. Undefined where that is not told: no engine does so, and it cannot be read. */
  readonly bytes: number | undefined
}

/** Begins a connection that reads as it is told to. Nothing is said on it before `readyOn`. */
export type Connect = (onread: OnReadOpts) => { readonly socket: Socket; readonly readyOn: string }

/** A connection. Whatever fails ends it; what was awaited then throws `EngineFailure`. */
export class EngineSocket {
  readonly #socket: Socket
  readonly #host: string
  readonly #buffers: ReadBuffers
  // What has come and is not wanted yet.
  #held: Held[] = []
  #head: string | undefined
  #bodyLeft = 0
  #isKept = true
  #failure: EngineFailure | undefined
  readonly #ready = Promise.withResolvers<void>()
  #answer: PromiseWithResolvers<AnswerHead> | undefined
  #reading: Reading | undefined

  /** `host` is what the engine is called in requests. */
  constructor(connect: Connect, host: string, buffers: ReadBuffers) {
    this.#host = host
    this.#buffers = buffers
    const { socket, readyOn } = connect({
      buffer: buffers.common,
      callback: (length, bytes) => this.#take(bytes.subarray(0, length)),
    })
    this.#socket = socket.setNoDelay(true)
    this.#socket.once(readyOn, () => this.#ready.resolve())
    this.#socket.on('error', (error) => this.fail(failureOf(error)))
    this.#socket.on('close', () => this.fail(new EngineFailure('cut')))
    // Without this its end would not be heard.
    this.#socket.resume()
  }

  /** True while another request can be made. */
  get isFree(): boolean {
    const isDone = this.#head === undefined && this.#bodyLeft === 0 && this.#held.length === 0
    return this.#failure === undefined && this.#isKept && isDone
  }

  /** True once it has ended. */
  get isEnded(): boolean {
    return this.#failure !== undefined
  }

  /** Makes a request, and resolves with the head of its answer. */
  async ask({ method, path, headers = {}, body }: Asked): Promise<AnswerHead> {
    if (this.#failure !== undefined) throw this.#failure
    assert.ok(this.isFree, 'one request at a time')
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const lines = Object.entries({ host: this.#host, ...headers, ...length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    this.#head = ''
    await this.#ready.promise
    if (this.#failure !== undefined) throw this.#failure
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
    this.#answer = Promise.withResolvers()
    return await this.#answer.promise
  }

  /**
   * Fills `target` with the next bytes of the body, and returns how many: fewer only where the body or the connection
   * ends with them. Throws where nothing comes for `stallMs`, and where the body has no byte left.
   */
  async read(target: Uint8Array, stallMs: number): Promise<number> {
    const reading = new Reading(target)
    this.#takeHeld(reading)
    if (reading.isFull || (reading.filled > 0 && this.#bodyLeft === 0)) return reading.filled
    if (this.#failure !== undefined || this.#bodyLeft === 0) return this.#broken(reading)
    this.#reading = reading
    const timer = setTimeout(() => this.fail(new EngineFailure('stalled')), stallMs)
    reading.timer = timer
    this.#socket.resume()
    try {
      await reading.done.promise
    } finally {
      clearTimeout(timer)
      this.#reading = undefined
    }
    return reading.filled > 0 ? reading.filled : this.#broken(reading)
  }

  /** Ends the connection, and whatever waits for it. */
  fail(failure: EngineFailure): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#socket.destroy()
    // Whoever waits for it looks what has become of it.
    this.#ready.resolve()
    this.#answer?.reject(failure)
    this.#reading?.done.resolve()
  }

  // What has come is not lost with the connection; the next read tells of its end.
  #broken({ filled }: Reading): number {
    if (filled > 0) return filled
    throw this.#failure ?? new EngineFailure('cut')
  }

  // Returns whether reading is to go on.
  #take(bytes: Uint8Array): boolean {
    const body = this.#head === undefined ? bytes : this.#takeHead(bytes)
    if (body.length === 0) return true
    if (body.length > this.#bodyLeft) {
      this.fail(new EngineFailure('answer'))
      return false
    }
    this.#bodyLeft -= body.length
    const reading = this.#reading
    const taken = reading === undefined ? 0 : reading.take(body)
    // TLS goes on for some records after it was told to stop.
    if (taken < body.length) this.#hold(body.subarray(taken))
    if (reading !== undefined && (reading.isFull || this.#bodyLeft === 0)) reading.done.resolve()
    return this.#held.length === 0
  }

  #hold(bytes: Uint8Array): void {
    const last = this.#held.at(-1)
    const room = last === undefined ? 0 : last.buffer.length - last.end
    const held = last !== undefined && room >= bytes.length ? last : this.#lent()
    held.buffer.set(bytes, held.end)
    held.end += bytes.length
  }

  #lent(): Held {
    const held = { buffer: this.#buffers.lend(), start: 0, end: 0 }
    this.#held.push(held)
    return held
  }

  #takeHeld(reading: Reading): void {
    for (let first = this.#held[0]; first !== undefined && !reading.isFull; first = this.#held[0]) {
      first.start += reading.take(first.buffer.subarray(first.start, first.end))
      if (first.start < first.end) break
      this.#buffers.giveBack(first.buffer)
      this.#held.shift()
    }
    // So that the end of a connection that waits for its next request is heard.
    if (this.#held.length === 0 && this.#bodyLeft === 0) this.#socket.resume()
  }

  // Returns what follows the head.
  #takeHead(bytes: Uint8Array): Uint8Array {
    const before = this.#head ?? ''
    const text =
      before + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', 0, innerHeadBytes)
    const end = text.indexOf('\r\n\r\n')
    const head = end === -1 ? undefined : parseHead(text.slice(0, end))
    if (head !== undefined) {
      this.#head = undefined
      this.#bodyLeft = head.bytes ?? 0
      this.#isKept = head.bytes !== undefined && head.headers.get('connection')?.toLowerCase() !== 'close'
      this.#answer?.resolve(head)
      return bytes.subarray(end + 4 - before.length)
    }
    this.#head = text
    if (end !== -1 || text.length >= innerHeadBytes) this.fail(new EngineFailure('answer'))
    return bytes.subarray(bytes.length)
  }
}

/** A read that is under way. */
class Reading {
  readonly #target: Uint8Array
  readonly done = Promise.withResolvers<void>()
  timer: NodeJS.Timeout | undefined
  filled = 0

  constructor(target: Uint8Array) {
    this.#target = target
  }

  get isFull(): boolean {
    return this.filled === this.#target.length
  }

  /** Copies as much as there is room for, and returns how much that was. */
  take(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#target.length - this.filled)
    this.#target.set(part, this.filled)
    this.filled += part.length
    this.timer?.refresh()
    return part.length
  }
}

// Bytes [start, end) of a buffer.
interface Held {
  readonly buffer: Buffer
  start: number
  end: number
}

// Undefined where it is none.
function parseHead(text: string): AnswerHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 ([2-5][0-9]{2})(?: |$)/.exec(first)?.[1]
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  if (status === undefined) return undefined
  const [, length] = /^([0-9]{1,15})$/.exec(headers.get('content-length') ?? '') ?? []
  const isTold = length !== undefined && !headers.has('transfer-encoding')
  return { status: Number(status), headers, bytes: isTold ? Number(length) : undefined }
}
