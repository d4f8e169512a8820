// The lines of a log as a verifier reads them: each says which log it is of, where it stands in it and when it was
// recorded, and each of that has to fit (I2, I3).

import type { Micros, Position } from '../entry/event.ts'
import { parsePlace } from '../entry/line.ts'
import { type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { contradicted } from './not-proved.ts'

/** A line that fits. */
export interface FittingLine {
  readonly position: Position
  readonly time: Micros
  readonly leaf: Hash
}

/** Reads lines of one log that stand one behind the other. */
export class LineSequence {
  readonly #log: string
  readonly #start: Buffer
  #position: Position
  #time: Micros = Number.NEGATIVE_INFINITY

  /** `first`: the position of the first line. */
  constructor(log: string, first: Position) {
    this.#log = log
    this.#start = Buffer.from(`[audit@32473 v="1" log="${log}" pos="`)
    this.#position = first
  }

  /** The position of the next line. */
  get position(): Position {
    return this.#position
  }

  /** Reads the next line, `bytes[start, end)` without its newline. Throws `NotProved` where it does not fit. */
  next(bytes: Buffer, start: number, end: number): FittingLine {
    const place = parsePlace(bytes, start, end)
    if (place === undefined) throw contradicted(`line ${this.#position} is not a line of an audit log`)
    if (!this.#isOwn(bytes, start))
      throw contradicted(
        `a line where position ${this.#position} of ${this.#log} is expected is of another log`,
      )
    const { position, time } = place
    if (position !== this.#position)
      throw contradicted(`position ${position} where ${this.#position} is expected`)
    if (time < this.#time) throw contradicted(`position ${position} is earlier than the entry before it`)
    this.#time = time
    this.#position += 1
    return { position, time, leaf: leafHashOfBytes(bytes, start, end) }
  }

  // A header has no spaces in its fields: the first element that begins like the log's own is the log's own.
  #isOwn(bytes: Buffer, start: number): boolean {
    const at = bytes.indexOf(elementStart, start)
    return at !== -1 && bytes.compare(this.#start, 0, this.#start.length, at, at + this.#start.length) === 0
  }
}

const elementStart = Buffer.from('[audit@32473 v="1" log="')

/** The id of the log that a line says it is of, where `parsePlace` has read its place. */
export function logOfLine(bytes: Buffer, start: number, end: number): string | undefined {
  const at = bytes.indexOf(elementStart, start)
  const stop = at === -1 ? -1 : bytes.indexOf(0x22, at + elementStart.length)
  return stop === -1 || stop >= end ? undefined : bytes.toString('latin1', at + elementStart.length, stop)
}

/** The id of the log whose checkpoints have an origin; undefined where the origin is none of ours. */
export function logOfOrigin(origin: string): string | undefined {
  const [, host, log] = /^([^/]+)\/audit-trail\/api\/v2\/logs\/([^/]+)$/.exec(origin) ?? []
  return host !== undefined && log?.startsWith(`${host}-`) === true ? log : undefined
}
