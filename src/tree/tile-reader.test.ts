import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rootOf } from './compact-range.ts'
import { bytesOfHash, leafHash } from './hash.ts'
import { consistencyRanges, hashesOf, inclusionRanges, isConsistent, rootOfInclusion } from './proof.ts'
import { leavesPerHash, tileWidth } from './tile.ts'
import { tileReader, type TileSource } from './tile-reader.ts'

const leaves = Array.from({ length: 1_000 }, (_, k) => leafHash(`leaf ${k}`))

const source: TileSource = async ({ level, index, width }) => {
  const per = leavesPerHash(level)
  const at = (k: number) => (index * tileWidth + k) * per
  return Buffer.concat(
    Array.from({ length: width }, (_, k) => bytesOfHash(rootOf(leaves.slice(at(k), at(k + 1))))),
  )
}

describe('subtrees out of tiles', () => {
  test('make proofs of inclusion and of consistency for sizes up to 1,000', async () => {
    for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 999, 1_000]) {
      const read = tileReader(size, source)
      const root = rootOf(leaves.slice(0, size))
      for (const index of [0, Math.floor(size / 3), size - 1]) {
        const proof = await hashesOf(inclusionRanges(index, size), read)
        assert.equal(rootOfInclusion(leaves[index] ?? leafHash(''), index, size, proof), root)
      }
      for (const old of [1, Math.floor(size / 2), size - 1, size].filter((old) => old > 0)) {
        const proof = await hashesOf(consistencyRanges(old, size), read)
        assert.ok(isConsistent({ old: { size: old, root: rootOf(leaves.slice(0, old)) }, size, root, proof }))
      }
    }
  })

  test('each tile is asked for once', async () => {
    const asked: string[] = []
    const read = tileReader(1_000, async (tile) => {
      asked.push(`${tile.level}/${tile.index}.p/${tile.width}`)
      return await source(tile)
    })
    await hashesOf(consistencyRanges(700, 1_000), read)
    await hashesOf(inclusionRanges(700, 1_000), read)
    assert.deepEqual(asked.toSorted(), ['0/2.p/256', '0/3.p/232', '1/0.p/3'])
  })

  test('a tile that is too short is no tile', async () => {
    const read = tileReader(10, async () => Buffer.alloc(9 * 32))
    await assert.rejects(async () => await read({ height: 0, index: 0 }), RangeError)
  })
})
