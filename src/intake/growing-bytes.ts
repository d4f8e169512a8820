// Bytes that come in pieces, in one buffer that grows: a sender that sends them one by one must not make us keep a thousand
// times as much.

/** See the head of this file. */
export class GrowingBytes {
  #buffer = Buffer.alloc(0)
  #length = 0

  /** How many there are. */
  get length(): number {
    return this.#length
  }

  /** Adds a piece: a copy of it is kept. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(
        this.#length === 0 ? length : Math.max(length, 2 * this.#buffer.length),
      )
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length = length
  }

  /** All of them, which are not kept any more. */
  take(): Buffer {
    const all = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
    return all
  }
}
