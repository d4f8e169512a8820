// Messages in a stream of bytes (RFC 6587), of both ways that there are, told apart for each message by how it begins:
//
//   57 <13>1 …            octet counting: so many bytes follow the space
//   <13>Nov 25 …\n        a newline ends it (or CR LF, or NUL and newline); it can hold none itself
//
// A message that begins with a digit is counted only where `<` follows the count, or where the message before it was
// counted: a text may begin with a number. What stands between messages (newline, CR, NUL) is skipped.

import { isAscii } from 'node:buffer'
import { decodeText } from '../../entry/escape.ts'
import { syslogCountDigits, syslogMessageBytes } from '../../limits.ts'
import { GrowingBytes } from '../growing-bytes.ts'

/** What became of a message before it got here. */
export type Flaw = 'incomplete' | 'truncated'

/** One message as it was sent, without what ends it. Bytes that are no UTF-8 are lone surrogates (`escape.ts`). */
export interface Frame {
  readonly text: string
  readonly bytes: number
  readonly flaw?: Flaw
}

const [newline, carriageReturn, nul, space, less] = [0x0a, 0x0d, 0x00, 0x20, 0x3c]

/** Finds the messages of one connection. */
export class Framer {
  readonly #most: number
  #mode: 'start' | 'counted' | 'line' | 'skip' | 'lost' = 'start'
  #wasCounted = false
  readonly #held = new GrowingBytes()
  // Of a counted message: the bytes that are still to come.
  #missing = 0

  constructor(most: number = syslogMessageBytes) {
    this.#most = most
  }

  /** Bytes of a message that has not ended. */
  get heldBytes(): number {
    return this.#held.length
  }

  /** True once a counted message was longer than there may be: nothing behind its count can be read any more. */
  get isLost(): boolean {
    return this.#mode === 'lost'
  }

  /** The messages that end in the next bytes. */
  push(bytes: Buffer): Frame[] {
    const chunk = new Chunk(this.#mode === 'start' && this.#held.length > 0 ? this.#takeHeld(bytes) : bytes)
    const frames: Frame[] = []
    for (let at = 0; at < chunk.bytes.length;) at = this.#next(chunk, at, frames)
    return frames
  }

  /** What was held when the connection ended, if anything. */
  end(): Frame | undefined {
    const rest = trimmed(this.#takeHeld())
    this.#mode = 'start'
    return rest.length === 0 ? undefined : frameOf(rest, 'incomplete')
  }

  #next(chunk: Chunk, at: number, frames: Frame[]): number {
    switch (this.#mode) {
      case 'start':
        return this.#begin(chunk.bytes, at)
      case 'counted':
        return this.#counted(chunk, at, frames)
      case 'line':
        return this.#line(chunk, at, frames)
      case 'skip':
        return this.#skip(chunk.bytes, at)
      case 'lost':
        return chunk.bytes.length
    }
  }

  #begin(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && isSeparator(bytes[at])) at += 1
    if (at === bytes.length) return at
    const count = readCount(bytes, at, this.#wasCounted)
    if (count === 'undecided') return this.#hold(bytes, at)
    this.#wasCounted = count !== undefined
    this.#missing = count?.value ?? 0
    this.#mode = count === undefined ? 'line' : this.#missing > this.#most ? 'lost' : 'counted'
    return count?.end ?? at
  }

  #counted(chunk: Chunk, at: number, frames: Frame[]): number {
    const end = at + this.#missing
    if (end > chunk.bytes.length) {
      this.#missing = end - chunk.bytes.length
      return this.#hold(chunk.bytes, at)
    }
    this.#emit(chunk, at, end, frames)
    return end
  }

  #line(chunk: Chunk, at: number, frames: Frame[]): number {
    const { bytes } = chunk
    const found = bytes.indexOf(newline, at)
    const end = found === -1 ? bytes.length : found
    if (this.#held.length + (end - at) > this.#most) {
      const cut = at + this.#most - this.#held.length
      frames.push(frameOf(this.#takeHeld(bytes.subarray(at, cut)), 'truncated'))
      this.#mode = 'skip'
      return cut
    }
    if (found === -1) return this.#hold(bytes, at)
    this.#emit(chunk, at, end, frames)
    return end + 1
  }

  #skip(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(newline, at)
    if (end === -1) return bytes.length
    this.#mode = 'start'
    return end + 1
  }

  #emit(chunk: Chunk, from: number, to: number, frames: Frame[]): void {
    this.#mode = 'start'
    const frame =
      this.#held.length > 0
        ? wholeFrame(this.#takeHeld(chunk.bytes.subarray(from, to)))
        : chunk.frame(from, to)
    if (frame.bytes > 0) frames.push(frame)
  }

  // A copy: what is read in one go is not to be kept for its last bytes.
  #hold(bytes: Buffer, from: number): number {
    this.#held.add(bytes.subarray(from))
    return bytes.length
  }

  #takeHeld(more?: Buffer): Buffer {
    if (more !== undefined) this.#held.add(more)
    return this.#held.take()
  }
}

/** The message of a datagram. */
export function frameOfDatagram(bytes: Buffer, flaw?: Flaw): Frame {
  return flaw === undefined ? wholeFrame(bytes) : frameOf(trimmed(bytes), flaw)
}

// What was read in one go: as a rule all of it is ASCII, and becomes text at once.
class Chunk {
  readonly bytes: Buffer
  readonly #text: string | undefined

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.#text = isAscii(bytes) ? bytes.toString('latin1') : undefined
  }

  frame(from: number, to: number): Frame {
    const { bytes } = this
    const end = trimmedEnd(bytes, from, to)
    if (this.#text !== undefined) return { text: this.#text.slice(from, end), bytes: end - from }
    return frameOf(bytes.subarray(from, end))
  }
}

function wholeFrame(bytes: Buffer): Frame {
  return frameOf(trimmed(bytes))
}

function frameOf(bytes: Buffer, flaw?: Flaw): Frame {
  const text = isAscii(bytes) ? bytes.toString('latin1') : decodeText(bytes)
  return flaw === undefined ? { text, bytes: bytes.length } : { text, bytes: bytes.length, flaw }
}

function trimmed(bytes: Buffer): Buffer {
  return bytes.subarray(0, trimmedEnd(bytes, 0, bytes.length))
}

// Senders end a message with NUL, newline, CR LF or NUL and newline, counted or not: one of each is not the message's.
function trimmedEnd(bytes: Buffer, from: number, to: number): number {
  let end = to
  if (end > from && bytes[end - 1] === newline) end -= 1
  if (end > from && bytes[end - 1] === carriageReturn) end -= 1
  if (end > from && bytes[end - 1] === nul) end -= 1
  return end
}

function isSeparator(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn || byte === nul
}

// The count that a message begins with; undefined where it has none; undecided where more has to be seen.
function readCount(
  bytes: Buffer,
  start: number,
  wasCounted: boolean,
): { value: number; end: number } | 'undecided' | undefined {
  const most = Math.min(bytes.length, start + syslogCountDigits)
  let value = 0
  let at = start
  for (; at < most; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < (at === start ? 1 : 0) || digit > 9) break
    value = value * 10 + digit
  }
  if (at === start) return undefined
  if (at === bytes.length) return 'undecided'
  if (bytes[at] !== space) return undefined
  if (wasCounted) return { value, end: at + 1 }
  if (at + 1 === bytes.length) return 'undecided'
  return bytes[at + 1] === less ? { value, end: at + 1 } : undefined
}
