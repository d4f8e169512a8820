// Leaf hashes out of hash tiles (C2SP tlog-tiles) that anybody may have kept: a tile is believed once it is found to lead to
// the root of a checkpoint. All of it is synchronous, for it is asked for once for each of millions of lines.

import { verifyHeldTiles } from '../limits.ts'
import { rootOf } from '../tree/compact-range.ts'
import { foldRight, type Hash, hashBytes, readHash } from '../tree/hash.ts'
import { type Subtree, subtreesOf } from '../tree/range.ts'
import { type HashTile, tileHeight, tileWidth, widthIn } from '../tree/tile.ts'
import { contradicted, malformed } from './not-proved.ts'

/** Gives the bytes of a tile; undefined where it was not kept. */
export type KeptTiles = (tile: HashTile) => Buffer | undefined

/** What the tiles have to lead to. */
export interface TreeHead {
  readonly size: number
  readonly root: Hash
}

/** See the head of this file. Every method throws `NotProved` where a tile is missing or does not lead to the root. */
export class VerifiedTiles {
  readonly #head: TreeHead
  readonly #kept: KeptTiles
  readonly #tiles = new Map<string, readonly Hash[]>()

  /** Checks what all tiles lead to. */
  constructor(head: TreeHead, kept: KeptTiles) {
    this.#head = head
    this.#kept = kept
    const roots = subtreesOf({ from: 0, to: head.size }).map((subtree) => this.#rootOf(subtree))
    if (foldRight(roots) !== head.root)
      throw contradicted('the tiles do not lead to the root of the checkpoint')
  }

  /** The leaf hash of the entry at a position below the size. */
  leaf(position: number): Hash {
    const hash = this.#tile(0, Math.floor(position / tileWidth))[position % tileWidth]
    if (hash === undefined) throw malformed(`position ${position} is beyond the checkpoint`)
    return hash
  }

  // The hashes of tiles that are not full are all part of what makes the root. They are read, and not looked up above.
  #rootOf({ height, index }: Subtree): Hash {
    const level = Math.floor(height / tileHeight)
    const hashes = 2 ** (height % tileHeight)
    const first = index * hashes
    const tile = this.#read(level, Math.floor(first / tileWidth))
    return rootOf(tile.slice(first % tileWidth, (first % tileWidth) + hashes))
  }

  #tile(level: number, index: number): readonly Hash[] {
    const key = `${level}/${index}`
    const known = this.#tiles.get(key)
    if (known !== undefined) return known
    const hashes = this.#read(level, index)
    if (hashes.length === tileWidth) {
      const above = this.#tile(level + 1, Math.floor(index / tileWidth))[index % tileWidth]
      if (rootOf(hashes) !== above)
        throw contradicted(`tile ${key} does not lead to the root of the checkpoint`)
    }
    this.#tiles.set(key, hashes)
    for (const [oldest] of this.#tiles) {
      if (this.#tiles.size <= verifyHeldTiles) break
      this.#tiles.delete(oldest)
    }
    return hashes
  }

  #read(level: number, index: number): readonly Hash[] {
    const width = widthIn(this.#head.size, level, index)
    const bytes = this.#kept({ level, index, width })
    if (bytes === undefined) throw malformed(`tile ${level}/${index} of ${width} hashes was not kept`)
    if (bytes.length !== width * hashBytes)
      throw malformed(`tile ${level}/${index} has ${bytes.length} bytes, not ${width * hashBytes}`)
    return Array.from({ length: width }, (_, k) => readHash(bytes, k * hashBytes))
  }
}
