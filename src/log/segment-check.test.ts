import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { openFileSegmentStore } from '../store/file-segment-store.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { rootOf } from '../tree/compact-range.ts'
import { bytesOfHash, type Hash, leafHash } from '../tree/hash.ts'
import { indexName, tileName } from './layout.ts'
import { formatSeal } from './seal.ts'
import { checkSegment } from './segment-check.ts'
import { SegmentIndex } from './segment-index.ts'

const line = 'a line'
const root = rootOf(Array.from({ length: 256 }, () => leafHash(line)))

/** A store with one sealed segment of one block, which the checks here take for one in the middle of a log. */
async function storeAt(
  first: number,
): Promise<{ store: SegmentStore; check: () => Promise<string | undefined> }> {
  const store = await openFileSegmentStore(new FaultyDisk(), { directory: '/log', cutDirectory: '/cut' })
  const text = `${line}\n`.repeat(256)
  await store.begin(first)
  assert.equal((await store.append(first, 0, Buffer.from(text))).outcome, 'durable')
  const segment = { first, base: 0, entries: 256, bytes: text.length, firstTime: 1, lastTime: 1 }
  await store.seal(first, formatSeal(segment, createHash('sha256').update(text).digest('hex')))
  const index = new SegmentIndex(first)
  for (let k = 0; k < 256; k++) index.add(1, line.length + 1)
  index.setRoot(0, root)
  await store.putDerived(indexName(first), index.encode())
  const [stored] = await store.list()
  const check = async () => (await checkSegment(store, segment, stored, async () => undefined)).reason
  return { store, check }
}

function tileOf(slots: Readonly<Record<number, Hash>>): Buffer {
  return Buffer.concat(Array.from({ length: 256 }, (_, k) => bytesOfHash(slots[k] ?? leafHash('another'))))
}

test('the blocks of a segment are compared with the tile over them, and only those', async () => {
  const { store, check } = await storeAt(3 * 256)
  assert.equal(await check(), undefined, 'a tile that is missing is made when it is needed')
  await store.putDerived(tileName(1, 0), tileOf({ 3: root }))
  assert.equal(await check(), undefined)
  await store.putDerived(tileName(1, 0), tileOf({ 2: root }))
  assert.equal(await check(), 'tile 1/0 is not that of the text')
  await store.putDerived(tileName(1, 0), Buffer.alloc(31))
  assert.equal(await check(), 'tile 1/0 is not that of the text')
})

test('a tile that ends with a segment is compared with the one above it, and that one likewise', async () => {
  const { store, check } = await storeAt(256 ** 3 - 256)
  const [one, two] = [tileOf({ 255: root }), (hash: Hash) => tileOf({ 255: hash })]
  const over = (tile: Buffer) =>
    rootOf(Array.from({ length: 256 }, (_, k) => tile.toString('latin1', 32 * k, 32 * (k + 1)) as Hash))
  const last = 256 ** 2 / 256 - 1
  await store.putDerived(tileName(1, last), one)
  assert.equal(await check(), undefined)
  await store.putDerived(tileName(2, 0), two(over(one)))
  await store.putDerived(tileName(3, 0), tileOf({ 0: over(two(over(one))) }))
  assert.equal(await check(), undefined)
  await store.putDerived(tileName(3, 0), tileOf({}))
  assert.equal(await check(), 'tile 3/0 is not that of the text')
  await store.putDerived(tileName(2, 0), tileOf({}))
  assert.equal(await check(), 'tile 2/0 is not that of the text')
})
