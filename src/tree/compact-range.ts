// The right edge of a growing Merkle tree: the roots of its perfect subtrees, largest first. It takes
// O(log n) memory, grows by a leaf or by a whole subtree, and knows the root of the whole.
//
// Worked example, 7 leaves: the perfect subtrees are [0, 4), [4, 6) and [6, 7); the root is
// node([0, 4), node([4, 6), [6, 7))).

import assert from 'node:assert/strict'
import { foldRight, type Hash, nodeHash } from './hash.ts'

/** Told of every perfect subtree of 2^height leaves as it is completed; `index` counts those of its height. */
export type SubtreeListener = (height: number, index: number, root: Hash) => void

/** Asserts that a number counts something: a non-negative safe integer. */
export function assertPosition(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not a position: ${value}`)
}

/** The tree over the first `size` leaves, as far as its growth and its root need it. */
export class CompactRange {
  #size = 0
  readonly #heights: number[] = []
  readonly #roots: Hash[] = []

  /** How many leaves it covers. */
  get size(): number {
    return this.#size
  }

  /** The roots of the perfect subtrees that it is made of, the largest first. */
  get roots(): readonly Hash[] {
    return this.#roots
  }

  /**
   * Adds a perfect subtree of 2^height leaves at the right edge, a leaf by default. The size must be a
   * multiple of 2^height. `completed` hears of the subtrees that this completes, the added one first.
   */
  append(root: Hash, height = 0, completed?: SubtreeListener): void {
    const width = 2 ** height
    assert(this.#size % width === 0, `a subtree of 2^${height} leaves cannot stand at ${this.#size}`)
    this.#size += width
    let joined = root
    let at = height
    completed?.(at, this.#size / width - 1, joined)
    while (this.#heights.at(-1) === at) {
      const left = this.#roots.pop()
      this.#heights.pop()
      assert(left !== undefined)
      joined = nodeHash(left, joined)
      at += 1
      completed?.(at, this.#size / 2 ** at - 1, joined)
    }
    this.#heights.push(at)
    this.#roots.push(joined)
  }

  /** The root of the tree (RFC 6962, section 2.1). */
  root(): Hash {
    return foldRight(this.#roots)
  }
}

/** The root of the tree over exactly these hashes, each of a subtree of one common height. */
export function rootOf(hashes: readonly Hash[]): Hash {
  const range = new CompactRange()
  for (const hash of hashes) range.append(hash)
  return range.root()
}
