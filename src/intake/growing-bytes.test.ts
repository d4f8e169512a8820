import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrowingBytes } from './growing-bytes.ts'

test('pieces become one, and what was taken is not kept', () => {
  const bytes = new GrowingBytes()
  assert.equal(bytes.take().length, 0)
  for (let k = 0; k < 100_000; k += 1) bytes.add(Buffer.of(k % 256))
  assert.equal(bytes.length, 100_000)
  const first = bytes.take()
  assert.deepEqual(
    [...first.subarray(0, 300)],
    Array.from({ length: 300 }, (_, k) => k % 256),
  )
  bytes.add(Buffer.from('more'))
  bytes.add(Buffer.from(' and more'))
  assert.equal(bytes.take().toString(), 'more and more')
  assert.equal(first[99_999], 99_999 % 256)
  assert.equal(bytes.length, 0)
})
