// Standard output as the place for a log. What has been written cannot be taken back, so a download that must start
// over is compared with it and written only from where it is new: no byte comes out twice, and none of another log
// behind it.

import { createHash, type Hash } from 'node:crypto'
import { AnnalsError } from '../../errors.ts'
import { isFull } from '../../store/disk.ts'
import type { Output } from '../surroundings.ts'
import type { Source } from './beginning.ts'
import { countLines, type Destination, shareOf } from './destination.ts'

/** Makes it. */
export function outputDestination(output: Output): Destination {
  return new OutputDestination(output)
}

class OutputDestination implements Destination {
  readonly #output: Output
  #source: Source | undefined
  #bytes = 0
  #lines = 0
  #writtenBytes = 0
  // Of what was written.
  readonly #writtenHash: Hash = createHash('sha256')
  // Of what has come again, while that is less than what was written.
  #againHash: Hash | undefined

  constructor(output: Output) {
    this.#output = output
  }

  get bytes(): number {
    return this.#bytes
  }

  get source(): Source | undefined {
    return this.#source
  }

  get lines(): number {
    return this.#lines
  }

  startOver(source: Source): Promise<void> {
    this.#source = source
    this.#bytes = 0
    this.#againHash = this.#writtenBytes === 0 ? undefined : createHash('sha256')
    return Promise.resolve()
  }

  async write(bytes: Buffer): Promise<void> {
    const again = Math.min(bytes.length, this.#writtenBytes - this.#bytes)
    if (again > 0) this.#compare(bytes.subarray(0, again))
    if (again < bytes.length) await this.#put(bytes.subarray(again))
  }

  async finish(): Promise<void> {
    if (this.#bytes < this.#writtenBytes) throw changed()
  }

  rest(): string {
    return `${shareOf(this.#writtenBytes, this.#source)} were written to standard output`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever gave it to us closes it.
  }

  #compare(bytes: Buffer): void {
    this.#againHash?.update(bytes)
    this.#bytes += bytes.length
    if (this.#bytes < this.#writtenBytes) return
    const isSame = this.#againHash?.digest('hex') === this.#writtenHash.copy().digest('hex')
    this.#againHash = undefined
    if (!isSame) throw changed()
  }

  async #put(bytes: Buffer): Promise<void> {
    await written(this.#output, bytes)
    this.#writtenHash.update(bytes)
    this.#lines += countLines(bytes)
    this.#bytes += bytes.length
    this.#writtenBytes = this.#bytes
  }
}

function changed(): AnnalsError {
  return new AnnalsError(
    'UNAVAILABLE',
    'the connection broke, and what the server answers now does not begin with what was written before: ' +
      'start again, with --output FILE or a window whose end lies in the past',
  )
}

function written(output: Output, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => {
      if (error === undefined || error === null) return resolve()
      const code = isFull(error) ? 'STORAGE_FULL' : 'STORAGE_FAILED'
      reject(new AnnalsError(code, `standard output cannot be written: ${error.message}`, { cause: error }))
    })
  })
}
