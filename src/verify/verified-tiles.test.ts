import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rootOf } from '../tree/compact-range.ts'
import { bytesOfHash, leafHash } from '../tree/hash.ts'
import { leavesPerHash, tileWidth } from '../tree/tile.ts'
import { NotProved } from './not-proved.ts'
import { type KeptTiles, VerifiedTiles } from './verified-tiles.ts'

const leaves = Array.from({ length: 70_000 }, (_, k) => leafHash(`leaf ${k}`))

const kept: KeptTiles = ({ level, index, width }) => {
  const per = leavesPerHash(level)
  const at = (k: number) => (index * tileWidth + k) * per
  return Buffer.concat(
    Array.from({ length: width }, (_, k) => bytesOfHash(rootOf(leaves.slice(at(k), at(k + 1))))),
  )
}

const head = (size: number) => ({ size, root: rootOf(leaves.slice(0, size)) })

function refused(reason: NotProved['reason']) {
  return (error: unknown) => error instanceof NotProved && error.reason === reason
}

describe('leaf hashes out of kept tiles', () => {
  test('are those of the tree, wherever they stand, in trees of many sizes', () => {
    for (const size of [1, 255, 256, 257, 511, 512, 65_536, 70_000]) {
      const tiles = new VerifiedTiles(head(size), kept)
      for (const position of [0, 1, 255, 256, 300, size - 257, size - 1])
        if (position >= 0 && position < size)
          assert.equal(tiles.leaf(position), leaves[position], `${position} of ${size}`)
    }
  })

  test('a tile of which a bit was changed is found, at every level', () => {
    for (const [level, index] of [
      [0, 5],
      [0, 273],
      [1, 0],
      [1, 1],
      [2, 0],
    ] as const) {
      const forged: KeptTiles = (tile) => {
        const bytes = kept(tile)
        if (bytes !== undefined && tile.level === level && tile.index === index)
          bytes[40 % bytes.length] = (bytes[40 % bytes.length] ?? 0) ^ 1
        return bytes
      }
      assert.throws(
        () => new VerifiedTiles(head(70_000), forged).leaf(5 * 256 + 1),
        refused('contradicted'),
        `${level}/${index}`,
      )
    }
  })

  test('a tile that was not kept, or is too short, is named', () => {
    assert.throws(() => new VerifiedTiles(head(300), () => undefined), refused('malformed'))
    const short: KeptTiles = (tile) => kept(tile)?.subarray(1)
    assert.throws(() => new VerifiedTiles(head(300), short), refused('malformed'))
    const partly: KeptTiles = (tile) => (tile.level === 0 && tile.index === 3 ? undefined : kept(tile))
    const tiles = new VerifiedTiles(head(70_000), partly)
    assert.equal(tiles.leaf(0), leaves[0])
    assert.throws(() => tiles.leaf(3 * 256), /tile 0\/3 of 256 hashes was not kept/)
  })
})
