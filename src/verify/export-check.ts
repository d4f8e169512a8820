// Compares lines that came back from elsewhere, such as a SIEM, with what a log holds: in any order, perhaps with some
// missing, doubled, changed, or of another log. With the verified hashes of the entries every finding is a fact; without
// them it is what the lines claim of themselves.

import type { Position } from '../entry/event.ts'
import { parsePlace } from '../entry/line.ts'
import { verifyNamedLines } from '../limits.ts'
import { type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { logOfLine } from './lines.ts'
import { type PositionRange, PositionSet } from './position-set.ts'
import { unwrapped } from './wrapping.ts'

/** What lines are compared with. */
export interface ExportOrder {
  /** The log; undefined: that of the first line. */
  readonly log: string | undefined
  /** Which positions there have to be; undefined: from the smallest to the largest that comes. */
  readonly range: PositionRange | undefined
  /** The verified leaf hash of a position in the range; undefined where there is nothing to compare with. */
  readonly leafAt: ((position: Position) => Hash) | undefined
}

/** What was found. Of each kind the first ones are named. */
export interface ExportFindings {
  readonly log: string | undefined
  readonly range: PositionRange
  /** Lines that are what the log holds; or, with nothing to compare with, what they claim to be. */
  readonly right: number
  readonly missing: { readonly count: number; readonly ranges: readonly PositionRange[] }
  readonly doubled: Counted
  readonly changed: Counted
  /** Lines that are no entry of this log and range, by their number in the file, from 1. */
  readonly foreign: Counted
}

/** How many, and the first of them. */
export interface Counted {
  readonly count: number
  readonly first: readonly number[]
}

/** Takes lines one by one. Throws `NotProved` where the hashes do not lead to the checkpoint. */
export class ExportCheck {
  readonly #order: ExportOrder
  readonly #seen = new PositionSet()
  readonly #doubled = new Count()
  readonly #changed = new Count()
  readonly #foreign = new Count()
  #log: string | undefined
  #least = Number.POSITIVE_INFINITY
  #most = -1
  #lines = 0

  constructor(order: ExportOrder) {
    this.#order = order
    this.#log = order.log
  }

  /** The next line, `bytes[start, end)` without its newline, in whatever it is wrapped. Nothing is no line. */
  line(bytes: Buffer, start: number, end: number): void {
    this.#lines += 1
    const line = unwrapped(bytes, start, end)
    if (line.length === 0) return
    const place = parsePlace(line, 0, line.length)
    const log = place && logOfLine(line, 0, line.length)
    this.#log ??= log
    if (place === undefined || log !== this.#log || !this.#isWanted(place.position))
      return this.#foreign.add(this.#lines)
    this.#take(place.position, line)
  }

  /** There are no more lines. */
  end(): ExportFindings {
    const range = this.#order.range ?? { from: Math.min(this.#least, this.#most + 1), to: this.#most + 1 }
    const ranges: PositionRange[] = []
    let count = 0
    for (const gap of this.#seen.missing(range)) {
      count += gap.to - gap.from
      if (ranges.length < verifyNamedLines) ranges.push(gap)
    }
    return {
      log: this.#log,
      range,
      right: this.#seen.count,
      missing: { count, ranges },
      doubled: this.#doubled.counted,
      changed: this.#changed.counted,
      foreign: this.#foreign.counted,
    }
  }

  #isWanted(position: Position): boolean {
    const { range } = this.#order
    return range === undefined || (position >= range.from && position < range.to)
  }

  // One that was changed is not there: its position is missing, unless the right one comes too.
  #take(position: Position, line: Buffer): void {
    const { leafAt } = this.#order
    if (leafAt !== undefined && leafHashOfBytes(line, 0, line.length) !== leafAt(position))
      return this.#changed.add(position)
    if (!this.#seen.add(position)) return this.#doubled.add(position)
    this.#least = Math.min(this.#least, position)
    this.#most = Math.max(this.#most, position)
  }
}

/** True where the lines are exactly the range. */
export function isExact({ missing, doubled, changed, foreign }: ExportFindings): boolean {
  return missing.count + doubled.count + changed.count + foreign.count === 0
}

class Count {
  #count = 0
  readonly #first: number[] = []

  get counted(): Counted {
    return { count: this.#count, first: this.#first }
  }

  add(what: number): void {
    this.#count += 1
    if (this.#first.length < verifyNamedLines) this.#first.push(what)
  }
}
