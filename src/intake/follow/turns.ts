// Only so many files are read at the same moment. The others wait for their turn, first come, first served: a file with
// a day's lines to catch up with does not keep the others waiting for longer than it takes to read a piece of it.

/** Turns, each with a buffer. */
export class Turns {
  readonly #free: Buffer[] = []
  readonly #waiting: ((buffer: Buffer) => void)[] = []
  readonly #bytes: number
  #unmade: number

  /** So many at once, with buffers of so many bytes, which are made when they are needed. */
  constructor(count: number, bytes: number) {
    this.#unmade = count
    this.#bytes = bytes
  }

  /** Does `work` when its turn has come. The buffer is its own until it is done. */
  async take<T>(work: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = this.#next() ?? (await new Promise<Buffer>((resolve) => this.#waiting.push(resolve)))
    try {
      return await work(buffer)
    } finally {
      const first = this.#waiting.shift()
      if (first === undefined) this.#free.push(buffer)
      else first(buffer)
    }
  }

  #next(): Buffer | undefined {
    if (this.#free.length > 0) return this.#free.pop()
    if (this.#unmade === 0) return undefined
    this.#unmade -= 1
    return Buffer.allocUnsafeSlow(this.#bytes)
  }
}
