// Any hash of a log's Merkle tree, read from what is durable: leaves from the text, higher ones from stored tiles and the
// roots of blocks. All that is asked for lies below a size that the log has already; what lies there never changes (I2).

import assert from 'node:assert/strict'
import type { Position } from '../entry/event.ts'
import { blockEntries, cachedLeafBlocks } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { rootOf } from '../tree/compact-range.ts'
import { bytesOfHashes, emptyRoot, type Hash } from '../tree/hash.ts'
import { consistencyRanges, hashesOf, inclusionRanges } from '../tree/proof.ts'
import { hashOfRange, type LeafRange, type Subtree, subtreesOf } from '../tree/range.ts'
import { type HashTile, tileHeight, tileWidth, widthIn } from '../tree/tile.ts'
import type { LogText } from './log-text.ts'
import { type LatestTiles, StoredHashes } from './tree-text.ts'

/** What a tree is read from. */
export interface LogTreeParts {
  readonly store: SegmentStore
  readonly text: Pick<LogText, 'blockRoot' | 'leaves'>
  /** Hashes of the tiles that are not full yet; undefined for all others. */
  readonly growing: (level: number, index: number) => Hash | undefined
  /** How many entries are durable. */
  readonly size: () => number
}

/** Reads a log's tree. */
export class LogTree {
  readonly #parts: LogTreeParts
  readonly #tiles: LatestTiles = new Map()
  readonly #blocks = new Map<number, { readonly count: number; readonly leaves: Promise<readonly Hash[]> }>()

  constructor(parts: LogTreeParts) {
    this.#parts = parts
  }

  /** The hashes that prove that the entry at `position` is in the tree of `size` entries: its sibling first. */
  async inclusion(position: Position, size: number): Promise<Hash[]> {
    this.#demand(size)
    return await hashesOf(inclusionRanges(position, size), this.#reader(size))
  }

  /** The hashes that prove that the tree of `size` entries begins with the one of `old`. */
  async consistency(old: number, size: number): Promise<Hash[]> {
    this.#demand(size)
    return await hashesOf(consistencyRanges(old, size), this.#reader(size))
  }

  /** The root of the tree of `size` entries. */
  async root(size: number): Promise<Hash> {
    this.#demand(size)
    return size === 0 ? emptyRoot : await hashOfRange({ from: 0, to: size }, this.#reader(size))
  }

  /** The roots of the perfect subtrees that a run is made of, from left to right. */
  async subtrees(range: LeafRange): Promise<Hash[]> {
    this.#demand(range.to)
    const read = this.#reader(range.to)
    const roots: Hash[] = []
    for (const subtree of subtreesOf(range)) roots.push(await read(subtree))
    return roots
  }

  /** The bytes of a tile of hashes; undefined where the log is not that large yet. */
  async tile({ level, index, width }: HashTile): Promise<Buffer | undefined> {
    const size = this.#parts.size()
    if (widthIn(size, level, index) < width) return undefined
    const read = this.#reader(size)
    const hashes =
      level === 0
        ? await this.#parts.text.leaves(index * tileWidth, width)
        : await Promise.all(
            Array.from({ length: width }, (_, k) =>
              read({ height: level * tileHeight, index: index * tileWidth + k }),
            ),
          )
    return bytesOfHashes(hashes)
  }

  // The questions of one proof ask for the same few blocks; those that are full never change (I2).
  #leavesOf(block: number, size: number): Promise<readonly Hash[]> {
    const first = block * blockEntries
    const count = Math.min(blockEntries, size - first)
    const known = this.#blocks.get(block)
    if (known?.count === count) return known.leaves
    const leaves = this.#parts.text.leaves(first, count)
    this.#blocks.delete(block)
    this.#blocks.set(block, { count, leaves })
    leaves.catch(() => this.#blocks.delete(block))
    for (const [oldest] of this.#blocks) {
      if (this.#blocks.size <= cachedLeafBlocks) break
      this.#blocks.delete(oldest)
    }
    return leaves
  }

  #demand(size: number): void {
    assert(size <= this.#parts.size(), `a tree of ${size} entries, of ${this.#parts.size()}`)
  }

  #reader(size: number): (subtree: Subtree) => Promise<Hash> {
    const { store, text, growing } = this.#parts
    const whole = size - (size % blockEntries)
    const stored = new StoredHashes(store, whole, (block) => text.blockRoot(block), growing, this.#tiles)
    return async ({ height, index }) => {
      const hashes = 2 ** (height % tileHeight)
      const level = Math.floor(height / tileHeight)
      if (level > 0) return rootOf(await stored.between(level, index * hashes, (index + 1) * hashes))
      const at = (index * hashes) % blockEntries
      const leaves = await this.#leavesOf(Math.floor((index * hashes) / blockEntries), size)
      return rootOf(leaves.slice(at, at + hashes))
    }
  }
}
