// Subtrees of a tree out of its hash tiles (C2SP tlog-tiles), from wherever the tiles come. Nothing of it is believed: the
// hashes have to lead to a root.

import { rootOf } from './compact-range.ts'
import { type Hash, hashBytes, readHash } from './hash.ts'
import type { Subtree, SubtreeReader } from './range.ts'
import { type HashTile, tileHeight, tileWidth, widthIn } from './tile.ts'

/** Gives the bytes of a tile. */
export type TileSource = (tile: HashTile) => Promise<Buffer>

/** Reads subtrees of the tree of `size` leaves. Each tile is asked for once. Throws a RangeError where a tile is too short. */
export function tileReader(size: number, source: TileSource): SubtreeReader {
  const tiles = new Map<string, Promise<readonly Hash[]>>()
  const hashesOf = (level: number, index: number) => {
    const key = `${level}/${index}`
    const known = tiles.get(key) ?? readTile(source, { level, index, width: widthIn(size, level, index) })
    tiles.set(key, known)
    return known
  }
  return async ({ height, index }: Subtree) => {
    // A subtree of a tile's height is one hash of the tile above, where that has it.
    const level = Math.floor(height / tileHeight)
    const hashes = 2 ** (height % tileHeight)
    const first = index * hashes
    const tile = await hashesOf(level, Math.floor(first / tileWidth))
    const own = tile.slice(first % tileWidth, (first % tileWidth) + hashes)
    if (own.length !== hashes)
      throw new RangeError(`no subtree ${index} of height ${height} in ${size} leaves`)
    return rootOf(own)
  }
}

async function readTile(source: TileSource, tile: HashTile): Promise<readonly Hash[]> {
  const bytes = await source(tile)
  if (bytes.length !== tile.width * hashBytes)
    throw new RangeError(
      `tile ${tile.level}/${tile.index} has ${bytes.length} bytes, not ${tile.width * hashBytes}`,
    )
  return Array.from({ length: tile.width }, (_, k) => readHash(bytes, k * hashBytes))
}
