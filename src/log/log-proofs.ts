// What proves of a log that nothing was changed, removed or left out: its signed checkpoints, its tiles and entries as C2SP
// tlog-tiles has them, and the hashes of proofs. All of it is read from what is durable.

import type { Position } from '../entry/event.ts'
import type { Hash } from '../tree/hash.ts'
import type { LeafRange } from '../tree/range.ts'
import { formatBundle, type HashTile, type Tile, tileWidth, widthIn } from '../tree/tile.ts'
import type { HeadKeeper, SignedHead } from './head.ts'
import type { LogText } from './log-text.ts'
import type { LogTree } from './log-tree.ts'
import type { Witnessed } from './witnessed.ts'

/** Reads the proofs of one log. Positions and sizes that are asked for lie below what a checkpoint has covered. */
export interface LogProofs {
  /**
   * The latest signed checkpoint (C2SP tlog-checkpoint) that is durable, with the cosignatures that it got; undefined before
   * there is a first one.
   */
  checkpoint(): SignedHead | undefined
  /**
   * The latest checkpoint, once there is one of at least `size` entries: within a second, where the disk allows it. Throws
   * UNAVAILABLE where it does not come in time, or the log is closed. With `witnessed`, once a witness has cosigned such a
   * one: within some ten seconds, where one is there.
   */
  covering(size: number, options?: { readonly witnessed?: boolean }): Promise<SignedHead>
  /** The latest checkpoint that a witness has cosigned, which may be older; undefined before there is a first one. */
  witnessed(): SignedHead | undefined
  /** Whether there is a durable entry at a position. */
  has(position: Position): boolean
  /** The bytes of a tile of hashes; undefined where the latest checkpoint does not cover it. */
  tile(tile: HashTile): Promise<Buffer | undefined>
  /** The entry bundle of a number and a width; undefined where the latest checkpoint does not cover it. */
  bundle(index: number, width: number): Promise<Buffer | undefined>
  /** The stored line at a position, without its newline. */
  line(position: Position): Promise<Buffer>
  /** The hashes from the entry at a position to the root of the tree of `size` entries: its sibling first. */
  inclusion(position: Position, size: number): Promise<Hash[]>
  /** The hashes that prove that the tree of `size` entries begins with the one of `old`. */
  consistency(old: number, size: number): Promise<Hash[]>
  /** The roots of the perfect subtrees that a run is made of, from left to right. */
  subtrees(range: LeafRange): Promise<Hash[]>
}

/** What they are read from. */
export interface LogProofsParts {
  readonly head: Pick<HeadKeeper, 'checkpoint' | 'covering'>
  readonly witnessed: Pick<Witnessed, 'latest' | 'complete' | 'covering'>
  readonly text: Pick<LogText, 'line' | 'lines'>
  readonly tree: LogTree
  /** How many entries are durable. */
  readonly size: () => number
}

/** The proofs of a log that is open. */
export function logProofsOf({ head, witnessed, text, tree, size }: LogProofsParts): LogProofs {
  const covers = (level: Tile['level'], index: number, width: number) =>
    widthIn(head.checkpoint?.size ?? 0, level, index) >= width
  return {
    checkpoint: () => head.checkpoint && witnessed.complete(head.checkpoint),
    covering: async (size, options) =>
      options?.witnessed === true
        ? await witnessed.covering(size)
        : witnessed.complete(await head.covering(size)),
    witnessed: () => witnessed.latest,
    has: (position) => position < size(),
    tile: async (tile) => (covers(tile.level, tile.index, tile.width) ? await tree.tile(tile) : undefined),
    bundle: async (index, width) =>
      covers('entries', index, width) ? formatBundle(await text.lines(index * tileWidth, width)) : undefined,
    line: (position) => text.line(position),
    inclusion: (position, size) => tree.inclusion(position, size),
    consistency: (old, size) => tree.consistency(old, size),
    subtrees: (range) => tree.subtrees(range),
  }
}
