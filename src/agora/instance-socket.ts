// One connection to an instance, and as much of HTTP/1.1 as a gateway needs: one question without a body at a time. What
// comes is read into a buffer that all connections share, and copied at once to whoever waits for it: a transfer makes no
// garbage, and no more is read than is wanted (R7).

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { instanceConnectMs, instanceHeadBytes, instanceLullMs, instanceStallMs } from '../limits.ts'
import { type AnswerBody, bodyOf } from './answer-body.ts'
import type { Connect } from './connector.ts'
import { InstanceSilent, silenceOf } from './silence.ts'

/** What is asked of an instance. */
export interface Question {
  readonly method: 'GET' | 'HEAD'
  /** Path and query, as they came. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** How many bytes the body has, where that is said. */
  readonly bytes: number | undefined
}

/** How long things may take. */
export interface SocketBounds {
  readonly connectMs: number
  readonly stallMs: number
  readonly lullMs: number
}

/** As nodes have them. */
export const defaultSocketBounds: SocketBounds = {
  connectMs: instanceConnectMs,
  stallMs: instanceStallMs,
  lullMs: instanceLullMs,
}

/** A connection. Whatever fails ends it; what was awaited then throws `InstanceSilent`. */
export class InstanceSocket {
  readonly #socket: Socket
  readonly #host: string
  readonly #bounds: SocketBounds
  readonly #ready = Promise.withResolvers<void>()
  readonly #held = new Held()
  #method = ''
  #head: string | undefined
  #body: AnswerBody | undefined
  #isKept = true
  #failure: InstanceSilent | undefined
  #answer: PromiseWithResolvers<AnswerHead> | undefined
  #reading: Reading | undefined

  /** `host` is what the instance is called in questions; `common` is what all connections read into. */
  constructor(connect: Connect, host: string, common: Buffer, bounds: SocketBounds = defaultSocketBounds) {
    this.#host = host
    this.#bounds = bounds
    const { socket, readyOn, demandTrust } = connect({
      buffer: common,
      callback: (length, bytes) => this.#take(bytes.subarray(0, length)),
    })
    this.#socket = socket.setNoDelay(true)
    const timer = setTimeout(() => this.fail(new InstanceSilent('timeout')), bounds.connectMs)
    this.#socket.once(readyOn, () => this.#becomeReady(demandTrust))
    this.#socket.on('error', (error) => this.fail(silenceOf(error)))
    this.#socket.on('close', () => this.fail(new InstanceSilent('cut')))
    void this.#ready.promise.then(() => clearTimeout(timer))
    // Without this its end would not be heard.
    this.#socket.resume()
  }

  /** True while another question can be asked. */
  get isFree(): boolean {
    return this.#failure === undefined && this.#isKept && this.#head === undefined && this.isOver
  }

