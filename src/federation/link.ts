// A connected engine while the portal runs: the client that calls it, and what the last calls came to. The client is
// replaced when the engine, its certificates or the portal's own change; what is under way on the old one goes on, but
// for an engine that was disconnected.

import type { Micros } from '../entry/event.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { shownCheckpointMs } from '../limits.ts'
import type { KeyPair } from './certificate.ts'
import type { Engine } from './engine.ts'
import { EngineClient } from './engine-client.ts'
import { engineRunOf, type EngineRun } from './engine-run.ts'
import { EngineFailure, failureOf, type FailureReason, unreachable } from './failure.ts'
import type { Question } from './inner-api.ts'
import type { ReadBuffers } from './read-buffers.ts'

/** What every link of a portal is made with. */
export interface LinkParts {
  readonly buffers: ReadBuffers
  readonly timeoutMs: number
  readonly resumeMs: number
  readonly metrics: EngineMetrics
}

/** What the federation counts. The numbers are kept by `ops/`. */
export interface EngineMetrics {
  /** A call to an engine failed. */
  failed(reason: FailureReason): void
  /** A transfer that an engine had broken off went on. */
  resumed(): void
}

/** One engine. */
export class Link {
  engine: Engine
  /** When it is to be called next, and whether a call is under way; the portal's monitor keeps both. */
  dueMs = 0
  isCalled = false
  /** What was last kept of it in the registry. */
  keptMs = Number.NEGATIVE_INFINITY
  /** Why it does not answer, as was last kept; undefined where it does. */
  failure: string | undefined
  /** The hash of what it knows of access tokens, by its own last word; undefined where it has said nothing of them. */
  tokens: string | undefined
  /** When it is told of them again, after it could not be told. */
  tokensDueMs = 0
  /** The last difference of its clock to the portal's. */
  clockOffsetMicros: Micros | undefined
  readonly #parts: LinkParts
  #client: EngineClient
  // Those before it that still have something under way.
  readonly #retired = new Set<EngineClient>()
  #isClosed = false
  readonly #shown = new Map<string, { readonly file: Promise<Buffer>; readonly untilMs: number }>()

  constructor(parts: LinkParts, engine: Engine, identity: KeyPair) {
    this.#parts = parts
    this.engine = engine
    this.failure = engine.unreachable?.reason
    this.#client = clientOf(parts, engine, identity)
  }

  get hostName(): string {
    return this.engine.hostName
  }

  /** The id of its log. */
  get log(): string {
    return this.engine.log
  }

  get client(): EngineClient {
    return this.#client
  }

  /** Takes over what the registry says of the engine now, and which certificate it is to be shown. */
  update(engine: Engine, identity: KeyPair): void {
    this.engine = engine
    const next = addressOf(engine, identity)
    if (keyOf(next) === keyOf(this.#client.address)) return
    const old = this.#client
    this.#client = clientOf(this.#parts, engine, identity)
    this.#retired.add(old)
    void old.retire().then(() => this.#retired.delete(old))
  }

  /**
   * Fixes a window or a run. Undefined where the engine has no such run. Throws UNREACHABLE_ENGINE, or the reason of
   * `signal` where nobody waits any more.
   */
  async fix(question: Question, signal: AbortSignal): Promise<EngineRun | undefined> {
    try {
      const fixed = await this.#client.fix(question, signal)
      // Its answer may have come from before an administrator took it out.
      if (this.#isClosed) throw new EngineFailure('disconnected')
      return fixed && engineRunOf(this.#source(), fixed, this.#parts.resumeMs)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const failure = failureOf(error)
      this.noteFailure(failure)
      throw unreachable(this.hostName, failure)
    }
  }

  /** A file that its log publishes. Throws NOT_FOUND, UNAVAILABLE and UNREACHABLE_ENGINE. */
  async published(path: string): Promise<Buffer> {
    let file: Buffer | undefined
    try {
      file = await this.#client.published(path)
    } catch (error) {
      if (isAnnalsError(error, 'UNAVAILABLE')) throw error
      const failure = failureOf(error)
      this.noteFailure(failure)
      throw unreachable(this.hostName, failure)
    }
    if (file !== undefined) return file
    throw new AnnalsError('NOT_FOUND', 'this log has no such checkpoint, tile, entry or read')
  }

  /** Its latest checkpoint, which may be a second old: everybody may ask for it, and the engine is asked once. */
  checkpoint(): Promise<Buffer> {
    return this.#show('checkpoint')
  }

  /** Its log's keys, likewise. */
  keys(): Promise<Buffer> {
    return this.#show('keys')
  }

  #show(path: string): Promise<Buffer> {
    const known = this.#shown.get(path)
    if (known !== undefined && performance.now() < known.untilMs) return known.file
    const file = this.published(path)
    this.#shown.set(path, { file, untilMs: performance.now() + shownCheckpointMs })
    return file
  }

  /** Counts a failure, and has the engine called at the next occasion. */
  noteFailure({ reason }: EngineFailure): void {
    this.#parts.metrics.failed(reason)
    this.dueMs = 0
  }

  /** Breaks off whatever is under way. */
  close(reason: 'disconnected' | 'cut'): void {
    this.#isClosed = true
    for (const client of [this.#client, ...this.#retired]) client.close(reason)
  }

  #source() {
    return {
      hostName: this.hostName,
      open: async (...of: Parameters<EngineClient['open']>) => {
        if (this.#isClosed) throw new EngineFailure('disconnected')
        return await this.#client.open(...of)
      },
      failed: (failure: EngineFailure) => this.noteFailure(failure),
      resumed: () => this.#parts.metrics.resumed(),
    }
  }
}

function clientOf({ timeoutMs, buffers }: LinkParts, engine: Engine, identity: KeyPair): EngineClient {
  return new EngineClient(addressOf(engine, identity), timeoutMs, buffers)
}

function addressOf(engine: Engine, identity: KeyPair): EngineClient['address'] {
  const { address, hostName, log, certificate, nextCertificate } = engine
  const certificates = nextCertificate === undefined ? [certificate] : [certificate, nextCertificate]
  return { address, hostName, log, certificates, identity }
}

function keyOf({ address, log, certificates, identity }: EngineClient['address']): string {
  const shown = [...certificates, identity.certificate].map(({ fingerprint }) => fingerprint)
  return [address, log, ...shown].join(' ')
}
