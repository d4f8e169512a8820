import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { realDisk } from './disk.ts'
import { openFileSegmentStore } from './file-segment-store.ts'
import { type StoreUnderTest, segmentStoreSuite, textOf } from './suite.ts'
import { FaultyDisk } from './testing/faulty-disk.ts'

const places = { directory: '/data/log', cutDirectory: '/data/cut' }

segmentStoreSuite('files on this machine', async (): Promise<StoreUnderTest> => {
  const directory = await mkdtemp(join(tmpdir(), 'annals-store-'))
  const at = { directory: join(directory, 'log'), cutDirectory: join(directory, 'cut') }
  const store = await openFileSegmentStore(realDisk, at)
  return {
    store,
    crash: () => openFileSegmentStore(realDisk, at),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
})

for (const [name, chance] of [
  ['that lose all that was not synced', undefined],
  ['that keep some of what was not synced', Math.random],
] as const) {
  segmentStoreSuite(`files on a disk ${name}`, async (): Promise<StoreUnderTest> => {
    const disk = new FaultyDisk()
    const store = await openFileSegmentStore(disk, places)
    return {
      store,
      crash: () => openFileSegmentStore(disk.powerLoss(chance), places),
      [Symbol.asyncDispose]: async () => await store[Symbol.asyncDispose](),
    }
  })
}

describe('file store', () => {
  test('I9: a full disk keeps nothing of what did not fit, and goes on when there is room', async () => {
    const disk = new FaultyDisk()
    await using store = await openFileSegmentStore(disk, places)
    await store.begin(0)
    await store.append(0, 0, Buffer.from('one\n'))
    disk.capacity = disk.used + 2
    const outcome = await store.append(0, 4, Buffer.from('two\n'))
    assert.equal(outcome.outcome, 'full')
    assert.equal(await textOf(store, 0), 'one\n')
    disk.capacity = Number.POSITIVE_INFINITY
    assert.equal((await store.append(0, 4, Buffer.from('two\n'))).outcome, 'durable')
    assert.equal(await textOf(await openFileSegmentStore(disk.powerLoss(), places), 0), 'one\ntwo\n')
  })

  test('I9: what did not fit is cut back, also where it is several pages', async () => {
    const disk = new FaultyDisk()
    await using store = await openFileSegmentStore(disk, places)
    await store.begin(0)
    await store.append(0, 0, Buffer.from('one\n'))
    disk.capacity = disk.used + 10_000
    assert.equal((await store.append(0, 4, Buffer.alloc(20_000, 'x'))).outcome, 'full')
    assert.equal(await textOf(await openFileSegmentStore(disk.powerLoss(), places), 0), 'one\n')
  })

  test('I1: after a failed sync the outcome is unknown, and renew brings back what is durable', async () => {
    const disk = new FaultyDisk()
    await using store = await openFileSegmentStore(disk, places)
    await store.begin(0)
    await store.append(0, 0, Buffer.from('one\n'))
    disk.onSync = () => 'fail'
    assert.equal((await store.append(0, 4, Buffer.from('two\n'))).outcome, 'unknown')
    disk.onSync = () => undefined
    await store.renew(0, 4)
    assert.equal((await store.append(0, 4, Buffer.from('three\n'))).outcome, 'durable')
    assert.equal(await textOf(await openFileSegmentStore(disk.powerLoss(), places), 0), 'one\nthree\n')
  })

  test('the disk of the tests lies after a failed sync, as real ones do', async () => {
    const disk = new FaultyDisk()
    await disk.makeDirectory('/d')
    const file = await disk.open('/d/f', 'create')
    await disk.syncDirectory('/d')
    await file.write(Buffer.from('one'), 0)
    disk.onSync = () => 'fail'
    await assert.rejects(file.datasync(), { code: 'EIO' })
    disk.onSync = () => undefined
    await file.datasync()
    assert.equal(String(disk.bytesOf('/d/f')), 'one')
    assert.deepEqual(disk.powerLoss().bytesOf('/d/f'), Buffer.alloc(3))
  })

  test('a begin that failed half-way can be repeated', async () => {
    const disk = new FaultyDisk()
    await using store = await openFileSegmentStore(disk, places)
    const syncDirectory = disk.syncDirectory.bind(disk)
    disk.syncDirectory = () => Promise.reject(new Error('no'))
    await assert.rejects(store.begin(0))
    disk.syncDirectory = syncDirectory
    await store.begin(0)
    assert.equal((await store.append(0, 0, Buffer.from('one\n'))).outcome, 'durable')
  })

  test('files are for their owner alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'annals-store-'))
    await using store = await openFileSegmentStore(realDisk, {
      directory,
      cutDirectory: join(directory, 'cut'),
    })
    await store.begin(0)
    await store.putHead('head')
    const { statSync } = await import('node:fs')
    for (const name of await readdir(directory, { recursive: true })) {
      assert.equal(statSync(join(directory, name)).mode & 0o077, 0, name)
    }
    await rm(directory, { recursive: true })
  })
})
