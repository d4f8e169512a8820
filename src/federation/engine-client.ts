// One engine, as its portal calls it: mutual TLS 1.3, both certificates pinned, a bound on every answer and a time limit
// on every question. Closing it, because an administrator disconnected the engine or because the portal ends, breaks
// whatever is under way.

import { AnnalsError } from '../errors.ts'
import { innerAnswerBytes, innerPublishedBytes, shownCheckpointMs } from '../limits.ts'
import { parseAddress } from './address.ts'
import type { Certificate } from './certificate.ts'
import type { Asked } from './engine-socket.ts'
import { type Answer, EngineSockets } from './engine-sockets.ts'
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
  parsePortalKeys,
  parseTokens,
  type Question,
  renderQuestion,
  renderRun,
  type Run,
} from './inner-api.ts'
import { type PinnedPeer, pinnedConnector } from './pinned-connector.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { witnessPath } from './witness/witness-peer.ts'

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
  readonly #sockets: EngineSockets
  readonly #timeoutMs: number
  #hasAnswered = false

  constructor(address: EngineAddress, timeoutMs: number, buffers: ReadBuffers) {
    this.address = address
    this.#timeoutMs = timeoutMs
    // Whoever joined with an address that is none is found at none.
    const place = parseAddress(address.address) ?? { host: 'invalid', port: 1 }
    this.#sockets = new EngineSockets(pinnedConnector(address, place), address.address, timeoutMs, buffers)
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

  /** Tells the engine of access tokens (`token-trust.ts`). Returns the hash of what it knows from now on. */
  async tell(body: string): Promise<string> {
    const answer = await this.#ask({ method: 'PUT', path: innerPaths.tokens, body })
    return parsed(parseTokens, demandOk(answer))
  }

  /** Tells the engine the portal's keys (`node-keys.ts`). Returns the hash of those that it knows from now on. */
  async tellKeys(body: string): Promise<string> {
    const answer = await this.#ask({ method: 'PUT', path: innerPaths.keys, body })
    return parsed(parsePortalKeys, demandOk(answer))
  }

  /** Asks the engine's witness to cosign a checkpoint (C2SP tlog-witness). */
  async addCheckpoint(body: string): Promise<SmallAnswer> {
    return await this.#ask({ method: 'POST', path: `${witnessPath}/add-checkpoint`, body })
  }

  /** The latest checkpoint of a log that the engine's witness cosigned. Undefined where it has cosigned none. */
  async witnessed(originHash: string): Promise<string | undefined> {
    const answer = await this.#ask({ method: 'GET', path: `${witnessPath}/${originHash}/checkpoint` })
    return answer.status === 404 ? undefined : demandOk(answer).toString()
  }

  /** A file that the engine's log publishes, by its path there. Undefined where there is none such. Throws UNAVAILABLE too. */
  async published(path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    const asked = { method: 'GET', path: `${innerPaths.published}/${path}` } as const
    const answer = await this.#ask(asked, signal, innerPublishedBytes)
    if (answer.status === 503)
      throw new AnnalsError('UNAVAILABLE', 'the engine has no such checkpoint yet: try again later', {
        retryAfterSeconds: shownCheckpointMs / 1000,
      })
    return answer.status === 404 ? undefined : demandOk(answer)
  }

  /** Opens a slice of a run, and resolves once its head has come and promises exactly those bytes. */
  async open(slice: Slice, signal: AbortSignal): Promise<Answer> {
    const { start, end, bytes } = slice
    const range = `bytes=${start}-${end - 1}`
    const path = `${innerPaths.entries}?${renderRun(slice)}`
    const answer = await this.#sockets.ask({ method: 'GET', path, headers: { range } }, signal)
    const expected = `bytes ${start}-${end - 1}/${bytes}`
    const isWhole = answer.headers.get('content-range') === expected && answer.bytes === end - start
    if (answer.status === 206 && isWhole) return answer
    answer.close()
    // 503 may pass; whatever else is not what was asked for will not become it.
    throw new EngineFailure(
      answer.status === 503 ? 'cut' : 'answer',
      `it answered badly, with status ${answer.status}`,
    )
  }

  /** Ends the connections once nothing is under way on them. Nothing more may be asked. */
  async retire(): Promise<void> {
    await this.#sockets.retire()
  }

  /** Breaks off what is under way, and ends the connections. */
  close(reason: Extract<FailureReason, 'disconnected' | 'cut'>): void {
    this.#sockets.close(new EngineFailure(reason))
  }

  async #ask(asked: Asked, signal?: AbortSignal, mostBytes = innerAnswerBytes): Promise<SmallAnswer> {
    // For the whole answer: one that comes a byte at a time is none.
    const late = AbortSignal.timeout(this.#timeoutMs)
    try {
      const limit = signal === undefined ? late : AbortSignal.any([signal, late])
      const answer = await this.#sockets.ask(asked, limit)
      this.#hasAnswered = true
      return await wholeOf(answer, mostBytes)
    } catch (error) {
      throw this.#explained(failureOf(error))
    }
  }

  // An engine that does not trust our certificate ends the connection without a word.
  #explained(failure: EngineFailure): EngineFailure {
    if (failure.reason !== 'cut' || this.#hasAnswered) return failure
    return new EngineFailure('cut', 'it ended the connection without an answer: its own log says why', {
      cause: failure.cause,
    })
  }
}

interface SmallAnswer {
  readonly status: number
  readonly body: Buffer
}

async function wholeOf(answer: Answer, mostBytes: number): Promise<SmallAnswer> {
  const { status, bytes = Number.POSITIVE_INFINITY } = answer
  try {
    // What a refusal says is of no interest, but for the size that a witness saw last.
    if (status !== 200 && status !== 409) return { status, body: Buffer.alloc(0) }
    if (bytes > mostBytes) throw new EngineFailure('answer', 'it answered at too great length')
    const body = Buffer.allocUnsafe(bytes)
    for (let filled = 0; filled < bytes;) filled += await answer.read(body.subarray(filled))
    return { status, body }
  } finally {
    answer.close()
  }
}

function demandOk({ status, body }: SmallAnswer): Buffer {
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
