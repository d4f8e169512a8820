// Reads the text of a segment from front to back, line by line, in a bounded amount of memory, and checks of each
// line what every reader relies on: its position, its log, and that time does not decrease (I2, I3).

import type { LogId, Micros, Position } from '../entry/event.ts'
import { parseLine, parsePlace } from '../entry/line.ts'
import { isAnnalsError } from '../errors.ts'
import { entryBytes } from '../limits.ts'
import type { SegmentReader } from '../store/segment-store.ts'
import { leafHashOfBytes } from '../tree/hash.ts'
import { fingerprintOf } from './horizon.ts'
import type { Committed } from './ledger.ts'

const chunkBytes = 1024 * 1024
const newline = 0x0a

/** Called with each line that has a newline: `bytes[start, end)` is the line without it, `offset` where it stands. */
export type LineVisitor = (bytes: Buffer, start: number, end: number, offset: number) => boolean | void

/**
 * Visits the lines of `[from, to)` until `visit` returns false. Returns the offset behind the last line that was
 * visited; what follows it up to `to` is a line without a newline, or a line that `visit` did not want.
 */
export async function scanLines(
  reader: Pick<SegmentReader, 'read'>,
  from: number,
  to: number,
  visit: LineVisitor,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let filled = 0
  let offset = from
  for (;;) {
    const want = Math.min(buffer.length - filled, to - offset - filled)
    const read = want === 0 ? 0 : await reader.read(buffer.subarray(filled, filled + want), offset + filled)
    if (read === 0) return offset
    filled += read
    let start = 0
    for (
      let end = buffer.indexOf(newline);
      end !== -1 && end < filled;
      end = buffer.indexOf(newline, start)
    ) {
      if (visit(buffer, start, end, offset + start) === false) return offset + start
      start = end + 1
    }
    offset += start
    buffer.copyWithin(0, start, filled)
    filled -= start
    // A line longer than the buffer is none of ours; its caller sees that the scan ends before it.
    if (filled === buffer.length) return offset
  }
}

/** What is expected of the next line. */
export interface Expectation {
  readonly position: Position
  /** Its time must not lie before this. */
  readonly time: Micros
}

/** Reads lines of one log as committed entries. */
export class LineReader {
  readonly #needle: Buffer
  readonly #by = Buffer.from(' by="')

  constructor(log: LogId) {
    this.#needle = Buffer.from(` log="${log}" pos="`)
  }

  /** The entry in `bytes[start, end)`, or what is wrong with it. */
  read(bytes: Buffer, start: number, end: number, expected: Expectation): Committed | string {
    if (end - start > entryBytes) return `a line of ${end - start} bytes`
    const place = parsePlace(bytes, start, end)
    if (place === undefined) return 'not a line of an audit log'
    if (place.position !== expected.position)
      return `position ${place.position} where ${expected.position} is expected`
    if (place.time < expected.time) return 'a time earlier than that of the entry before it'
    const identity = this.#identity(bytes, start, end)
    if (identity === undefined) return 'the line of another log'
    return {
      time: place.time,
      bytes: end - start + 1,
      leaf: leafHashOfBytes(bytes, start, end),
      fingerprint: fingerprintOf(identity),
    }
  }

  /**
   * As `read`, and every byte of the line must be one that the log writes: for lines that no root covers yet, where
   * a page that never reached the disk may stand in the middle of a text.
   */
  readWhole(bytes: Buffer, start: number, end: number, expected: Expectation): Committed | string {
    try {
      parseLine(bytes.subarray(start, end))
    } catch (error) {
      if (!isAnnalsError(error, 'LOG_DAMAGED')) throw error
      return error.message
    }
    return this.read(bytes, start, end, expected)
  }

  // From the quote that ends `pos` to the one that ends `by`: the same text that `identityOf` takes of a draft.
  #identity(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const log = bytes.indexOf(this.#needle, start)
    if (log === -1 || log >= end) return undefined
    const from = bytes.indexOf(0x22, log + this.#needle.length)
    const by = bytes.indexOf(this.#by, from)
    if (from === -1 || by === -1 || by >= end) return undefined
    for (let at = by + this.#by.length; at < end; at++) {
      if (bytes[at] === 0x5c) at += 1
      else if (bytes[at] === 0x22) return bytes.subarray(from, at + 1)
    }
    return undefined
  }
}
