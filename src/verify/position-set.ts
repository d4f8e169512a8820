// A set of positions in a bounded amount of memory: a bit for each, in chunks that are made when they are needed.

import type { Position } from '../entry/event.ts'
import { verifyPositionChunks } from '../limits.ts'
import { malformed } from './not-proved.ts'

const chunkBits = 65_536

/** Positions [from, to). */
export interface PositionRange {
  readonly from: Position
  readonly to: Position
}

/** See the head of this file. */
export class PositionSet {
  readonly #chunks = new Map<number, Uint8Array>()
  #count = 0

  /** How many positions are in it. */
  get count(): number {
    return this.#count
  }

  /** Adds a position; false where it was there. Throws `NotProved` where the positions stand too far apart. */
  add(position: Position): boolean {
    const key = Math.floor(position / chunkBits)
    const chunk = this.#chunks.get(key) ?? this.#newChunk(key)
    const [byte, bit] = [Math.floor((position % chunkBits) / 8), 1 << (position % 8)]
    const before = chunk[byte] ?? 0
    if ((before & bit) !== 0) return false
    chunk[byte] = before | bit
    this.#count += 1
    return true
  }

  /** The ranges of [from, to) that are not in it, in order: as quick where they are wide as where they are narrow. */
  *missing({ from, to }: PositionRange): Generator<PositionRange> {
    let begin = from
    for (const key of [...this.#chunks.keys()].toSorted((a, b) => a - b)) {
      const end = Math.min(to, (key + 1) * chunkBits)
      for (let position = Math.max(begin, key * chunkBits); position < end; position += 1) {
        if (!this.#has(position)) continue
        if (begin < position) yield { from: begin, to: position }
        begin = position + 1
      }
    }
    if (begin < to) yield { from: begin, to }
  }

  #has(position: Position): boolean {
    const byte = this.#chunks.get(Math.floor(position / chunkBits))?.[Math.floor((position % chunkBits) / 8)]
    return ((byte ?? 0) & (1 << (position % 8))) !== 0
  }

  #newChunk(key: number): Uint8Array {
    if (this.#chunks.size === verifyPositionChunks)
      throw malformed('the positions of these lines stand too far apart to be compared')
    const chunk = new Uint8Array(chunkBits / 8)
    this.#chunks.set(key, chunk)
    return chunk
  }
}
