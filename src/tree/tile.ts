// Tiles, as C2SP tlog-tiles has them: tile (L, N) holds the hashes of up to 256 neighbouring subtrees of
// 256^L leaves each, the first of them subtree 256·N. Level 0 tiles hold leaf hashes, which are not stored:
// they are made again from the text.

import { assertPosition } from './compact-range.ts'

/** How many hashes a full tile holds. */
export const tileWidth = 256

/** The height of a tile: 2^8 = 256. */
export const tileHeight = 8

/** A tile, or an entry bundle, of which so many hashes, or entries, are meant. */
export interface Tile {
  /** 0 to 63, or `entries` for a bundle. */
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256. */
  readonly width: number
}

/** A tile of hashes. */
export type HashTile = Tile & { readonly level: number }

/** How many leaves one hash of a tile of `level` stands for. */
export function leavesPerHash(level: number): number {
  return tileWidth ** level
}

/**
 * A tile's path below `tile/`, for example `1/x001/x234/067` (C2SP tlog-tiles, "Merkle Tree"): N in groups of
 * three digits, all but the last with an `x`. A partial tile's ends with `.p/` and its width.
 */
export function tilePath(level: Tile['level'], index: number, width = tileWidth): string {
  assertPosition(index)
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return `${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`
}

const pathForm = /^(0|[1-9][0-9]?|entries)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Reads a path below `tile/`; undefined where it is not exactly one that `tilePath` makes. */
export function parseTilePath(path: string): Tile | undefined {
  const [, levelText, groups, widthText] = pathForm.exec(path) ?? []
  if (levelText === undefined || groups === undefined) return undefined
  const level = levelText === 'entries' ? 'entries' : Number(levelText)
  const index = Number(groups.replace(/[x/]/g, ''))
  const width = widthText === undefined ? tileWidth : Number(widthText)
  const isThere = (level === 'entries' || level < 64) && Number.isSafeInteger(index)
  return isThere && tilePath(level, index, width) === path ? { level, index, width } : undefined
}

/** How many hashes a tile has in a tree of `size` leaves: 0 to 256. */
export function widthIn(size: number, level: Tile['level'], index: number): number {
  const hashes = Math.floor(size / leavesPerHash(level === 'entries' ? 0 : level))
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth))
}

/** An entry bundle: each entry behind its length in two bytes, big-endian (C2SP tlog-tiles, "Log entries"). */
export function formatBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    at = bundle.writeUInt16BE(entry.length, at)
    bundle.set(entry, at)
    at += entry.length
  }
  return bundle
}

/** The entries of a bundle; undefined where it does not end with one. */
export function parseBundle(bundle: Buffer): Buffer[] | undefined {
  const entries: Buffer[] = []
  let at = 0
  while (at + 2 <= bundle.length) {
    const end = at + 2 + bundle.readUInt16BE(at)
    if (end > bundle.length) return undefined
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return at === bundle.length ? entries : undefined
}
