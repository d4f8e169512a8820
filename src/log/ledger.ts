// What a log knows of its durable entries: its segments, the index of the active one, the Merkle tree's right
// edge, and what was recorded lately. It does no I/O. It grows by whole entries, after they are durable, and
// nothing in it is ever taken back: whoever remembers a size may go on using it.

import assert from 'node:assert/strict'
import type { Micros, Position } from '../entry/event.ts'
import { blockEntries } from '../limits.ts'
import { CompactRange } from '../tree/compact-range.ts'
import { bytesOfHashes, type Hash } from '../tree/hash.ts'
import { leavesPerHash, tileHeight, tileWidth } from '../tree/tile.ts'
import { type Fingerprint, fingerprintBytes, Horizon } from './horizon.ts'
import { SegmentIndex } from './segment-index.ts'

/** A segment as the ledger knows it. All but the last never change. */
export interface Segment {
  readonly first: Position
  /** How many bytes of the log stand before it. */
  readonly base: number
  readonly entries: number
  readonly bytes: number
  /** Undefined while it has no entry. */
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
}

/** An entry that is durable, as far as the ledger needs it. */
export interface Committed {
  readonly time: Micros
  /** The length of its line, with the newline. */
  readonly bytes: number
  readonly leaf: Hash
  readonly fingerprint: Fingerprint
}

/** A full tile, ready to be stored. */
export interface FullTile {
  readonly level: number
  readonly index: number
  readonly bytes: Buffer
}

/** The segment that is being written. */
export class ActiveSegment {
  readonly index: SegmentIndex
  readonly base: number
  /** Time and byte offset of each entry of the block that is not full yet. */
  readonly tail: { readonly times: Micros[]; readonly offsets: number[] } = { times: [], offsets: [] }
  #fingerprints: Buffer = Buffer.alloc(64 * 1024)

  /** Empty, or with the full blocks of an index and their fingerprints. */
  constructor(index: SegmentIndex, base: number, fingerprints?: Buffer) {
    assert(index.entries % blockEntries === 0)
    this.index = index
    this.base = base
    if (fingerprints !== undefined && fingerprints.length > 0) this.#fingerprints = fingerprints
    assert(index.entries * fingerprintBytes <= this.#fingerprints.length)
  }

  get first(): Position {
    return this.index.first
  }

  get entries(): number {
    return this.index.entries
  }

  get bytes(): number {
    return this.index.bytes
  }

  get firstTime(): Micros | undefined {
    return this.index.entries === 0 ? undefined : this.index.firstTime
  }

  get lastTime(): Micros | undefined {
    return this.index.entries === 0 ? undefined : this.index.lastTime
  }

  /** The fingerprints of its entries, in order. */
  get fingerprints(): Buffer {
    return this.#fingerprints.subarray(0, this.entries * fingerprintBytes)
  }

  /** The part of it that will not change any more: its full blocks. */
  get fullBlocks(): { first: Position; entries: number; bytes: number } {
    const entries = this.entries - (this.entries % blockEntries)
    const bytes = entries === this.entries ? this.bytes : (this.tail.offsets[0] ?? 0)
    return { first: this.first, entries, bytes }
  }

  /** Adds an entry. */
  add(time: Micros, bytes: number, fingerprint: Fingerprint): void {
    if (this.entries % blockEntries === 0) {
      this.tail.times.length = 0
      this.tail.offsets.length = 0
    }
    this.tail.times.push(time)
    this.tail.offsets.push(this.bytes)
    const at = this.entries * fingerprintBytes
    if (at === this.#fingerprints.length) {
      this.#fingerprints = Buffer.concat([this.#fingerprints, Buffer.alloc(this.#fingerprints.length)])
    }
    this.#fingerprints.write(fingerprint, at, 'latin1')
    this.index.add(time, bytes)
  }
}

/** A Merkle tree as far as it can go on growing. */
export interface GrowingTree {
  readonly range: CompactRange
  /** For each level from 1: the hashes of the tile that is not full yet. */
  readonly tiles: readonly Hash[][]
}

/** The committed state of one log. */
export class Ledger {
  /** Every segment in order; the last is the active one where there is one. */
  readonly segments: Segment[] = []
  readonly horizon = new Horizon()
  #range = new CompactRange()
  // Leaves that are not in the tree yet, and tiles that nobody has taken yet.
  #leaves: Hash[] = []
  #full: FullTile[] = []
  // For each level from 1: the hashes of the tile that is not full yet.
  #tiles: Hash[][] = []
  #active: ActiveSegment | undefined

  /** A ledger over sealed segments and the full blocks of the active one; `resume` gives it its tree. */
  constructor(sealed: readonly Segment[] = [], active?: ActiveSegment) {
    this.segments.push(...sealed)
    this.#active = active
    if (active !== undefined) this.segments.push(active)
  }

