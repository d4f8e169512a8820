// Runs of leaves as the perfect subtrees that they are made of. Every proof of a Merkle tree is a list of hashes of runs,
// and every hash of a run is folded from its perfect subtrees: from this the rest of the folder is built.
//
// Worked example: the run [3, 9) is made of [3, 4), [4, 8) and [8, 9).

import assert from 'node:assert/strict'
import { assertPosition } from './compact-range.ts'
import { foldRight, type Hash } from './hash.ts'

/** The leaves [from, to). */
export interface LeafRange {
  readonly from: number
  readonly to: number
}

/** A perfect subtree: of 2^height leaves, the `index`-th of those, counted from 0. */
export interface Subtree {
  readonly height: number
  readonly index: number
}

/** Gives the root of a perfect subtree. */
export type SubtreeReader = (subtree: Subtree) => Hash | Promise<Hash>

/** The perfect subtrees of a run, from left to right: the fewest that there are. */
export function subtreesOf({ from, to }: LeafRange): Subtree[] {
  assertPosition(from)
  assertPosition(to)
  assert(from <= to, `a run from ${from} to ${to}`)
  const subtrees: Subtree[] = []
  for (let at = from; at < to;) {
    let height = 0
    let width = 1
    while (at % (2 * width) === 0 && at + 2 * width <= to) {
      width *= 2
      height += 1
    }
    subtrees.push({ height, index: at / width })
    at += width
  }
  return subtrees
}

/** The hash of a run as RFC 6962 has it in its proofs: MTH(D[from:to]). */
export async function hashOfRange(range: LeafRange, read: SubtreeReader): Promise<Hash> {
  const roots: Hash[] = []
  for (const subtree of subtreesOf(range)) roots.push(await read(subtree))
  return foldRight(roots)
}
