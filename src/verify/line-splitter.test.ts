import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyLineBytes } from '../limits.ts'
import { LineSplitter } from './line-splitter.ts'

function split(pieces: readonly Buffer[]): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter(
    (bytes, start, end) => void lines.push(bytes.toString('latin1', start, end)),
  )
  const buffer = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)))
  for (const piece of pieces) splitter.push(buffer.subarray(0, piece.copy(buffer)))
  splitter.end()
  return lines
}

test('lines are the same however the text is cut, and although the pieces share one buffer', () => {
  const text = fc
    .array(fc.constantFrom('a', 'bc', '\n', '\r\n', ''), { maxLength: 40 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, fc.array(fc.nat(8), { maxLength: 60 }), (text, sizes) => {
      const bytes = Buffer.from(text)
      const pieces: Buffer[] = []
      let at = 0
      for (const size of sizes) pieces.push(bytes.subarray(at, (at += size)))
      pieces.push(bytes.subarray(at))
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(split(pieces), expected)
    }),
  )
})

test('of a line that is too long its beginning is given, and the next one whole', () => {
  const long = Buffer.alloc(verifyLineBytes + 5, 'x')
  const rest = Buffer.from('y\nnext')
  const lines = split([long.subarray(0, 1000), long.subarray(1000), rest])
  assert.deepEqual(
    lines.map((line) => line.length),
    [verifyLineBytes, 4],
  )
  assert.deepEqual(
    split([Buffer.concat([long, rest])]).map((line) => line.length),
    [verifyLineBytes, 4],
  )
})
