// How the body of an instance's answer ends (RFC 9112 section 6.3): there is none, it has so many bytes, or it comes in
// chunks. A body that ends with the connection is refused: nobody could tell it from one that was cut short (R6).

import { instanceChunkLineBytes } from '../limits.ts'
import { InstanceSilent } from './silence.ts'

/** A body that is coming. */
export interface AnswerBody {
  /** How many bytes it has, where the head says so. */
  readonly bytes: number | undefined
  readonly isOver: boolean
  /**
   * Takes what has come, and tells which of it is content, in order. Throws `InstanceSilent` where it is not what the head
   * promised, or goes on behind its end.
   */
  take(bytes: Uint8Array, content: (part: Uint8Array) => void): void
}

/** The body that follows a head. `field` gives the values of a header. Throws `InstanceSilent` where that is not clear. */
export function bodyOf(
  method: string,
  status: number,
  field: (name: string) => readonly string[],
): AnswerBody {
  const [codings, lengths] = [field('transfer-encoding'), field('content-length')]
  if (method === 'HEAD' || status === 204 || status === 304) return new CountedBody(0)
  if (codings.length === 1 && lengths.length === 0 && codings[0]?.toLowerCase() === 'chunked')
    return new ChunkedBody()
  const [length = ''] = lengths
  if (codings.length > 0 || lengths.length !== 1 || !/^[0-9]{1,15}$/.test(length))
    throw new InstanceSilent('answer')
  return new CountedBody(Number(length))
}

class CountedBody implements AnswerBody {
  readonly bytes: number
  #left: number

  constructor(bytes: number) {
    this.bytes = bytes
    this.#left = bytes
  }

  get isOver(): boolean {
    return this.#left === 0
  }

  take(bytes: Uint8Array, content: (part: Uint8Array) => void): void {
    if (bytes.length > this.#left) throw new InstanceSilent('answer')
    this.#left -= bytes.length
    content(bytes)
  }
}

// RFC 9112 section 7.1. Nobody of ours sends trailers.
class ChunkedBody implements AnswerBody {
  readonly bytes = undefined
  #awaited: 'size' | 'content' | 'end of content' | 'end' | 'nothing' = 'size'
  #left = 0
  // As far as it has come.
  #line = ''

  get isOver(): boolean {
    return this.#awaited === 'nothing'
  }

  take(bytes: Uint8Array, content: (part: Uint8Array) => void): void {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#awaited === 'nothing') throw new InstanceSilent('answer')
      rest = this.#awaited === 'content' ? this.#takeContent(rest, content) : this.#takeLine(rest)
    }
  }

  #takeContent(bytes: Uint8Array, content: (part: Uint8Array) => void): Uint8Array {
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    if (this.#left === 0) this.#awaited = 'end of content'
    content(part)
    return bytes.subarray(part.length)
  }

  #takeLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(newline)
    const part = end === -1 ? bytes : bytes.subarray(0, end + 1)
    if (this.#line.length + part.length > instanceChunkLineBytes) throw new InstanceSilent('answer')
    this.#line += Buffer.from(part).toString('latin1')
    if (end !== -1) this.#lineCame()
    return bytes.subarray(part.length)
  }

  #lineCame(): void {
    const line = this.#line
    this.#line = ''
    if (this.#awaited === 'size') {
      const [, size] = /^([0-9a-f]{1,12})(?:[ \t]*;[^\r\n]*)?\r\n$/i.exec(line) ?? []
      if (size === undefined) throw new InstanceSilent('answer')
      this.#left = Number.parseInt(size, 16)
      this.#awaited = this.#left === 0 ? 'end' : 'content'
      return
    }
    if (line !== '\r\n') throw new InstanceSilent('answer')
    this.#awaited = this.#awaited === 'end' ? 'nothing' : 'size'
  }
}

const newline = 0x0a
