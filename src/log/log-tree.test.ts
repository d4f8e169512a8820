import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openFileSegmentStore } from '../store/file-segment-store.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { rootOf } from '../tree/compact-range.ts'
import { bytesOfHash, leafHash } from '../tree/hash.ts'
import { isConsistent, rootOfInclusion, RunRoot } from '../tree/proof.ts'
import { widthIn } from '../tree/tile.ts'
import { noteKeysOf, readDescription } from './description.ts'
import { dataLayout } from './layout.ts'
import { LogTree } from './log-tree.ts'
import { recover } from './recover.ts'
import { draft, linesOf, openTestLog, recordAll, texts } from './testing/log-under-test.ts'

/** A closed log of some entries, its tree, and the leaves as they follow from its text. */
async function treeOf(entries: number) {
  const { log, disk } = await openTestLog({ disk: new FaultyDisk(), segmentBytes: 64 * 1024 })
  for (let k = 0; k < entries; k += 4_000) await recordAll(log, texts(Math.min(4_000, entries - k), `e ${k}`))
  const lines = await linesOf(log)
  await log.record(draft(log, 'last'))
  await log.close()
  const layout = dataLayout('/data')
  const store = await openFileSegmentStore(disk, { directory: layout.log, cutDirectory: layout.cut })
  const description = await readDescription(disk, layout.log)
  assert.ok(description !== undefined)
  const keys = noteKeysOf(description)
  const { ledger, text } = await recover({
    store,
    id: log.id,
    origin: log.origin,
    keys,
    fault: () => undefined,
  })
  const leaves = lines.map((line) => leafHash(line))
  const tree = new LogTree({
    store,
    text,
    growing: (level, index) => ledger.growing(level, index),
    size: () => ledger.size,
  })
  return { tree, leaves, store, size: leaves.length, dispose: () => store[Symbol.asyncDispose]() }
}

describe('the tree of a log', () => {
  test('proofs of inclusion and consistency hold for sizes and places all over it', async () => {
    const { tree, leaves, size, dispose } = await treeOf(3_000)
    const sizes = [1, 2, 255, 256, 257, 511, 512, 700, 1_024, 2_999, size]
    for (const of of sizes) {
      const root = rootOf(leaves.slice(0, of))
      for (const position of [0, 1, 254, 255, 256, 300, 1_023, of - 1].filter((each) => each < of)) {
        const leaf = leaves[position]
        assert.ok(leaf !== undefined)
        const proof = await tree.inclusion(position, of)
        assert.equal(rootOfInclusion(leaf, position, of, proof), root, `${position} of ${of}`)
      }
      for (const old of sizes.filter((each) => each <= of)) {
        const proof = await tree.consistency(old, of)
        const before = { size: old, root: rootOf(leaves.slice(0, old)) }
        assert.ok(isConsistent({ old: before, size: of, root, proof }), `${old} of ${of}`)
      }
    }
    await dispose()
  })

  test('a run with the subtrees before it and behind it leads to the root', async () => {
    const { tree, leaves, size, dispose } = await treeOf(1_500)
    for (const [from, to] of [
      [0, 0],
      [0, size],
      [10, 11],
      [255, 513],
      [1_000, 1_000],
      [700, 1_499],
    ] as const) {
      const run = RunRoot.begin(from, await tree.subtrees({ from: 0, to: from }))
      for (const leaf of leaves.slice(from, to)) run?.add(leaf)
      assert.equal(run?.end(size, await tree.subtrees({ from: to, to: size })), rootOf(leaves))
    }
    await dispose()
  })

  test('tiles hold the hashes that C2SP tlog-tiles says, full and partial, and none that is not there yet', async () => {
    const { tree, leaves, size, dispose } = await treeOf(70_000)
    const hashAt = (level: number, index: number) =>
      rootOf(leaves.slice(index * 256 ** level, (index + 1) * 256 ** level))
    for (const [level, index] of [
      [0, 0],
      [0, 273],
      [1, 0],
      [1, 1],
      [2, 0],
    ] as const) {
      const width = widthIn(size, level, index)
      for (const of of new Set([1, Math.ceil(width / 2), width])) {
        const bytes = await tree.tile({ level, index, width: of })
        const expected = Array.from({ length: of }, (_, k) => bytesOfHash(hashAt(level, index * 256 + k)))
        assert.deepEqual(bytes, Buffer.concat(expected), `tile ${level}/${index} of ${of}`)
      }
    }
    assert.equal(await tree.tile({ level: 0, index: 273, width: 256 }), undefined)
    assert.equal(await tree.tile({ level: 2, index: 0, width: 2 }), undefined)
    await dispose()
  })
})
