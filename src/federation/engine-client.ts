// One engine, as its portal calls it: mutual TLS 1.3, both certificates pinned, a bound on every answer and a time limit
// on every question. Closing it, because an administrator disconnected the engine or because the portal ends, breaks
// whatever is under way.

import type { Dispatcher, Pool } from 'undici'
import { AnnalsError } from '../errors.ts'
import { engineBodyBytes, engineConnections, innerAnswerBytes } from '../limits.ts'
import { BodyReader } from './body-reader.ts'
import type { Certificate } from './certificate.ts'
import { EngineFailure, failureOf, type FailureReason } from './failure.ts'
import {
  type Description,
  type FixedWindow,
  holdsHeader,
  innerPaths,
  isRun,
  parseDescription,
  parseFixedWindow,
  parseHolds,
  type Question,
  renderQuestion,
  renderRun,
  type Run,
} from './inner-api.ts'
import { type PinnedPeer, pinnedConnector } from './pinned-connector.ts'

/** Undici's connection pool. It is loaded where the first engine is connected: a portal without engines does without. */
export type PoolConstructor = typeof Pool

/** Whom to call, and as whom. */
export interface EngineAddress extends PinnedPeer {
  /** HOST:PORT */
  readonly address: string
  readonly log: string
}

/** The bytes [start, end) of a run, counted in the run, and how many bytes the whole run has. */
export interface Slice extends Run {
  readonly start: number
  readonly end: number
  readonly bytes: number
}

/** Calls one engine. Every method throws `EngineFailure`. */
export class EngineClient {
  readonly address: EngineAddress
  readonly #pool: Pool
  readonly #timeoutMs: number
  readonly #closing = new AbortController()
  #hasAnswered = false

