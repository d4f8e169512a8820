// Checks that lines are the whole of a log, from its first entry on: that each stands where it says, that times never decrease
// (I3), and that all together lead to the root of a checkpoint (I2, I10). Whether that is signed is another question.
//
// This is what shows that the order of times, which a proof of one answer assumes outside of it, holds everywhere.

import type { Micros, Position } from '../entry/event.ts'
import type { Checkpoint } from '../tree/checkpoint.ts'
import { CompactRange } from '../tree/compact-range.ts'
import { LineSequence, logOfOrigin } from './lines.ts'
import { contradicted, malformed } from './not-proved.ts'

/** What lines were found to be. */
export interface WholeLog {
  readonly log: string
  /** How many entries the checkpoint covers: those are proved. */
  readonly proved: number
  /** How many lines stand behind those. They fit, and nothing more is known of them. */
  readonly behind: number
  /** Of the first and the last line. */
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
}

/** Checks a log, which is given line by line. Every step throws `NotProved`. */
export class WholeLogCheck {
  readonly #checkpoint: Checkpoint
  readonly #log: string
  readonly #lines: LineSequence
  readonly #tree = new CompactRange()
  #firstTime: Micros | undefined
  #lastTime: Micros | undefined

  /** `checkpoint`: what the log must lead to. */
  constructor(checkpoint: Checkpoint) {
    const log = logOfOrigin(checkpoint.origin)
    if (log === undefined) throw malformed(`${checkpoint.origin} is not the origin of an audit log`)
    this.#checkpoint = checkpoint
    this.#log = log
    this.#lines = new LineSequence(log, 0)
    this.#demandRoot()
  }

  /** Another file begins, which says that its first entry has this position. */
  segment(first: Position): void {
    const { position } = this.#lines
    if (first > position)
      throw contradicted(`positions ${position} to ${first - 1} are missing: no file holds them`)
    if (first < position)
      throw contradicted(
        `a file begins at position ${first}, and those before it hold as much as up to ${position}`,
      )
  }

  /** The next line, `bytes[start, end)` without its newline. */
  line(bytes: Buffer, start: number, end: number): void {
    const { time, leaf } = this.#lines.next(bytes, start, end)
    this.#firstTime ??= time
    this.#lastTime = time
    if (this.#tree.size >= this.#checkpoint.size) return
    this.#tree.append(leaf)
    this.#demandRoot()
  }

  /** There are no more lines. */
  end(): WholeLog {
    const { size } = this.#checkpoint
    const { position } = this.#lines
    if (position < size)
      throw contradicted(
        `the checkpoint covers ${size} entries, and there are ${position}: the end is missing`,
      )
    return {
      log: this.#log,
      proved: size,
      behind: position - size,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
    }
  }

  #demandRoot(): void {
    const { size, root } = this.#checkpoint
    if (this.#tree.size === size && this.#tree.root() !== root)
      throw contradicted(
        `the first ${size} entries do not lead to the root of the checkpoint: one of them was changed`,
      )
  }
}
