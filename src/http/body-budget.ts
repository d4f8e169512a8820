// The bodies of requests that are held in memory at once, over all connections of a face. Who finds no place waits for
// one, in the order of coming. Nobody who waits keeps the others from going on: a body that is wanted whole takes its place
// in one piece, and what a stream holds is given back as soon as it is durable, whether or not the stream gets more.

import { AnnalsError } from '../errors.ts'

/** Bytes that are lent and given back. */
export class BodyBudget {
  #free: number
  readonly #bytes: number
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []

  constructor(bytes: number) {
    this.#free = bytes
    this.#bytes = bytes
  }

  /** Bytes that are lent. */
  get used(): number {
    return this.#bytes - this.#free
  }

  /** Takes bytes at once, or returns false. Whoever waits already goes first. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || this.#free < bytes) return false
    this.#free -= bytes
    return true
  }

  /** Takes bytes, at most all that there are, as soon as they are free. Throws UNAVAILABLE where that takes too long. */
  async take(bytes: number, waitMs: number): Promise<void> {
    if (this.tryTake(bytes)) return
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const place = { bytes, go: () => resolve(true) }
    this.#waiting.push(place)
    const timer = setTimeout(() => resolve(false), waitMs)
    const isTaken = await promise
    clearTimeout(timer)
    if (isTaken) return
    this.#waiting.splice(this.#waiting.indexOf(place), 1)
    // Those behind may be content with less.
    this.#serve()
    throw new AnnalsError(
      'UNAVAILABLE',
      'too many requests with bodies are under way; send this one again later',
    )
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#free += bytes
    if (this.#waiting.length > 0) this.#serve()
  }

  #serve(): void {
    for (
      let first = this.#waiting[0];
      first !== undefined && first.bytes <= this.#free;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#free -= first.bytes
      first.go()
    }
  }
}
