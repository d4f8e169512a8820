import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatheredRead } from './gathered-read.ts'

test('those who ask together share one read, which begins after the last of them asked', async () => {
  const reads = new GatheredRead<number>()
  let value = 1
  let count = 0
  const read = async () => {
    count += 1
    return value
  }
  const first = reads.get('a', read)
  value = 2
  const second = reads.get('a', read)
  const other = reads.get('b', async () => -1)
  assert.deepEqual(await Promise.all([first, second, other]), [2, 2, -1])
  assert.equal(count, 1)
})

test('whoever asks while it is read has it read anew, and an error is told to all who shared it', async () => {
  const reads = new GatheredRead<number>()
  const begun = Promise.withResolvers<void>()
  const held = Promise.withResolvers<number>()
  const first = reads.get('a', () => {
    begun.resolve()
    return held.promise
  })
  const shared = reads.get('a', async () => 0)
  await begun.promise
  const later = reads.get('a', async () => 3)
  held.reject(new Error('gone'))
  await assert.rejects(first, /gone/)
  await assert.rejects(shared, /gone/)
  assert.equal(await later, 3)
})
