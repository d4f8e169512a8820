// The sparse index of a segment: for every block of 256 entries the byte offset and the time of its first entry,
// and the Merkle root of the whole block. It is derived from the text, and whoever uses it checks against the
// text (R9), so that a wrong one can make an answer slow, never wrong.
//
// As bytes: a magic line, four 64-bit numbers (first position, entries, bytes, last time), a record of 48 bytes
// for each block (offset, time, root), and the SHA-256 of all that. Numbers are big-endian. The root of a block
// that is not full is zeros.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { Micros, Position } from '../entry/event.ts'
import { blockEntries } from '../limits.ts'
import { type Hash, hashBytes, readHash } from '../tree/hash.ts'

const magic = Buffer.from('annals index v1\n')
const headBytes = magic.length + 4 * 8
const recordBytes = 8 + 8 + hashBytes

/** A segment's index, growing with its segment. */
export class SegmentIndex {
  readonly first: Position
  #entries = 0
  #bytes = 0
  #lastTime: Micros = 0
  #records: Buffer

  constructor(first: Position, records = Buffer.alloc(64 * recordBytes)) {
    assert(first % blockEntries === 0, `a segment cannot begin at ${first}`)
    this.first = first
    this.#records = records
  }

  get entries(): number {
    return this.#entries
  }

  /** The length of the text that is indexed. */
  get bytes(): number {
    return this.#bytes
  }

  get firstTime(): Micros {
    return this.time(0)
  }

  get lastTime(): Micros {
    return this.#lastTime
  }

  /** How many blocks have begun. */
  get blocks(): number {
    return Math.ceil(this.#entries / blockEntries)
  }

  /** Adds the next entry: `bytes` is the length of its line with the newline. */
  add(time: Micros, bytes: number): void {
    if (this.#entries % blockEntries === 0) this.#begin(this.#bytes, time)
    this.#entries += 1
    this.#bytes += bytes
    this.#lastTime = time
  }

  /** Sets the Merkle root of a block that is full. */
  setRoot(block: number, root: Hash): void {
    assert((block + 1) * blockEntries <= this.#entries)
    this.#records.write(root, block * recordBytes + 16, 'latin1')
  }

  /** The byte offset of a block's first entry; of the block behind the last: the end. */
  offset(block: number): number {
    assert(block >= 0 && block <= this.blocks)
    return block === this.blocks ? this.#bytes : Number(this.#records.readBigUInt64BE(block * recordBytes))
  }

  /** The time of a block's first entry. */
  time(block: number): Micros {
    assert(block >= 0 && block < this.blocks, `the index of ${this.first} has no block ${block}`)
    return Number(this.#records.readBigUInt64BE(block * recordBytes + 8))
  }

  /** The Merkle root of a full block. */
  root(block: number): Hash {
    assert((block + 1) * blockEntries <= this.#entries)
    return readHash(this.#records, block * recordBytes + 16)
  }

  /** The last block whose first entry is earlier than `time`; -1 where there is none. */
  lastBlockBefore(time: Micros): number {
    let low = -1
    for (let high = this.blocks; high - low > 1;) {
      const middle = (low + high) >> 1
      if (this.time(middle) < time) low = middle
      else high = middle
    }
    return low
  }

  /** The index of the full blocks alone. Its last time is one that the last of them does not lie before. */
  fullBlocks(): SegmentIndex {
    const blocks = Math.floor(this.#entries / blockEntries)
    if (blocks * blockEntries === this.#entries) return this
    const full = new SegmentIndex(this.first, Buffer.from(this.#records.subarray(0, blocks * recordBytes)))
    full.#entries = blocks * blockEntries
    full.#bytes = this.offset(blocks)
    full.#lastTime = blocks === 0 ? 0 : this.time(blocks - 1)
    return full
  }

  /** Takes over the records of another index of this segment, as far as its blocks are full. */
  correct(other: SegmentIndex): void {
    const blocks = Math.floor(other.entries / blockEntries)
    assert(other.first === this.first && other.entries <= this.#entries)
    other.#records.copy(this.#records, 0, 0, blocks * recordBytes)
  }

  /** The index as bytes. */
  encode(): Buffer {
    const numbers = Buffer.alloc(4 * 8)
    for (const [k, value] of [this.first, this.#entries, this.#bytes, this.#lastTime].entries()) {
      numbers.writeBigUInt64BE(BigInt(value), 8 * k)
    }
    return sign([magic, numbers, this.#records.subarray(0, this.blocks * recordBytes)])
  }

  /** Reads what `encode` wrote; undefined where anything in it does not fit. */
  static decode(bytes: Buffer | undefined, first: Position): SegmentIndex | undefined {
    const body = bytes === undefined ? undefined : verify(bytes)
    if (body === undefined || body.length < headBytes || !body.subarray(0, magic.length).equals(magic))
      return undefined
    const numbers = [0, 1, 2, 3].map((k) => Number(body.readBigUInt64BE(magic.length + 8 * k)))
    const [start = -1, entries = 0, length = 0, lastTime = 0] = numbers
    const records = Buffer.from(body.subarray(headBytes))
    if (start !== first || records.length !== Math.ceil(entries / blockEntries) * recordBytes)
      return undefined
    const index = new SegmentIndex(first, records)
    index.#entries = entries
    index.#bytes = length
    index.#lastTime = lastTime
    return index
  }

  #begin(offset: number, time: Micros): void {
    const at = this.blocks * recordBytes
    if (at + recordBytes > this.#records.length) {
      this.#records = Buffer.concat([
        this.#records,
        Buffer.alloc(Math.max(this.#records.length, recordBytes)),
      ])
    }
    this.#records.writeBigUInt64BE(BigInt(offset), at)
    this.#records.writeBigUInt64BE(BigInt(time), at + 8)
    this.#records.fill(0, at + 16, at + recordBytes)
  }
}

/** Parts and behind them the SHA-256 of all. */
export function sign(parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([body, hash('sha256', body, 'buffer')])
}

/** What `sign` was given, in one piece; undefined where the SHA-256 does not fit. */
export function verify(bytes: Buffer): Buffer | undefined {
  if (bytes.length < hashBytes) return undefined
  const body = bytes.subarray(0, -hashBytes)
  return hash('sha256', body, 'buffer').equals(bytes.subarray(-hashBytes)) ? body : undefined
}
