import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventIds } from './event-id.ts'

test('an id is a UUID of version 4 in lower case, made of the bytes that it is given', () => {
  let next = 0
  const ids = new EventIds((bytes) => bytes.forEach((_, k) => (bytes[k] = next++ & 255)))
  assert.equal(ids.next(), '00010203-0405-4607-8809-0a0b0c0d0e0f')
  assert.equal(ids.next(), '10111213-1415-4617-9819-1a1b1c1d1e1f')
})

test('ids are all different, and none is used up twice', () => {
  const ids = new EventIds()
  const all = Array.from({ length: 10_000 }, () => ids.next())
  assert.equal(new Set(all).size, all.length)
  for (const id of all)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
