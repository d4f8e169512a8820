// Cuts text that comes in pieces into lines, in a bounded amount of memory.

import { verifyLineBytes } from '../limits.ts'

/** Called with each line: `bytes[start, end)`, without its newline, good only for the length of the call. */
export type LineListener = (bytes: Buffer, start: number, end: number) => void

const newline = 0x0a

/**
 * Cuts text into lines. Of a line that is longer than `verifyLineBytes`, its listener gets the beginning: that is no entry,
 * and no entry in any wrapping.
 */
export class LineSplitter {
  readonly #listener: LineListener
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(listener: LineListener) {
    this.#listener = listener
  }

  /** The next piece, which may be reused once this has returned. */
  push(piece: Buffer): void {
    let start = 0
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
      if (this.#restBytes === 0) this.#listener(piece, start, Math.min(end, start + verifyLineBytes))
      else this.#endRest(piece.subarray(start, end))
      start = end + 1
    }
    this.#keep(piece.subarray(start))
  }

  /** There is no more text: what has no newline is a line too. */
  end(): void {
    if (this.#restBytes > 0) this.#endRest(Buffer.alloc(0))
  }

  #endRest(last: Buffer): void {
    this.#keep(last)
    const line = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    this.#listener(line, 0, line.length)
  }

  // A copy: the piece may be reused.
  #keep(piece: Buffer): void {
    const kept = piece.subarray(0, verifyLineBytes - this.#restBytes)
    if (kept.length === 0) return
    this.#rest.push(Buffer.from(kept))
    this.#restBytes += kept.length
  }
}