  constructor(PoolOf: PoolConstructor, address: EngineAddress, timeoutMs: number) {
    this.address = address
    this.#timeoutMs = timeoutMs
    this.#pool = new PoolOf(`https://${address.address}`, {
      connections: engineConnections,
      // Ours are shorter where it matters, and exact.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: pinnedConnector(address, timeoutMs, this.#closing.signal),
    })
  }

  /** Asks how the engine is, and tells it which of its certificates this portal trusts. */
  async describe(): Promise<Description> {
    const { certificates, hostName, log } = this.address
    const holds = certificates.map(({ fingerprint }) => fingerprint).join(',')
    const answer = await this.#ask({
      method: 'GET',
      path: innerPaths.description,
      headers: { [holdsHeader]: holds },
    })
    const description = parsed(parseDescription, demandOk(answer))
    if (description.log !== log || description.hostName !== hostName) {
      throw new EngineFailure(
        'answer',
        `its log is not the one that it joined with: it has to join again (annals engines token --replace ${hostName})`,
      )
    }
    return description
  }

  /** Fixes a window or a run. Undefined where the engine has no such run. */
  async fix(question: Question, signal: AbortSignal): Promise<FixedWindow | undefined> {
    const body = renderQuestion(question)
    const headers = { 'content-type': 'application/json' }
    const answer = await this.#ask({ method: 'POST', path: innerPaths.window, headers, body }, signal)
    if (answer.status === 404 && isRun(question.of)) return undefined
    const fixed = parsed(parseFixedWindow, demandOk(answer))
    const { of } = question
    if (fixed.log !== this.address.log || (isRun(of) && (fixed.from !== of.from || fixed.to !== of.to))) {
      throw new EngineFailure('answer')
    }
    return fixed
  }

  /** Announces this portal's next certificate. Returns the fingerprints that the engine trusts from now on. */
  async announce(certificate: Certificate): Promise<readonly string[]> {
    const body = certificate.pem
    const answer = await this.#ask({ method: 'PUT', path: innerPaths.certificate, body })
    return parsed(parseHolds, demandOk(answer))
  }

  /** Opens a slice of a run, and resolves once its head has come and promises exactly those bytes. */
  async open(slice: Slice, signal: AbortSignal): Promise<BodyReader> {
    const { start, end, bytes } = slice
    const range = `bytes=${start}-${end - 1}`
    const path = `${innerPaths.entries}?${renderRun(slice)}`
    const whole = AbortSignal.any([signal, this.#closing.signal])
    const { statusCode, headers, body } = await this.#begin(
      { method: 'GET', path, headers: { range }, highWaterMark: engineBodyBytes },
      whole,
    )
    const reader = new BodyReader(body, end - start, whole, this.#timeoutMs)
    const expected = `bytes ${start}-${end - 1}/${bytes}`
    const isWhole = headers['content-length'] === String(end - start)
    if (statusCode === 206 && headers['content-range'] === expected && isWhole) return reader
    reader.close()
    // 503 may pass; whatever else is not what was asked for will not become it.
    throw new EngineFailure(
      statusCode === 503 ? 'cut' : 'answer',
      `it answered badly, with status ${statusCode}`,
    )
  }

  /** Ends the connections once nothing is under way on them. Nothing more may be asked. */
  async retire(): Promise<void> {
    // Closing it meanwhile is no failure.
    await this.#pool.close().catch(() => undefined)
  }

  /** Breaks off what is under way, and ends the connections. */
  async close(reason: Extract<FailureReason, 'disconnected' | 'cut'>): Promise<void> {
    this.#closing.abort(new EngineFailure(reason))
    await this.#pool.destroy()
  }

  // A connection that was kept may have ended unnoticed, as when the engine was started anew: another one is tried at
  // once, within the same time.
  async #ask(options: Dispatcher.RequestOptions, signal?: AbortSignal): Promise<Answer> {
    const given = signal === undefined ? [] : [signal]
    const limit = AbortSignal.any([...given, this.#closing.signal, AbortSignal.timeout(this.#timeoutMs)])
    try {
      return await this.#exchange(options, limit)
    } catch (error) {
      if (limit.aborted || failureOf(error).reason !== 'cut') throw failureOf(error)
      return await this.#exchange(options, limit).catch((error: unknown) => {
        throw this.#explained(failureOf(error))
      })
    }
  }

  // An engine that does not trust our certificate ends the connection without a word.
  #explained(failure: EngineFailure): EngineFailure {
    if (failure.reason !== 'cut' || this.#hasAnswered) return failure
    return new EngineFailure('cut', 'it ended the connection without an answer: its own log says why', {
      cause: failure.cause,
    })
  }

  async #exchange(options: Dispatcher.RequestOptions, signal: AbortSignal): Promise<Answer> {
    const { statusCode, body } = await this.#request(options, signal)
    this.#hasAnswered = true
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > innerAnswerBytes) throw new EngineFailure('answer', 'it answered at too great length')
      chunks.push(chunk)
    }
    return { status: statusCode, body: Buffer.concat(chunks) }
  }

  // Only the head is to come in time. How long the body takes is its reader's matter, and the signal of a request ends
  // that too.
  async #begin(options: Dispatcher.RequestOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new EngineFailure('timeout')), this.#timeoutMs)
    try {
      return await this.#request(options, AbortSignal.any([signal, late.signal]))
    } finally {
      clearTimeout(timer)
    }
  }

  async #request(options: Dispatcher.RequestOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#pool.request({ ...options, signal })
    } catch (error) {
      throw failureOf(signal.aborted ? signal.reason : error)
    }
  }
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

function demandOk({ status, body }: Answer): Buffer {
  if (status === 200) return body
  if (status === 503) throw new EngineFailure('answer', 'it is starting, stopping or overloaded')
  throw new EngineFailure('answer', `it answered with status ${status}`)
}

function parsed<T>(parse: (body: unknown) => T, body: Buffer): T {
  try {
    return parse(JSON.parse(body.toString()))
  } catch (cause) {
    if (cause instanceof AnnalsError || cause instanceof SyntaxError)
      throw new EngineFailure('answer', undefined, { cause })
    throw cause
  }
}