  /** Takes the tree over all that it began with. */
  resume(tree: GrowingTree): void {
    assert(tree.range.size === this.size, `a tree of ${tree.range.size} leaves for ${this.size} entries`)
    this.#range = tree.range
    this.#tiles = [...tree.tiles]
  }

  /** How many entries are durable. */
  get size(): number {
    const last = this.segments.at(-1)
    return last === undefined ? 0 : last.first + last.entries
  }

  /** How many bytes they are. */
  get bytes(): number {
    const last = this.segments.at(-1)
    return last === undefined ? 0 : last.base + last.bytes
  }

  get lastTime(): Micros | undefined {
    return this.segments.findLast((segment) => segment.entries > 0)?.lastTime
  }

  /** The root of the tree over all of them. */
  get root(): Hash {
    this.grow()
    return this.#range.root()
  }

  get active(): ActiveSegment | undefined {
    return this.#active
  }

  /** Begins a new, empty segment behind the last. */
  begin(first: Position): ActiveSegment {
    assert(this.#active === undefined && first === this.size)
    this.#active = new ActiveSegment(new SegmentIndex(first), this.bytes)
    this.segments.push(this.#active)
    return this.#active
  }

  /** Takes in entries that are durable at the end of the active segment. The tree grows by them later. */
  publish(entries: readonly Committed[]): void {
    const active = this.#active
    assert(active !== undefined)
    let position = active.first + active.entries
    for (const { time, bytes, leaf, fingerprint } of entries) {
      active.add(time, bytes, fingerprint)
      this.horizon.add(fingerprint, position, time)
      this.#leaves.push(leaf)
      position += 1
    }
  }

  /** Lets the tree grow by all that was published: best called while the disk is busy with the next entries. */
  grow(): void {
    const leaves = this.#leaves
    this.#leaves = []
    for (const leaf of leaves) this.#range.append(leaf, 0, this.#completed)
    assert(this.#range.size === this.size, `a tree of ${this.#range.size} leaves for ${this.size} entries`)
  }

  /** A hash of a tile of level 1 or above that is not full yet; undefined for all others. */
  growing(level: number, index: number): Hash | undefined {
    const tile = this.#tiles[level - 1]
    const tileIndex = Math.floor(this.#range.size / (leavesPerHash(level) * tileWidth))
    return Math.floor(index / tileWidth) === tileIndex ? tile?.[index % tileWidth] : undefined
  }

  /** The tiles that were completed since this was last asked. */
  takeFullTiles(): FullTile[] {
    const full = this.#full
    this.#full = []
    return full
  }

  /** Ends the active segment, which must end with a full block; the next entry goes into a new one. */
  end(): ActiveSegment {
    const active = this.#active
    assert(active !== undefined && active.entries > 0 && active.entries % blockEntries === 0)
    this.grow()
    const { first, base, entries, bytes, firstTime, lastTime } = active
    this.segments[this.segments.length - 1] = { first, base, entries, bytes, firstTime, lastTime }
    this.#active = undefined
    return active
  }

  /** The segment that holds a byte of the log, counted from the log's beginning. */
  segmentAtByte(byte: number): Segment {
    return this.#lastWhere((segment) => segment.base <= byte)
  }

  /** The segment that holds a position below `size`. */
  segmentAt(position: Position): Segment {
    return this.#lastWhere((segment) => segment.first <= position)
  }

  /** The last segment whose first entry is earlier than `time`; undefined where there is none. */
  lastSegmentBefore(time: Micros): Segment | undefined {
    return this.#find((segment) => segment.firstTime !== undefined && segment.firstTime < time)
  }

  #lastWhere(holds: (segment: Segment) => boolean): Segment {
    const segment = this.#find(holds)
    assert(segment !== undefined)
    return segment
  }

  // Binary search: `holds` is true for some first segments and false for all behind them.
  #find(holds: (segment: Segment) => boolean): Segment | undefined {
    let low = -1
    for (let high = this.segments.length; high - low > 1;) {
      const middle = (low + high) >> 1
      const segment = this.segments[middle]
      assert(segment !== undefined)
      if (holds(segment)) low = middle
      else high = middle
    }
    return this.segments[low]
  }

  readonly #completed = (height: number, index: number, root: Hash): void => {
    if (height === 0 || height % tileHeight !== 0) return
    const active = this.#active
    assert(active !== undefined)
    if (height === tileHeight) active.index.setRoot(index - active.first / blockEntries, root)
    this.#addToTile(height / tileHeight, index, root)
  }

  #addToTile(level: number, index: number, root: Hash): void {
    const tile = (this.#tiles[level - 1] ??= [])
    assert(
      tile.length === index % tileWidth,
      `hash ${index} of level ${level} does not follow ${tile.length} others`,
    )
    tile.push(root)
    if (tile.length < tileWidth) return
    this.#full.push({ level, index: Math.floor(index / tileWidth), bytes: bytesOfHashes(tile) })
    tile.length = 0
  }
}
