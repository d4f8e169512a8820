// Messages in a stream of bytes (RFC 6587), of both ways that there are:
//
//   57 <13>1 …            octet counting: so many bytes follow the space
//   <13>Nov 25 …\n        a newline ends it (or CR LF, or NUL alone); it can hold none itself
//
// How its first message begins tells the ways of a connection apart: it is counted where it begins with a number and `<`
// behind that, for a text may begin with a number. Where it is not, no message of the connection is: a text with a newline
// in it could pass for a count otherwise. Behind a counted message stands the next count, or `<`; anything else means
// that the counts are wrong, and then nothing behind them can be found any more. What stands between messages (newline,
// CR, NUL) is skipped.

import { isAscii } from 'node:buffer'
import { decodeText } from '../../entry/escape.ts'
import { syslogCountDigits, syslogMessageBytes } from '../../limits.ts'
import { GrowingBytes } from '../growing-bytes.ts'

/** What became of a message before it got here. */
export type Flaw = 'incomplete' | 'truncated'

/** Why nothing more of a connection can be read: a count beyond the bound, or no end or beginning where one has to be. */
export type Derailment = 'too-long' | 'framing'

/** One message as it was sent, without what ends it. Bytes that are no UTF-8 are lone surrogates (`escape.ts`). */
export interface Frame {
  readonly text: string
  readonly bytes: number
  readonly flaw?: Flaw
}

const [newline, carriageReturn, nul, space, less] = [0x0a, 0x0d, 0x00, 0x20, 0x3c]
const none = Buffer.alloc(0)

/** Finds the messages of one connection. */
export class Framer {
  readonly #most: number
  #mode: 'start' | 'counted' | 'line' | 'skip' = 'start'
  #derailment: Derailment | undefined
  // How the first message was told; undefined before it.
  #isByLine: boolean | undefined
  #wasCounted = false
  #chunk = new Chunk(none)
  #at = 0
  #found: Frame | undefined
  readonly #held = new GrowingBytes()
  // Of a counted message: the bytes that are still to come.
  #missing = 0
  // Of a message that was cut: the bytes that were passed over.
  #skipped = 0

  constructor(most: number = syslogMessageBytes) {
    this.#most = most
  }

  /** Bytes of a message that has not ended. */
  get heldBytes(): number {
    return this.#held.length
  }

  /** Why nothing more can be found; undefined where that is not so. */
  get derailment(): Derailment | undefined {
    return this.#derailment
  }

  /** Gives the next bytes, once `next` has found all in those before. */
  push(bytes: Buffer): void {
    if (this.#derailment !== undefined) return
    this.#chunk = new Chunk(this.#mode === 'start' && this.#held.length > 0 ? this.#takeHeld(bytes) : bytes)
    this.#at = 0
  }

  /** The next message that has ended; undefined where there is none in the bytes given so far. */
  next(): Frame | undefined {
    this.#found = undefined
    while (this.#found === undefined && this.#at < this.#chunk.bytes.length) this.#at = this.#step(this.#at)
    // Bytes that have been looked at are not kept.
    if (this.#found === undefined && this.#at > 0) [this.#chunk, this.#at] = [new Chunk(none), 0]
    return this.#found
  }

  /** What was held when the connection ended, if anything. */
  end(): Frame | undefined {
    const rest = trimmed(this.#takeHeld())
    this.#mode = 'start'
    return rest.length === 0 ? undefined : frameOf(rest, 'incomplete')
  }

  // Each looks at the bytes from a place, and says from where to go on.
  #step(at: number): number {
    switch (this.#mode) {
      case 'start':
        return this.#begin(this.#chunk.bytes, at)
      case 'counted':
        return this.#counted(this.#chunk, at)
      case 'line':
        return this.#line(this.#chunk, at)
      case 'skip':
        return this.#skip(this.#chunk, at)
    }
  }

  #begin(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && isSeparator(bytes[at])) at += 1
    if (at === bytes.length) return at
    const count = this.#isByLine === true ? undefined : readCount(bytes, at, this.#wasCounted)
    if (count === 'undecided') return this.#hold(bytes, at)
    if (count === undefined && this.#wasCounted && bytes[at] !== less) return this.#derail('framing')
    if (count !== undefined && count.value > this.#most) return this.#derail('too-long')
    this.#isByLine ??= count === undefined
    this.#wasCounted = count !== undefined
    this.#missing = count?.value ?? 0
    this.#mode = count === undefined ? 'line' : 'counted'
    return count?.end ?? at
  }

  #counted(chunk: Chunk, at: number): number {
    const end = at + this.#missing
    if (end > chunk.bytes.length) {
      this.#missing = end - chunk.bytes.length
      return this.#hold(chunk.bytes, at)
    }
    this.#emit(chunk, at, end)
    return end
  }

  #line(chunk: Chunk, at: number): number {
    const { bytes } = chunk
    const end = chunk.endOfLine(at)
    if (this.#held.length + (end - at) > this.#most) {
      const cut = at + this.#most - this.#held.length
      this.#found = frameOf(this.#takeHeld(bytes.subarray(at, cut)), 'truncated')
      this.#mode = 'skip'
      this.#skipped = 0
      return cut
    }
    if (end === bytes.length) return this.#hold(bytes, at)
    this.#emit(chunk, at, end)
    return end + 1
  }

  // Who goes on for as long again without an end does not send lines.
  #skip(chunk: Chunk, at: number): number {
    const end = chunk.endOfLine(at)
    this.#skipped += end - at
    if (this.#skipped > this.#most) return this.#derail('framing')
    if (end === chunk.bytes.length) return end
    this.#mode = 'start'
    return end + 1
  }

  #derail(why: Derailment): number {
    this.#derailment = why
    return this.#chunk.bytes.length
  }

  #emit(chunk: Chunk, from: number, to: number): void {
    this.#mode = 'start'
    const frame =
      this.#held.length > 0
        ? wholeFrame(this.#takeHeld(chunk.bytes.subarray(from, to)))
        : chunk.frame(from, to)
    if (frame.bytes > 0) this.#found = frame
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
  #newlineAt = -1
  #nulAt = -1

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.#text = isAscii(bytes) ? bytes.toString('latin1') : undefined
  }

  /** Where the line ends that `at` stands in; the end of all bytes where it does not. Neither byte is looked for twice. */
  endOfLine(at: number): number {
    if (this.#newlineAt < at) this.#newlineAt = indexIn(this.bytes, newline, at)
    if (this.#nulAt < at) this.#nulAt = indexIn(this.bytes, nul, at)
    return Math.min(this.#newlineAt, this.#nulAt)
  }

  frame(from: number, to: number): Frame {
    const { bytes } = this
    const end = trimmedEnd(bytes, from, to)
    if (this.#text !== undefined) return { text: this.#text.slice(from, end), bytes: end - from }
    return frameOf(bytes.subarray(from, end))
  }
}

function indexIn(bytes: Buffer, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from)
  return index === -1 ? bytes.length : index
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

// Senders end a message with NUL, newline, CR LF or NUL and newline, a counted one too: one of each is not the message's.
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
