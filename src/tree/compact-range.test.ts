import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { CompactRange, rootOf } from './compact-range.ts'
import { bytesOfHash, emptyRoot, type Hash, leafHash, leafHashOfBytes, nodeHash, readHash } from './hash.ts'
import { tilePath } from './tile.ts'

// RFC 6962, section 2.1, word for word: the slow way, on Buffers.
function rootAfterRfc(entries: readonly Buffer[]): Buffer {
  const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [first] = entries
  if (first === undefined) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), first)
  let k = 1
  while (2 * k < entries.length) k *= 2
  return sha256(Buffer.of(1), rootAfterRfc(entries.slice(0, k)), rootAfterRfc(entries.slice(k)))
}

const hex = (hash: Hash) => bytesOfHash(hash).toString('hex')

describe('Merkle tree', () => {
  // The entries and roots that Certificate Transparency's implementations share.
  const published: [string, string][] = [
    ['', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    ['00', 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    ['10', 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    ['2021', 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    ['3031', '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    ['40414243', '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    ['5051525354555657', 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    ['606162636465666768696a6b6c6d6e6f', '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ]

  test('has the roots that are published for the eight well-known entries', () => {
    const range = new CompactRange()
    assert.equal(hex(range.root()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    for (const [entry, root] of published) {
      const bytes = Buffer.from(entry, 'hex')
      range.append(leafHashOfBytes(bytes, 0, bytes.length))
      assert.equal(hex(range.root()), root)
    }
  })

  test('has the root of RFC 6962 for every size up to 300', () => {
    const entries: Buffer[] = []
    const range = new CompactRange()
    assert.equal(range.root(), emptyRoot)
    for (let size = 1; size <= 300; size++) {
      const entry = `entry ${size} ä`
      entries.push(Buffer.from(entry))
      range.append(leafHash(entry))
      assert.equal(hex(range.root()), rootAfterRfc(entries).toString('hex'), `size ${size}`)
    }
  })

  test('grows by subtrees to the same root as by leaves, and names each subtree once', () => {
    const leaves = Array.from({ length: 700 }, (_, k) => leafHash(String(k)))
    const byLeaf = new CompactRange()
    const completed = new Set<string>()
    const blocks: Hash[] = []
    for (const leaf of leaves) {
      byLeaf.append(leaf, 0, (height, index, root) => {
        assert.ok(!completed.has(`${height}/${index}`))
        completed.add(`${height}/${index}`)
        assert.equal(root, rootOf(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)))
        if (height === 8) blocks.push(root)
      })
    }
    assert.equal(completed.size, 700 + 350 + 175 + 87 + 43 + 21 + 10 + 5 + 2 + 1)
    const byBlock = new CompactRange()
    for (const block of blocks) byBlock.append(block, 8)
    for (const leaf of leaves.slice(512)) byBlock.append(leaf)
    assert.equal(byBlock.root(), byLeaf.root())
    assert.equal(byBlock.size, 700)
  })

  test('refuses a subtree where it cannot stand', () => {
    const range = new CompactRange()
    range.append(leafHash('a'))
    assert.throws(() => range.append(leafHash('b'), 1), /cannot stand at 1/)
  })

  test('hashes bytes and text alike, and every byte of a node counts', () => {
    const text = 'Größe \u{1F600} §'
    const bytes = Buffer.from(`xx${text}yy`)
    assert.equal(leafHashOfBytes(bytes, 2, bytes.length - 2), leafHash(text))
    const hash = leafHash('a')
    assert.equal(readHash(Buffer.concat([Buffer.of(9), bytesOfHash(hash)]), 1), hash)
    assert.notEqual(nodeHash(hash, leafHash('b')), nodeHash(leafHash('b'), hash))
  })
})

describe('tile paths', () => {
  test('are those of C2SP tlog-tiles', () => {
    assert.equal(tilePath(0, 0), '0/000')
    assert.equal(tilePath(1, 999), '1/999')
    assert.equal(tilePath(1, 1000), '1/x001/000')
    assert.equal(tilePath(2, 1_234_067), '2/x001/x234/067')
  })
})

describe('checkpoint text', () => {
  const checkpoint = {
    origin: 'portal-01/audit-trail/api/v2/logs/x',
    size: 20_852_163,
    root: leafHash('root'),
  }

  test('reads back what it wrote', () => {
    assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), checkpoint)
    assert.equal(formatCheckpoint(checkpoint).split('\n').length, 4)
  })

  test('takes nothing but what it would write', () => {
    const text = formatCheckpoint(checkpoint)
    const wrong = [
      '',
      text.slice(0, -1),
      `${text}\n`,
      `${text}extension\n`,
      `\n${text}`,
      text.replace('20852163', '020852163'),
      text.replace('20852163', '-1'),
      text.replace('=\n', '\n'),
      text.replaceAll('\n', '\r\n'),
    ]
    for (const other of wrong) assert.equal(parseCheckpoint(other), undefined, JSON.stringify(other))
  })
})
