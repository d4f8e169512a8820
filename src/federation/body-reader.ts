// The body of an engine's answer, from undici's stream into the buffers of whoever reads it. Nothing is read that was
// not asked for, so that a slow reader slows the engine down (R7).

import type { Readable } from 'node:stream'
import { EngineFailure, failureOf } from './failure.ts'

/** Reads a body in order. Close it when it is not read to its end. */
export class BodyReader {
  readonly #body: Readable
  readonly #signal: AbortSignal
  readonly #stallMs: number
  #left: Buffer | undefined
  #bytesLeft: number
  #wake: (() => void) | undefined
  #failure: EngineFailure | undefined
  #isEnded = false
  readonly #onAbort = () => this.#fail(failureOf(this.#signal.reason))

  /** `bytes`: how many were promised. `stallMs`: how long a read may wait for the next one. */
  constructor(body: Readable, bytes: number, signal: AbortSignal, stallMs: number) {
    this.#body = body
    this.#bytesLeft = bytes
    this.#signal = signal
    this.#stallMs = stallMs
    const wake = () => this.#wake?.()
    body.on('readable', wake)
    body.on('end', () => {
      this.#isEnded = true
      wake()
    })
    body.on('error', (error) => this.#fail(failureOf(error)))
    body.on('close', () => {
      if (!this.#isEnded) this.#fail(new EngineFailure('cut'))
    })
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.#onAbort()
  }

  /** Fills the start of `target` with at least one byte, and returns how many. Throws `EngineFailure`. */
  async read(target: Uint8Array): Promise<number> {
    for (;;) {
      const taken = this.#take(target)
      if (taken > 0) return taken
      if (this.#failure !== undefined) throw this.#failure
      // Its length was promised, and whoever reads asks for no more than that.
      if (this.#isEnded) throw new EngineFailure('cut')
      await this.#wait()
    }
  }

  /** Ends it, wherever it is. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#failure ??= new EngineFailure('cut')
    this.#left = undefined
    // A body that was read whole runs to its end, which gives the connection back; anything else ends the connection.
    if (this.#bytesLeft === 0) this.#body.resume()
    else this.#body.destroy()
  }

  #take(target: Uint8Array): number {
    let filled = 0
    while (filled < target.length) {
      const chunk = this.#left ?? (this.#body.read() as Buffer | null)
      if (chunk === null) break
      const taken = chunk.copy(target, filled)
      this.#left = taken < chunk.length ? chunk.subarray(taken) : undefined
      filled += taken
    }
    this.#bytesLeft -= filled
    return filled
  }

  async #wait(): Promise<void> {
    const timer = setTimeout(() => this.#fail(new EngineFailure('stalled')), this.#stallMs)
    try {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    } finally {
      clearTimeout(timer)
      this.#wake = undefined
    }
  }

  #fail(failure: EngineFailure): void {
    this.#failure ??= failure
    this.#body.destroy()
    this.#wake?.()
  }
}