  /** True where there is no answer of which anything is left to read. */
  get isOver(): boolean {
    return (this.#body?.isOver ?? true) && this.#held.bytes === 0
  }

  /** True once it has ended. */
  get isEnded(): boolean {
    return this.#failure !== undefined
  }

  /** Asks, and resolves with the head of the answer. */
  async ask({ method, target, headers }: Question): Promise<AnswerHead> {
    assert.ok(this.isFree, 'one question at a time')
    const lines = Object.entries({ Host: this.#host, ...headers }).map(([name, value]) => `${name}: ${value}`)
    const text = [`${method} ${target} HTTP/1.1`, ...lines]
    assert.ok(
      text.every((line) => !/[\r\n\0]/.test(line)) && !/\s/.test(target),
      'a question is one question',
    )
    this.#method = method
    this.#head = ''
    await this.#ready.promise
    if (this.#failure !== undefined) throw this.#failure
    this.#answer = Promise.withResolvers()
    // As the parser gave it: a character is a byte.
    this.#socket.write(`${text.join('\r\n')}\r\n\r\n`, 'latin1')
    return await this.#answer.promise
  }

  /**
   * Fills `target` with the next bytes of the body, and returns how many: fewer where the body ends, or nothing more has
   * come for a moment; 0 at its end. Throws where nothing comes for too long, and where the connection ends before.
   */
  async read(target: Uint8Array): Promise<number> {
    const held = this.#held.take(target)
    // So that the end of a connection that waits for its next question is heard.
    if (this.isOver) this.#socket.resume()
    if (held === target.length || this.isOver) return held
    if (this.#failure === undefined) {
      const reading = new Reading(target, held)
      this.#reading = reading
      this.#socket.resume()
      await reading.done(this.#bounds, () => this.fail(new InstanceSilent('stalled')))
      this.#reading = undefined
      if (reading.filled > 0 || this.isOver) return reading.filled
    }
    if (held > 0) return held
    throw this.#failure ?? new InstanceSilent('cut')
  }

  /** Ends the connection, and whatever waits for it. */
  fail(failure: InstanceSilent): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#socket.destroy()
    // Whoever waits for it looks what has become of it.
    this.#ready.resolve()
    this.#answer?.reject(failure)
    this.#reading?.end()
  }

  #becomeReady(demandTrust: () => void): void {
    try {
      demandTrust()
      this.#ready.resolve()
    } catch (error) {
      this.fail(error instanceof Error ? silenceOf(error) : new InstanceSilent('untrusted', { cause: error }))
    }
  }

  // Returns whether reading is to go on.
  #take(bytes: Uint8Array): boolean {
    try {
      const rest = this.#head === undefined ? bytes : this.#takeHead(bytes)
      if (rest.length > 0) this.#takeBody(rest)
    } catch (error) {
      if (!(error instanceof InstanceSilent)) throw error
      this.fail(error)
      return false
    }
    return this.#held.bytes === 0
  }

  #takeBody(bytes: Uint8Array): void {
    // Nobody has asked, or the answer is over.
    if (this.#body === undefined) throw new InstanceSilent('answer')
    this.#body.take(bytes, (part) => this.#deliver(part))
    if (this.#body.isOver) this.#reading?.end()
  }

  #deliver(part: Uint8Array): void {
    const taken = this.#held.bytes > 0 ? 0 : (this.#reading?.take(part) ?? 0)
    // TLS goes on for some records after it was told to stop.
    if (taken < part.length) this.#held.add(part.subarray(taken))
  }

  // Returns what follows the head.
  #takeHead(bytes: Uint8Array): Uint8Array {
    const before = this.#head ?? ''
    // Before the question is out nothing is an answer.
    if (this.#answer === undefined) throw new InstanceSilent('answer')
    const text = before + Buffer.from(bytes.subarray(0, instanceHeadBytes)).toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    this.#head = text
    if (end === -1) {
      if (text.length >= instanceHeadBytes) throw new InstanceSilent('answer')
      return bytes.subarray(bytes.length)
    }
    this.#headCame(text.slice(0, end))
    return bytes.subarray(end + 4 - before.length)
  }

  #headCame(text: string): void {
    const { status, rawHeaders } = parseHead(text)
    const field = (name: string) =>
      rawHeaders.filter((_, k) => k % 2 === 1 && rawHeaders[k - 1]?.toLowerCase() === name)
    this.#body = bodyOf(this.#method, status, field)
    this.#head = undefined
    this.#isKept = !field('connection').some((value) => /(?:^|[, ])close(?:$|[, ])/i.test(value))
    this.#answer?.resolve({ status, rawHeaders, bytes: this.#body.bytes })
    this.#answer = undefined
  }
}

/** A read that is under way. */
class Reading {
  readonly #target: Uint8Array
  readonly #done = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined
  #lull: NodeJS.Timeout | undefined
  #lullMs = 0
  filled: number

  constructor(target: Uint8Array, filled: number) {
    this.#target = target
    this.filled = filled
  }

  /** Resolves when the target is full or nothing more comes. Calls `stalled` where nothing has come at all. */
  async done({ stallMs, lullMs }: SocketBounds, stalled: () => void): Promise<void> {
    this.#lullMs = lullMs
    if (this.filled > 0) this.#waitOn()
    else this.#timer = setTimeout(stalled, stallMs)
    await this.#done.promise
    clearTimeout(this.#timer)
    clearTimeout(this.#lull)
  }

  /** Copies as much as there is room for, and returns how much that was. */
  take(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#target.length - this.filled)
    this.#target.set(part, this.filled)
    this.filled += part.length
    if (this.filled === this.#target.length) this.end()
    else this.#waitOn()
    return part.length
  }

  end(): void {
    this.#done.resolve()
  }

  #waitOn(): void {
    if (this.#lull === undefined) this.#lull = setTimeout(() => this.end(), this.#lullMs)
    else this.#lull.refresh()
  }
}

/** What has come and is not wanted yet: TLS goes on for 64 KiB and a record after it is told to stop. */
class Held {
  #buffer = Buffer.alloc(0)
  #start = 0
  #end = 0

  get bytes(): number {
    return this.#end - this.#start
  }

  add(bytes: Uint8Array): void {
    if (this.#buffer.length - this.#end < bytes.length) this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Copies as much as there is room for, and returns how much that was. */
  take(target: Uint8Array): number {
    const part = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + target.length))
    target.set(part)
    this.#start += part.length
    if (this.#start === this.#end) this.#start = this.#end = 0
    return part.length
  }

  #makeRoom(bytes: number): void {
    const held = this.#buffer.subarray(this.#start, this.#end)
    const wanted = held.length + bytes
    const buffer = wanted <= this.#buffer.length ? this.#buffer : Buffer.allocUnsafeSlow(2 * wanted)
    buffer.set(held)
    this.#buffer = buffer
    this.#start = 0
    this.#end = held.length
  }
}

function parseHead(text: string): Pick<AnswerHead, 'status' | 'rawHeaders'> {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 ([2-5][0-9]{2})(?: |$)/.exec(first)?.[1]
  if (status === undefined) throw new InstanceSilent('answer')
  return { status: Number(status), rawHeaders: lines.flatMap(parseField) }
}

// RFC 9110 section 5: a token, and what can be read. A line that is folded is none.
function parseField(line: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new InstanceSilent('answer')
  return [name, value]
}
