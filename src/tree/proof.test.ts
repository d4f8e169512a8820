import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { emptyRoot, type Hash, leafHash, nodeHash } from './hash.ts'
import {
  consistencyRanges,
  hashesOf,
  inclusionRanges,
  isConsistent,
  rootOfInclusion,
  RunRoot,
} from './proof.ts'
import { subtreesOf, type SubtreeReader } from './range.ts'

const most = 1_000
const leaves = Array.from({ length: most }, (_, k) => leafHash(`entry ${k}`))

// RFC 6962, word for word: the slow way, remembered.
const remembered = new Map<string, Hash>()
function mth(from: number, to: number): Hash {
  if (to === from) return emptyRoot
  if (to - from === 1) return leaves[from] ?? emptyRoot
  const name = `${from} ${to}`
  const known = remembered.get(name)
  if (known !== undefined) return known
  const k = splitOf(to - from)
  const root = nodeHash(mth(from, from + k), mth(from + k, to))
  remembered.set(name, root)
  return root
}

function splitOf(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}

// PATH(m, D[n]) of section 2.1.1.
function pathOf(m: number, from: number, to: number): Hash[] {
  if (to - from === 1) return []
  const k = splitOf(to - from)
  return m < k
    ? [...pathOf(m, from, from + k), mth(from + k, to)]
    : [...pathOf(m - k, from + k, to), mth(from, from + k)]
}

// SUBPROOF(m, D[n], b) of section 2.1.2.
function subproof(m: number, from: number, to: number, isWhole: boolean): Hash[] {
  if (m === to - from) return isWhole ? [] : [mth(from, to)]
  const k = splitOf(to - from)
  return m <= k
    ? [...subproof(m, from, from + k, isWhole), mth(from + k, to)]
    : [...subproof(m - k, from + k, to, false), mth(from, from + k)]
}

const read: SubtreeReader = ({ height, index }) => mth(index * 2 ** height, (index + 1) * 2 ** height)
const other = leafHash('other')

describe('inclusion proofs', () => {
  test('for every size up to 1,000 they are those of RFC 6962, and lead to the root', async () => {
    for (let size = 1; size <= most; size += 1) {
      const step = size <= 70 ? 1 : 1 + Math.floor(size / 9)
      for (let index = 0; index < size; index += step) {
        const proof = await hashesOf(inclusionRanges(index, size), read)
        assert.deepEqual(proof, pathOf(index, 0, size), `${index} of ${size}`)
        assert.equal(rootOfInclusion(leaves[index] ?? other, index, size, proof), mth(0, size))
      }
    }
  })

  test('another leaf, place, size or hash leads elsewhere', async () => {
    for (const [index, size] of [
      [0, 2],
      [5, 7],
      [63, 64],
      [64, 65],
      [500, 777],
    ] as const) {
      const leaf = leaves[index] ?? other
      const proof = await hashesOf(inclusionRanges(index, size), read)
      const root = mth(0, size)
      assert.notEqual(rootOfInclusion(other, index, size, proof), root)
      assert.notEqual(rootOfInclusion(leaf, index ^ 1, size, proof), root)
      assert.equal(rootOfInclusion(leaf, index, size, proof.slice(1)), undefined)
      assert.equal(rootOfInclusion(leaf, index, size, [...proof, other]), undefined)
      assert.equal(rootOfInclusion(leaf, size, size, proof), undefined)
      assert.equal(rootOfInclusion(leaf, -1, size, proof), undefined)
      for (let k = 0; k < proof.length; k += 1)
        assert.notEqual(rootOfInclusion(leaf, index, size, proof.with(k, other)), root)
    }
  })
})

