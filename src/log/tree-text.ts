// The Merkle tree of a log at rest: from full tiles where they are stored, from the roots of blocks otherwise.
// What is missing is made again and stored.

import type { SegmentStore } from '../store/segment-store.ts'
import { CompactRange, rootOf } from '../tree/compact-range.ts'
import { bytesOfHashes, type Hash, hashBytes, readHash } from '../tree/hash.ts'
import { leavesPerHash, tileHeight, tileWidth } from '../tree/tile.ts'
import { tileName } from './layout.ts'
import type { GrowingTree } from './ledger.ts'

/** Gives the root of a full block, by its number in the log. */
export type BlockRoots = (block: number) => Promise<Hash>

/** The tree over the first `size` entries, a multiple of 256, ready to grow. */
export async function readTree(
  store: SegmentStore,
  size: number,
  blockRoots: BlockRoots,
): Promise<GrowingTree> {
  const hashes = new StoredHashes(store, size, blockRoots)
  const range = new CompactRange()
  const tiles: Hash[][] = []
  const highest = Math.floor(Math.log(Math.max(size, 1)) / Math.log(tileWidth)) + 1
  for (let level = highest; level >= 1; level--) {
    const count = Math.floor(size / leavesPerHash(level))
    for (let index = range.size / leavesPerHash(level); index < count; index++) {
      range.append(await hashes.hash(level, index), level * tileHeight)
    }
    tiles[level - 1] = await hashes.between(level, count - (count % tileWidth), count)
  }
  return { range, tiles }
}

/** Full tiles, the latest of each level: they never change (I2). */
export type LatestTiles = Map<number, { readonly index: number; readonly hashes: readonly Hash[] }>

/** The hashes of levels 1 and above over the first `size` entries, a multiple of 256. */
export class StoredHashes {
  readonly #store: SegmentStore
  readonly #size: number
  readonly #blockRoots: BlockRoots
  readonly #growing: (level: number, index: number) => Hash | undefined
  // One tile for each level is enough: hashes are asked for in order.
  readonly #latest: LatestTiles

  /** `growing`: hashes that somebody holds in memory, of tiles that are not full yet; `latest`: tiles that were read before. */
  constructor(
    store: SegmentStore,
    size: number,
    blockRoots: BlockRoots,
    growing: (level: number, index: number) => Hash | undefined = () => undefined,
    latest: LatestTiles = new Map(),
  ) {
    this.#latest = latest
    this.#store = store
    this.#size = size
    this.#blockRoots = blockRoots
    this.#growing = growing
  }

  /** A hash: the root over 256^level entries. */
  async hash(level: number, index: number): Promise<Hash> {
    const tile = Math.floor(index / tileWidth)
    if ((tile + 1) * tileWidth * leavesPerHash(level) > this.#size)
      return this.#growing(level, index) ?? (await this.#derive(level, index))
    const hashes = await this.#tile(level, tile)
    return hashes[index % tileWidth] ?? (await this.#derive(level, index))
  }

  /** The hashes [from, to) of a level. */
  async between(level: number, from: number, to: number): Promise<Hash[]> {
    const hashes: Hash[] = []
    for (let index = from; index < to; index++) hashes.push(await this.hash(level, index))
    return hashes
  }

  async #tile(level: number, tile: number): Promise<readonly Hash[]> {
    const latest = this.#latest.get(level)
    if (latest?.index === tile) return latest.hashes
    const stored = await this.#store.getDerived(tileName(level, tile))
    const hashes =
      stored?.length === tileWidth * hashBytes
        ? Array.from({ length: tileWidth }, (_, k) => readHash(stored, k * hashBytes))
        : await this.#make(level, tile)
    this.#latest.set(level, { index: tile, hashes })
    return hashes
  }

  async #make(level: number, tile: number): Promise<readonly Hash[]> {
    const hashes: Hash[] = []
    for (let k = 0; k < tileWidth; k++) hashes.push(await this.#derive(level, tile * tileWidth + k))
    await this.#store.putDerived(tileName(level, tile), bytesOfHashes(hashes))
    return hashes
  }

  async #derive(level: number, index: number): Promise<Hash> {
    if (level === 1) return await this.#blockRoots(index)
    return rootOf(await this.between(level - 1, index * tileWidth, (index + 1) * tileWidth))
  }
}
