import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Cut, cutLines } from './cut-lines.ts'

const lineBytes = 8

/** Cuts as following does: what has come so far, at some moments, from where the last cut ended. */
function cutAsItComes(bytes: Buffer, moments: readonly number[], most: number): string[] {
  const pieces: string[] = []
  let [from, isWithin] = [0, false]
  for (const moment of [...moments.toSorted((a, b) => a - b), bytes.length]) {
    const come = bytes.subarray(0, moment)
    const isComplete = moment === bytes.length
    for (;;) {
      const cuts: Cut[] = cutLines(come, { from, isWithin, isComplete, most, lineBytes })
      const last = cuts.at(-1)
      if (last === undefined) break
      for (const { start, end, isPiece } of cuts)
        pieces.push(`${start} ${isPiece ? 'piece' : 'line'} ${bytes.toString('latin1', start, end)}`)
      from = last.next
      isWithin = last.isWithin
    }
  }
  return pieces
}

const text = fc
  .array(fc.constantFrom('a', 'b', '\n', '\0', 'longlonglong', 'exactly8'), { maxLength: 30 })
  .map((parts) => Buffer.from(parts.join('')))

test('I4: where lines and pieces are cut depends on the file alone, not on when it is read', () => {
  fc.assert(
    fc.property(
      text,
      fc.array(fc.nat({ max: 200 })),
      fc.integer({ min: 1, max: 4 }),
      (bytes, moments, most) => {
        const within = moments.map((moment) => Math.min(moment, bytes.length))
        assert.deepEqual(cutAsItComes(bytes, within, most), cutAsItComes(bytes, [], 1_000))
      },
    ),
  )
})

test('nothing of a file is left out but the newlines', () => {
  fc.assert(
    fc.property(text, (bytes) => {
      const cuts = cutLines(bytes, { from: 0, isWithin: false, isComplete: true, most: 1_000, lineBytes })
      const kept = cuts.map(({ start, end }) => bytes.toString('latin1', start, end)).join('')
      assert.equal(kept, bytes.toString('latin1').replaceAll('\n', ''))
      for (const { start, end } of cuts) assert.ok(end - start <= lineBytes)
    }),
  )
})

test('a line of the longest size is one line, a longer one is pieces', () => {
  const kinds = (line: string) =>
    cutLines(Buffer.from(`${line}\n`), {
      from: 0,
      isWithin: false,
      isComplete: false,
      most: 9,
      lineBytes,
    }).map(({ start, end, isPiece }) => [end - start, isPiece])
  assert.deepEqual(kinds('12345678'), [[8, false]])
  assert.deepEqual(kinds('123456789'), [
    [8, true],
    [1, true],
  ])
})