describe('consistency proofs', () => {
  test('for every pair of sizes up to 100, and many up to 1,000, they are those of RFC 6962 and hold', async () => {
    for (let size = 1; size <= most; size += size < 100 ? 1 : 29) {
      for (let old = 1; old <= size; old += size <= 100 ? 1 : 17) {
        const proof = await hashesOf(consistencyRanges(old, size), read)
        assert.deepEqual(proof, old === size ? [] : subproof(old, 0, size, true), `${old} of ${size}`)
        assert.ok(isConsistent({ old: { size: old, root: mth(0, old) }, size, root: mth(0, size), proof }))
      }
    }
  })

  test('every tree begins with the empty one', () => {
    assert.ok(isConsistent({ old: { size: 0, root: emptyRoot }, size: 9, root: mth(0, 9), proof: [] }))
    assert.deepEqual(consistencyRanges(0, 9), [])
  })

  test('another root, size or hash does not hold', async () => {
    for (const [old, size] of [
      [1, 2],
      [3, 7],
      [64, 65],
      [63, 64],
      [4, 1000],
      [400, 777],
    ] as const) {
      const proof = await hashesOf(consistencyRanges(old, size), read)
      const good = { old: { size: old, root: mth(0, old) }, size, root: mth(0, size), proof }
      assert.ok(isConsistent(good))
      assert.ok(!isConsistent({ ...good, root: other }))
      assert.ok(!isConsistent({ ...good, old: { ...good.old, root: other } }))
      assert.ok(!isConsistent({ ...good, old: { ...good.old, size: old + 1 } }))
      assert.ok(!isConsistent({ ...good, proof: proof.slice(1) }))
      assert.ok(!isConsistent({ ...good, proof: [...proof, other] }))
      for (let k = 0; k < proof.length; k += 1)
        assert.ok(!isConsistent({ ...good, proof: proof.with(k, other) }), `hash ${k} of ${old} in ${size}`)
    }
    const same = { old: { size: 5, root: mth(0, 5) }, size: 5, root: mth(0, 5), proof: [] }
    assert.ok(isConsistent(same))
    assert.ok(!isConsistent({ ...same, root: other }))
    assert.ok(!isConsistent({ ...same, old: { size: 6, root: mth(0, 6) } }))
  })
})

describe('runs of entries', () => {
  test('a run is made of the fewest perfect subtrees', () => {
    assert.deepEqual(subtreesOf({ from: 3, to: 9 }), [
      { height: 0, index: 3 },
      { height: 2, index: 1 },
      { height: 0, index: 8 },
    ])
    assert.deepEqual(subtreesOf({ from: 7, to: 7 }), [])
    assert.deepEqual(subtreesOf({ from: 0, to: 256 }), [{ height: 8, index: 0 }])
  })

  test('a run with what stands before it and behind it leads to the root, for all runs of trees up to 50', () => {
    for (let size = 0; size <= 50; size += 1) {
      for (let from = 0; from <= size; from += 1) {
        for (let to = from; to <= size; to += 1)
          assert.equal(rootOfRun(from, to, size), mth(0, size), `[${from}, ${to}) of ${size}`)
      }
    }
    for (const [from, to, size] of [
      [0, 0, 1000],
      [999, 1000, 1000],
      [255, 257, 900],
      [256, 512, 777],
    ] as const)
      assert.equal(rootOfRun(from, to, size), mth(0, size))
  })

  test('a leaf that is missing, added or another leads elsewhere', () => {
    const run = leaves.slice(10, 20)
    assert.notEqual(rootOfRun(10, 20, 40, run.with(4, other)), mth(0, 40))
    assert.notEqual(rootOfRun(10, 20, 40, run.toSpliced(4, 1)), mth(0, 40))
    assert.notEqual(rootOfRun(10, 20, 40, run.toSpliced(4, 0, other)), mth(0, 40))
  })

  test('hashes that cannot stand there are no proof', () => {
    assert.equal(RunRoot.begin(3, []), undefined)
    const begun = RunRoot.begin(4, [mth(0, 4)])
    begun?.add(leaves[4] ?? other)
    assert.equal(begun?.leaves, 1)
    assert.equal(begun?.end(4, []), undefined)
    assert.equal(begun?.end(9, []), undefined)
  })
})

function rootOfRun(from: number, to: number, size: number, run = leaves.slice(from, to)): Hash | undefined {
  const rootsOf = (from: number, to: number) =>
    subtreesOf({ from, to }).map((subtree) => read(subtree) as Hash)
  const root = RunRoot.begin(from, rootsOf(0, from))
  for (const leaf of run) root?.add(leaf)
  return root?.end(size, rootsOf(to, size))
}
