// Cuts what was read of a file into lines. A line longer than any log's comes in pieces of one size, counted from its
// beginning: where it is cut depends on nothing but the file, so that reading it again gives the same pieces.

import { followLineBytes } from '../../limits.ts'

const newline = 0x0a

/** A line, or a piece of one: `bytes[start, end)`. */
export interface Cut {
  readonly start: number
  readonly end: number
  /** Where what follows it begins. */
  readonly next: number
  readonly isPiece: boolean
  /** True where more of the same line follows. */
  readonly isWithin: boolean
}

/** What to cut, and how. */
export interface CutOptions {
  /** Where to begin. */
  readonly from: number
  /** True where a piece of the first line came before. */
  readonly isWithin: boolean
  /** True where nothing more will be written: what has no newline is a line too. */
  readonly isComplete: boolean
  /** The most cuts to make. */
  readonly most: number
  readonly lineBytes?: number
}

/** The lines that are there as a whole, in order. */
export function cutLines(bytes: Buffer, options: CutOptions): Cut[] {
  const { isComplete, most, lineBytes = followLineBytes } = options
  let { from: start, isWithin } = options
  const cuts: Cut[] = []
  while (cuts.length < most && start < bytes.length) {
    const cut = cutOne(bytes, start, isWithin, isComplete, lineBytes)
    if (cut === undefined) break
    cuts.push(cut)
    start = cut.next
    isWithin = cut.isWithin
  }
  return cuts
}

function cutOne(
  bytes: Buffer,
  start: number,
  isPiece: boolean,
  isComplete: boolean,
  lineBytes: number,
): Cut | undefined {
  const end = bytes.indexOf(newline, start)
  if (end !== -1 && end - start <= lineBytes) return { start, end, next: end + 1, isPiece, isWithin: false }
  const cut = start + lineBytes
  if (cut < bytes.length) return { start, end: cut, next: cut, isPiece: true, isWithin: true }
  return isComplete ? { start, end: bytes.length, next: bytes.length, isPiece, isWithin: false } : undefined
}
