// Where a log goes. It knows how many of its bytes are there, so that a download that broke off goes on behind them.

import type { Source } from './beginning.ts'

/** A place for the bytes of a log. Dispose of it to close it; what is there stays. */
export interface Destination extends AsyncDisposable {
  /** What is there are the first so many bytes of `source`. */
  readonly bytes: number
  /** What they are the beginning of. Undefined where nothing has begun. */
  readonly source: Source | undefined
  /** The lines in them. */
  readonly lines: number
  /** The next bytes are the first ones of this source, whatever came before. */
  startOver(source: Source): Promise<void>
  write(bytes: Buffer): Promise<void>
  /** All of it is there. Returns once that stays so. */
  finish(): Promise<void>
  /** What has become of the bytes that are there, in half a sentence, for when it ends early. */
  rest(): string
}

/** How many lines end in these bytes. */
export function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines += 1
  return lines
}

/** `12 of 34 bytes`. */
export function shareOf(bytes: number, source: Source | undefined): string {
  const length = source?.length
  return length === undefined ? `${bytes} bytes` : `${bytes} of ${length} bytes`
}

const newline = 0x0a
