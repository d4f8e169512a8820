// The bodies of requests that are held in memory at once, over all connections of a face. Who finds no place waits for
// one, in the order of coming; but nobody holds more than half of it all, so that a caller with a thousand connections
// takes no place from the others. What a stream holds is given back as soon as it is durable, whether or not it gets more.

import { AnnalsError } from '../errors.ts'

interface Waiting {
  readonly caller: string
  readonly bytes: number
  readonly go: () => void
}

/** Bytes that are lent and given back. */
export class BodyBudget {
  #free: number
  readonly #bytes: number
  readonly #waitMs: number
  readonly #held = new Map<string, number>()
  readonly #waiting: Waiting[] = []

  /** So many bytes in all, for which a caller waits so long at the most. */
  constructor(bytes: number, waitMs: number) {
    this.#free = bytes
    this.#bytes = bytes
    this.#waitMs = waitMs
  }

  /** Bytes that are lent. */
  get used(): number {
    return this.#bytes - this.#free
  }

  /** What one request of a caller will hold. */
  lease(caller: string): BodyLease {
    return new BodyLease(this, caller)
  }

  /** Takes bytes as soon as there is a place for them. Throws UNAVAILABLE where that takes too long. */
  async take(caller: string, bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && bytes <= this.#free && this.#mayHold(caller, bytes))
      return this.#lend(caller, bytes)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const place = { caller, bytes, go: () => resolve(true) }
    this.#waiting.push(place)
    this.#serve()
    const timer = setTimeout(() => resolve(false), this.#waitMs)
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
  give(caller: string, bytes: number): void {
    const left = (this.#held.get(caller) ?? 0) - bytes
    if (left > 0) this.#held.set(caller, left)
    else this.#held.delete(caller)
    this.#free += bytes
    if (this.#waiting.length > 0) this.#serve()
  }

  // In order, but for those who hold enough already. A large one is not passed for ever: nobody behind it goes first.
  #serve(): void {
    for (let k = 0; k < this.#waiting.length;) {
      const place = this.#waiting[k]
      if (place === undefined) return
      if (this.#mayHold(place.caller, place.bytes)) {
        if (place.bytes > this.#free) return
        this.#waiting.splice(k, 1)
        this.#lend(place.caller, place.bytes)
        place.go()
      } else k += 1
    }
  }

  #mayHold(caller: string, bytes: number): boolean {
    return (this.#held.get(caller) ?? 0) + bytes <= this.#bytes / 2
  }

  #lend(caller: string, bytes: number): void {
    this.#held.set(caller, (this.#held.get(caller) ?? 0) + bytes)
    this.#free -= bytes
  }
}

/** What one request holds. Disposed, it gives all of it back. */
export class BodyLease implements Disposable {
  readonly #budget: BodyBudget
  readonly #caller: string
  #bytes = 0

  constructor(budget: BodyBudget, caller: string) {
    this.#budget = budget
    this.#caller = caller
  }

  /** As `BodyBudget.take`. */
  async take(bytes: number): Promise<void> {
    await this.#budget.take(this.#caller, bytes)
    this.#bytes += bytes
  }

  /** Gives some of it back. */
  give(bytes: number): void {
    this.#bytes -= bytes
    this.#budget.give(this.#caller, bytes)
  }

  [Symbol.dispose](): void {
    this.give(this.#bytes)
  }
}
