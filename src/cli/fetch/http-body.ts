// The body of an answer as it comes in. A stream would throw away what it holds when the connection breaks; here every
// byte that came is handed on before the break is told, so that a download goes on behind the last byte that arrived.

import { fetchQueueBytes } from '../../limits.ts'

/** How the body holds its source back, and lets go of it. */
export interface BodySource {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

/** Bytes that are read once. Whoever stops reading before the end, or never begins, destroys it. */
export class HttpBody implements AsyncIterable<Buffer> {
  readonly #source: BodySource
  #chunks: Buffer[] = []
  #queuedBytes = 0
  #isPaused = false
  #end: { readonly error: Error | undefined } | undefined
  #wake: () => void = () => undefined

  constructor(source: BodySource) {
    this.#source = source
  }

  /** The next bytes have come. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#queuedBytes += chunk.length
    if (this.#queuedBytes >= fetchQueueBytes && !this.#isPaused) {
      this.#isPaused = true
      this.#source.pause()
    }
    this.#wake()
  }

  /** No more will come: in order, or because of an error. */
  end(error?: Error): void {
    this.#end ??= { error }
    this.#wake()
  }

  /** Lets go of the connection where the end has not come. */
  destroy(): void {
    if (this.#end === undefined) this.#source.abort(new Error('nobody reads the answer any more'))
    this.#chunks = []
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        yield* this.#take()
        if (this.#chunks.length > 0) continue
        if (this.#end?.error !== undefined) throw this.#end.error
        if (this.#end !== undefined) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.destroy()
    }
  }

  #take(): Buffer[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#queuedBytes = 0
    if (this.#isPaused) {
      this.#isPaused = false
      this.#source.resume()
    }
    return chunks
  }
}
