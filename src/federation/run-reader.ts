// A run of an engine's entries as bytes to read, over as many connections as it takes: what breaks off is resumed at the
// byte where it stopped, until that has not succeeded for too long (I8). Entries never change (I2), so the rest is
// what it would have been.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { engineRetryMostMs, engineRetryMs } from '../limits.ts'
import type { SnapshotReader } from '../log/audit-log.ts'
import type { Slice } from './engine-client.ts'
import { EngineFailure, failureOf, unreachable } from './failure.ts'

/** The bytes of a slice, in order. */
export interface Body {
  /** Fills the start of `target` with at least one byte, and returns how many. Throws `EngineFailure`. */
  read(target: Uint8Array): Promise<number>
  /** Ends it, wherever it is. */
  close(): void
}

/** What a reader needs of an engine. */
export interface RunSource {
  readonly hostName: string
  /** Opens a slice. Throws `EngineFailure`. */
  open(slice: Slice, signal: AbortSignal): Promise<Body>
  /** Told of every failure, and of every transfer that went on after one. */
  failed(failure: EngineFailure): void
  resumed(): void
}

/**
 * Reads the slice in order. Throws UNREACHABLE_ENGINE where the engine has not gone on within `resumeMs`, and the reason
 * of `signal` where nobody waits any more.
 */
export class RunReader implements SnapshotReader {
  readonly #source: RunSource
  readonly #slice: Slice
  readonly #resumeMs: number
  readonly #gone = new AbortController()
  readonly #signal: AbortSignal
  #body: Promise<Body> | undefined
  #offset: number
  #isBroken = false

  constructor(source: RunSource, slice: Slice, signal: AbortSignal, resumeMs: number) {
    this.#source = source
    this.#slice = slice
    this.#resumeMs = resumeMs
    this.#offset = slice.start
    this.#signal = AbortSignal.any([signal, this.#gone.signal])
  }

  /** Asks for the bytes before anybody wants them. A failure shows in the first read. */
  openAhead(): void {
    this.#body ??= this.#open()
    this.#body.catch(() => undefined)
  }

  /** Bytes that are still to be read. */
  get left(): number {
    return this.#slice.end - this.#offset
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    assert.equal(offset, this.#offset, 'a run of an engine is read in order')
    const wanted = target.subarray(0, Math.min(target.length, this.left))
    let deadline: number | undefined
    for (let pauseMs = engineRetryMs; ; pauseMs = Math.min(2 * pauseMs, engineRetryMostMs)) {
      try {
        this.#body ??= this.#open()
        const body = await this.#body
        const filled = await body.read(wanted)
        this.#offset += filled
        this.#noteResumed()
        return filled
      } catch (error) {
        // From the first failure on: a stall has taken its time before.
        deadline ??= performance.now() + this.#resumeMs
        await this.#retry(failureOf(error), pauseMs, deadline)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A request that has not been answered whole is cancelled.
    if (this.left > 0) this.#gone.abort(new EngineFailure('cut'))
    await this.#drop()
  }

  #open(): Promise<Body> {
    return this.#source.open({ ...this.#slice, start: this.#offset }, this.#signal)
  }

  async #retry(failure: EngineFailure, pauseMs: number, deadline: number): Promise<void> {
    await this.#drop()
    // Nobody waits for it any more: that is no failure of the engine's.
    if (this.#signal.aborted) throw this.#signal.reason
    this.#source.failed(failure)
    this.#isBroken = true
    if (!failure.isPassing || performance.now() + pauseMs >= deadline) {
      throw unreachable(this.#source.hostName, failure)
    }
    // Cut short where nobody waits any more; the next turn finds that out.
    await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => undefined)
  }

  #noteResumed(): void {
    if (this.#isBroken) this.#source.resumed()
    this.#isBroken = false
  }

  async #drop(): Promise<void> {
    const body = this.#body
    this.#body = undefined
    await body?.then(
      (reader) => reader.close(),
      () => undefined,
    )
  }
}
