// Inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2): which runs of leaves each is made of, and
// whether the hashes that somebody shows for them fit.

import { assertPosition, CompactRange } from './compact-range.ts'
import { type Hash, nodeHash } from './hash.ts'
import { hashOfRange, type LeafRange, subtreesOf, type SubtreeReader } from './range.ts'

/** The largest power of two below `size`, which is at least 2. */
function split(size: number): number {
  let k = 1
  while (2 * k < size) k *= 2
  return k
}

/** The runs whose hashes prove that the leaf at `index` is in the tree of `size` leaves: its sibling first. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  assertPosition(index)
  if (index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  const ranges: LeafRange[] = []
  for (let from = 0, to = size; to - from > 1;) {
    const middle = from + split(to - from)
    const isLeft = index < middle
    ranges.unshift(isLeft ? { from: middle, to } : { from, to: middle })
    if (isLeft) to = middle
    else from = middle
  }
  return ranges
}

/** The runs whose hashes prove that the tree of `size` leaves begins with the one of `old` leaves. */
export function consistencyRanges(old: number, size: number): LeafRange[] {
  assertPosition(old)
  if (old > size) throw new RangeError(`a tree of ${old} leaves is no beginning of one of ${size}`)
  if (old === 0 || old === size) return []
  const ranges: LeafRange[] = []
  let [from, to] = [0, size]
  while (to !== old) {
    const middle = from + split(to - from)
    const isLeft = old <= middle
    ranges.unshift(isLeft ? { from: middle, to } : { from, to: middle })
    if (isLeft) to = middle
    else from = middle
  }
  // The old tree's own last subtree: known to whoever has the old root, where that is all of the old tree.
  return from === 0 ? ranges : [{ from, to }, ...ranges]
}

/** The hashes of runs. */
export async function hashesOf(ranges: readonly LeafRange[], read: SubtreeReader): Promise<Hash[]> {
  const hashes: Hash[] = []
  for (const range of ranges) hashes.push(await hashOfRange(range, read))
  return hashes
}

/** The root that an inclusion proof leads to; undefined where it is none for this leaf and size. */
export function rootOfInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: readonly Hash[],
): Hash | undefined {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size)
    return undefined
  const ranges = inclusionRanges(index, size)
  if (ranges.length !== proof.length) return undefined
  return ranges.reduce<Hash>((root, { from }, k) => {
    const sibling = proof[k] ?? leaf
    return from > index ? nodeHash(root, sibling) : nodeHash(sibling, root)
  }, leaf)
}

/** What a consistency proof is about. */
export interface Consistency {
  readonly old: { readonly size: number; readonly root: Hash }
  readonly size: number
  readonly root: Hash
  readonly proof: readonly Hash[]
}

/** Whether a proof shows that the tree begins with the old one. */
export function isConsistent({ old, size, root, proof }: Consistency): boolean {
  if (!Number.isSafeInteger(old.size) || !Number.isSafeInteger(size) || old.size < 0 || old.size > size)
    return false
  if (old.size === size) return proof.length === 0 && old.root === root
  if (old.size === 0) return proof.length === 0
  const ranges = consistencyRanges(old.size, size)
  if (ranges.length !== proof.length) return false
  const first = ranges[0]
  const isShown = first !== undefined && first.to === old.size
  return climb(ranges, proof, isShown ? 1 : 0, isShown ? (proof[0] ?? old.root) : old.root, { old, root })
}

// From the old tree's last subtree upwards: what lies to the left belongs to both trees, what lies to the right to the
// new one alone.
function climb(
  ranges: readonly LeafRange[],
  proof: readonly Hash[],
  start: number,
  seed: Hash,
  { old, root }: Pick<Consistency, 'old' | 'root'>,
): boolean {
  let [before, now] = [seed, seed]
  for (let k = start; k < ranges.length; k += 1) {
    const [range, hash] = [ranges[k], proof[k]]
    if (range === undefined || hash === undefined) return false
    if (range.from >= old.size) now = nodeHash(now, hash)
    else [before, now] = [nodeHash(hash, before), nodeHash(hash, now)]
  }
  return before === old.root && now === root
}

/** What proves that a run of entries is one of a tree: the roots of the perfect subtrees before it and behind it. */
export interface RunProof {
  readonly before: readonly Hash[]
  readonly after: readonly Hash[]
}

/** The root that a run of leaves and its proof lead to. Leaves are added one by one, so that any number may come. */
export class RunRoot {
  readonly #range = new CompactRange()
  readonly #from: number

  /** Undefined where `before` cannot stand before a run from there. */
  static begin(from: number, before: readonly Hash[]): RunRoot | undefined {
    const subtrees = subtreesOf({ from: 0, to: from })
    if (subtrees.length !== before.length) return undefined
    const root = new RunRoot(from)
    before.forEach((hash, k) => root.#range.append(hash, subtrees[k]?.height ?? 0))
    return root
  }

  private constructor(from: number) {
    this.#from = from
  }

  /** How many leaves were added. */
  get leaves(): number {
    return this.#range.size - this.#from
  }

  /** Adds the next leaf. */
  add(leaf: Hash): void {
    this.#range.append(leaf)
  }

  /** The root of the tree of `size` leaves; undefined where `after` cannot stand behind the run in it. */
  end(size: number, after: readonly Hash[]): Hash | undefined {
    if (size < this.#range.size) return undefined
    const subtrees = subtreesOf({ from: this.#range.size, to: size })
    if (subtrees.length !== after.length) return undefined
    after.forEach((hash, k) => this.#range.append(hash, subtrees[k]?.height ?? 0))
    return this.#range.root()
  }
}
