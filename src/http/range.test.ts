import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseRange } from './range.ts'

test('R4: one range of bytes is the part that it names', () => {
  assert.deepEqual(parseRange('bytes=0-0', 10), { start: 0, end: 1 })
  assert.deepEqual(parseRange('bytes=2-5', 10), { start: 2, end: 6 })
  assert.deepEqual(parseRange('bytes=7-', 10), { start: 7, end: 10 })
  assert.deepEqual(parseRange('bytes=7-99999999999999999999', 10), { start: 7, end: 10 })
  assert.deepEqual(parseRange('bytes=-3', 10), { start: 7, end: 10 })
  assert.deepEqual(parseRange('bytes=-30', 10), { start: 0, end: 10 })
  assert.deepEqual(parseRange('Bytes= 1-2 ,', 10), { start: 1, end: 3 })
})

test('E8: a range that begins behind the end, or is empty, cannot be satisfied', () => {
  for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-']) {
    assert.equal(parseRange(range, 10), 'unsatisfiable', range)
  }
  assert.equal(parseRange('bytes=0-', 0), 'unsatisfiable')
  assert.equal(parseRange('bytes=-5', 0), 'unsatisfiable')
})

test('R4: several ranges, other units and what is no range are ignored', () => {
  const ignored = [
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes=5-3',
    'bytes=',
    'bytes=-',
    'bytes',
    'bytes=a-b',
    '',
    '0-1',
  ]
  for (const range of [...ignored, 'bytes=+1-2', 'bytes=1 - 2', 'bytes =0-1', 'bytes=0x1-2', 'bytes=1-2-3']) {
    assert.equal(parseRange(range, 10), undefined, range)
  }
  assert.equal(parseRange(undefined, 10), undefined)
})

test('R4: a range names the same bytes as in a model that tries each offset', () => {
  const edge = fc.option(fc.nat(40), { nil: undefined })
  fc.assert(
    fc.property(edge, edge, fc.nat(30), (first, last, bytes) => {
      const part = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, bytes)
      const offsets = Array.from({ length: bytes }, (_, i) => i)
      const wanted = offsets.filter((offset) => isNamed(offset, first, last, bytes))
      if ((first === undefined && last === undefined) || (first ?? 0) > (last ?? Infinity)) {
        assert.equal(part, first === undefined && last !== undefined ? part : undefined)
      } else if (wanted.length === 0) assert.equal(part, 'unsatisfiable')
      else assert.deepEqual(part, { start: wanted[0], end: (wanted.at(-1) ?? 0) + 1 })
    }),
  )
})

function isNamed(
  offset: number,
  first: number | undefined,
  last: number | undefined,
  bytes: number,
): boolean {
  if (first === undefined) return offset >= bytes - (last ?? 0)
  return offset >= first && offset <= (last ?? Infinity)
}

test('R4: no header makes the parser throw, or name bytes that are not there', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, bytes) => {
      const part = parseRange(`bytes=${text}`, bytes)
      if (part === undefined || part === 'unsatisfiable') return
      assert.ok(part.start >= 0 && part.start < part.end && part.end <= bytes)
    }),
  )
})
