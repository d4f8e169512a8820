// NDJSON that comes in chunks: whole lines as soon as they are there, and no copy of more than what a chunk's end has cut.

import { isUtf8 } from 'node:buffer'
import { AnnalsError } from '../errors.ts'
import { GrowingBytes } from '../intake/growing-bytes.ts'

const newline = 0x0a

/** Cuts chunks at newlines. Bytes must stay as they are until the next chunk has been added. */
export class WholeLines {
  readonly #lineBytes: number
  readonly #rest = new GrowingBytes()
  #blankBytes = 0

  /** `lineBytes` bounds a line, and a run of blank ones. */
  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes
  }

  /** The lines that a chunk completes, as bytes that end with a newline. Throws BODY_TOO_LARGE where one has no end. */
  add(chunk: Uint8Array): Buffer | undefined {
    const end = chunk.lastIndexOf(newline) + 1
    if (end === 0) {
      this.#keep(chunk)
      return undefined
    }
    const whole = chunk.subarray(0, end)
    const lines = this.#rest.length === 0 ? asBuffer(whole) : this.#joined(whole)
    if (end < chunk.byteLength) this.#keep(chunk.subarray(end))
    return this.#noted(lines)
  }

  /** The last line, where it has no newline. */
  end(): Buffer | undefined {
    return this.#rest.length === 0 ? undefined : this.#rest.take()
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.add(bytes)
    if (this.#rest.length > this.#lineBytes) throw endless(`a line is longer than ${this.#lineBytes} bytes`)
  }

  #joined(whole: Uint8Array): Buffer {
    this.#rest.add(whole)
    return this.#rest.take()
  }

  // Blank lines are nothing, and no client has a reason to send us a lot of it: compressed, it costs it nothing either.
  #noted(lines: Buffer): Buffer {
    this.#blankBytes = isBlank(lines) ? this.#blankBytes + lines.byteLength : 0
    if (this.#blankBytes > this.#lineBytes)
      throw endless(`there are more than ${this.#lineBytes} bytes of blank lines`)
    return lines
  }
}

function endless(problem: string): AnnalsError {
  return new AnnalsError(
    'BODY_TOO_LARGE',
    `${problem}: expected one JSON object a line; what follows was not read`,
  )
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function isBlank(lines: Buffer): boolean {
  // Almost always the first byte decides.
  for (const byte of lines) if (byte > 0x20) return false
  return true
}

/** The text of each line that is not blank; undefined for one that is not UTF-8. */
export function* textsOf(lines: Buffer): Generator<string | undefined> {
  if (!isUtf8(lines)) return yield* textsOfEach(lines)
  const text = lines.toString()
  for (let start = 0; start < text.length;) {
    const at = text.indexOf('\n', start)
    const end = at === -1 ? text.length : at
    // A brace begins almost every line.
    if (text.charCodeAt(start) > 0x20 || text.slice(start, end).trim() !== '') yield text.slice(start, end)
    start = end + 1
  }
}

function* textsOfEach(lines: Buffer): Generator<string | undefined> {
  for (let start = 0; start < lines.byteLength;) {
    const at = lines.indexOf(newline, start)
    const end = at === -1 ? lines.byteLength : at
    const line = lines.subarray(start, end)
    if (isUtf8(line)) yield* textsOf(line)
    else yield undefined
    start = end + 1
  }
}
