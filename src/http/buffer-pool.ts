// Buffers that answers are sent from. Each is lent to one answer at a time. A few are kept for the next one,
// because the pages of a fresh megabyte cost more than the copy into it; the rest is left to the collector.

/** Lends buffers of one size. How many are out at once is bounded by who asks (`bulkAnswers`). */
export class BufferPool {
  readonly #bytes: number
  readonly #mostIdle: number
  readonly #idle: Buffer[] = []

  constructor(bytes: number, mostIdle: number) {
    this.#bytes = bytes
    this.#mostIdle = mostIdle
  }

  /** A buffer with old bytes in it. */
  lend(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** Takes a buffer back. One that the kernel may still be sending from must be dropped instead. */
  giveBack(buffer: Buffer): void {
    if (this.#idle.length < this.#mostIdle) this.#idle.push(buffer)
  }
}
