// What every SegmentStore must do, as tests that take nothing but a way to make one. An implementation's own test
// calls `segmentStoreSuite`; whoever writes a store elsewhere can do the same.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SegmentStore } from './segment-store.ts'

/** A store under test. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: SegmentStore
  /** The store as it is opened again after the machine lost its power, without `store` being closed. */
  crash(): Promise<SegmentStore>
}

/** Declares the tests. */
export function segmentStoreSuite(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`SegmentStore: ${name}`, () => {
    test('I1: what was appended durably is there after a crash', async () => {
      await using under = await make()
      await under.store.begin(0)
      assert.deepEqual(await under.store.append(0, 0, Buffer.from('one\n')), { outcome: 'durable' })
      assert.deepEqual(await under.store.append(0, 4, Buffer.from('two\n')), { outcome: 'durable' })
      await using again = await under.crash()
      assert.equal(await textOf(again, 0), 'one\ntwo\n')
      assert.deepEqual(await again.list(), [{ first: 0, bytes: 8, seal: undefined }])
    })

    test('a segment that was begun and never written is there, empty, or not there, after a crash', async () => {
      await using under = await make()
      await under.store.begin(0)
      await using again = await under.crash()
      for (const segment of await again.list())
        assert.deepEqual(segment, { first: 0, bytes: 0, seal: undefined })
    })

    test('segments are listed in the order of their positions', async () => {
      await using under = await make()
      for (const first of [0, 256, 1024, 99_840]) {
        await under.store.begin(first)
        await under.store.append(first, 0, Buffer.from(`${first}\n`))
      }
      const list = await under.store.list()
      assert.deepEqual(
        list.map((segment) => segment.first),
        [0, 256, 1024, 99_840],
      )
    })

    test('a segment that has entries cannot be begun again', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\n'))
      await assert.rejects(under.store.begin(0))
      assert.equal(await textOf(under.store, 0), 'one\n')
    })

    test('a seal survives a crash, and names its segment', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\n'))
      await under.store.seal(0, 'sealed\n')
      await using again = await under.crash()
      assert.deepEqual(await again.list(), [{ first: 0, bytes: 4, seal: 'sealed\n' }])
    })

    test('renew keeps exactly the prefix, and those who read go on reading', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\ntwo\n'))
      await using reader = await under.store.open(0)
      await under.store.renew(0, 4)
      assert.equal(await textOf(under.store, 0), 'one\n')
      const buffer = Buffer.alloc(4)
      assert.equal(await reader.read(buffer, 0), 4)
      assert.equal(buffer.toString(), 'one\n')
      assert.deepEqual(await under.store.append(0, 4, Buffer.from('three\n')), { outcome: 'durable' })
      await using again = await under.crash()
      assert.equal(await textOf(again, 0), 'one\nthree\n')
    })

    test('renew of more bytes than there are fails and changes nothing', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\n'))
      await assert.rejects(under.store.renew(0, 5))
      assert.equal(await textOf(under.store, 0), 'one\n')
    })

    test('what is set aside gets a name of its own each time', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\ntwo\n'))
      assert.notEqual(await under.store.setAside(0, 4), await under.store.setAside(0, 4))
      assert.equal(await textOf(under.store, 0), 'one\ntwo\n')
    })

    test('derived objects are put, replaced, dropped, and absent where they never were', async () => {
      await using under = await make()
      assert.equal(await under.store.getDerived('tile/1/000'), undefined)
      await under.store.putDerived('tile/1/000', Buffer.from('old'))
      await under.store.putDerived('tile/1/000', Buffer.from('new'))
      assert.equal(String(await under.store.getDerived('tile/1/000')), 'new')
      await under.store.dropDerived('tile/1/000')
      await under.store.dropDerived('tile/1/000')
      assert.equal(await under.store.getDerived('tile/1/000'), undefined)
    })

    test('the head is the last one put, also after a crash', async () => {
      await using under = await make()
      assert.equal(await under.store.getHead(), undefined)
      await under.store.putHead('a\n1\n')
      await under.store.putHead('a\n2\n')
      await using again = await under.crash()
      assert.equal(await again.getHead(), 'a\n2\n')
    })

    test('each note is the last one put, also after a crash', async () => {
      await using under = await make()
      assert.equal(await under.store.getNote('witnessed'), undefined)
      await under.store.putNote('witnessed', 'a\n1\n')
      await under.store.putNote('contradicted', 'b\n')
      await under.store.putNote('witnessed', 'a\n2\n')
      await using again = await under.crash()
      assert.deepEqual(
        [await again.getNote('witnessed'), await again.getNote('contradicted')],
        ['a\n2\n', 'b\n'],
      )
    })

    test('reading behind the end gives nothing', async () => {
      await using under = await make()
      await under.store.begin(0)
      await under.store.append(0, 0, Buffer.from('one\n'))
      await using reader = await under.store.open(0)
      assert.equal(await reader.read(Buffer.alloc(8), 4), 0)
    })
  })
}

/** All of a segment's text. */
export async function textOf(store: SegmentStore, first: number): Promise<string> {
  await using reader = await store.open(first)
  const parts: Buffer[] = []
  for (let offset = 0; ;) {
    const buffer = Buffer.alloc(64 * 1024)
    const read = await reader.read(buffer, offset)
    if (read === 0) return Buffer.concat(parts).toString()
    parts.push(buffer.subarray(0, read))
    offset += read
  }
}
