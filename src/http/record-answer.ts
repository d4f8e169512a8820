// The answer to a request with many events: results in order, as a JSON array or one a line. They wait for the end of the
// request, so that the status can speak for all of them; where there are too many, the head goes out with 200 and they
// follow as they come, with back-pressure (R6, R7).

import type { AnnalsError } from '../errors.ts'
import { recordResultBytes, recordUnsentBytes } from '../limits.ts'
import { challengeHeaders } from './challenge.ts'
import { retryHeaders } from './errors.ts'
import { everyAnswer, neverStored } from './headers.ts'
import { Outlet } from './outlet.ts'
import type { RecorderCall, RecordingNode } from './recording.ts'
import { routeOf } from './send.ts'
import { statusOf } from './status.ts'
import { dropped, endUnlessComplete } from './unread-body.ts'

/** How results are put together. */
export interface ResultForm {
  readonly contentType: string
  readonly before: string
  readonly between: string
  readonly after: string
}

/** A JSON array of results, and one a line. */
export const arrayForm: ResultForm = {
  contentType: 'application/json',
  before: '[',
  between: ',\n',
  after: ']\n',
}
export const linesForm: ResultForm = {
  contentType: 'application/x-ndjson',
  before: '',
  between: '\n',
  after: '\n',
}

/** One answer. Dispose of it when it is over, however it ended. */
export class RecordAnswer implements Disposable {
  readonly #node: RecordingNode
  readonly #call: RecorderCall
  readonly #form: ResultForm
  readonly #outlet: Outlet
  #texts: string[] = []
  #units = 0
  #isAnyTaken = false
  #refused = 0
  #results = 0
  #firstRefusal: AnnalsError | undefined
  // The last one that says when to try again.
  #passing: AnnalsError | undefined
  #sending: Promise<void> | undefined
  #isBegun = false
  #failure: unknown

  constructor(node: RecordingNode, call: RecorderCall, form: ResultForm) {
    this.#node = node
    this.#call = call
    this.#form = form
    this.#outlet = new Outlet(call.reply.raw, call.request.raw.socket, node.bounds.answerStallMs)
  }

  /** Whether results wait for the client to take some, or will never be taken. */
  get isFull(): boolean {
    return this.#failure !== undefined || (this.#sending !== undefined && this.#units > recordUnsentBytes)
  }

  /** Why it cannot be sent, where it cannot. */
  get broken(): unknown {
    return this.#failure
  }

  /** Adds the next result; `refusal` where it is one. */
  add(text: string, refusal?: AnnalsError): void {
    this.#texts.push(text)
    this.#units += text.length
    this.#results += 1
    if (refusal === undefined) return
    this.#refused += 1
    this.#firstRefusal ??= refusal
    if (retryHeaders(refusal).length > 0) this.#passing = refusal
    this.#node.metrics.refused(refusal.code)
  }

  /** Sends what there is, where it is too much to wait. */
  push(): void {
    const most = this.#isBegun ? 0 : recordResultBytes
    if (this.#sending !== undefined || this.#units <= most) return
    this.#sending = this.#send()
  }

  /** Resolves when what is being sent is out. Throws `BrokenTransfer`. */
  async pushed(): Promise<void> {
    await this.#sending
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Sends the rest, and ends. `headers` go with a head that is not out yet. Throws `BrokenTransfer`. */
  async end(headers: readonly string[] = []): Promise<void> {
    await this.pushed()
    const rest = this.#take() + (this.#results === 0 ? this.#emptyText() : this.#form.after)
    await this.#outlet.turn()
    const { raw: response } = this.#call.reply
    const { raw: request } = this.#call.request
    const body = Buffer.from(rest)
    // Nobody reads the rest of a request that was given up.
    if (!this.#isBegun && !request.complete) response.shouldKeepAlive = false
    if (!this.#isBegun) this.#begin(this.#status(), [...headers, 'Content-Length', String(body.byteLength)])
    if (body.byteLength > 0) await this.#outlet.write(body)
    const { recordLingerMs } = this.#node.bounds
    if (!response.shouldKeepAlive) await dropped(request, recordLingerMs)
    await this.#outlet.end()
    this.#node.metrics.sent(this.#outlet.sent)
    endUnlessComplete(request, recordLingerMs)
  }

  [Symbol.dispose](): void {
    this.#outlet[Symbol.dispose]()
  }

  #emptyText(): string {
    return this.#form === arrayForm ? '[]\n' : ''
  }

  // Never rejects: whoever goes on asks `pushed`.
  async #send(): Promise<void> {
    try {
      await this.#outlet.turn()
      if (!this.#isBegun) this.#begin(200)
      while (this.#units > 0) await this.#outlet.write(Buffer.from(this.#take()))
    } catch (error) {
      this.#failure = error
    }
    this.#sending = undefined
  }

  #take(): string {
    if (this.#texts.length === 0) return ''
    const { before, between } = this.#form
    const text = (this.#isAnyTaken ? between : before) + this.#texts.join(between)
    this.#isAnyTaken = true
    this.#texts = []
    this.#units = 0
    return text
  }

  #status(): number {
    if (this.#refused === 0 || this.#firstRefusal === undefined) return 200
    return this.#refused < this.#results ? 207 : statusOf[this.#firstRefusal.code]
  }

  #begin(status: number, headers: readonly string[] = []): void {
    const { request, reply } = this.#call
    this.#isBegun = true
    reply.hijack()
    this.#node.metrics.answered(routeOf(request), status)
    const type = ['Content-Type', this.#form.contentType, ...neverStored]
    const refusal = this.#refusalHeaders(status)
    reply.raw.writeHead(status, [...everyAnswer(request.raw.socket), ...type, ...refusal, ...headers])
  }

  // What other credentials would do, where there is nothing but refusals; and when to try again what passes.
  #refusalHeaders(status: number): readonly string[] {
    const first = status < 400 ? undefined : this.#firstRefusal
    return [
      ...(first === undefined ? [] : challengeHeaders(first, this.#node.challenge)),
      ...(this.#passing === undefined ? [] : retryHeaders(this.#passing)),
    ]
  }
}
