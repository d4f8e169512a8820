// Tiles, as C2SP tlog-tiles has them: tile (L, N) holds the hashes of up to 256 neighbouring subtrees of
// 256^L leaves each, the first of them subtree 256·N. Level 0 tiles hold leaf hashes, which are not stored:
// they are made again from the text.

import { assertPosition } from './compact-range.ts'

/** How many hashes a full tile holds. */
export const tileWidth = 256

/** The height of a tile: 2^8 = 256. */
export const tileHeight = 8

/** How many leaves one hash of a tile of `level` stands for. */
export function leavesPerHash(level: number): number {
  return tileWidth ** level
}

/**
 * A tile's path below `tile/`, for example `1/x001/x234/067` (C2SP tlog-tiles, "Merkle Tree"): N in groups of
 * three digits, all but the last with an `x`.
 */
export function tilePath(level: number, index: number): string {
  assertPosition(index)
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return `${level}/${groups.join('/')}`
}
