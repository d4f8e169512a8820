import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { textsOf, WholeLines } from './ndjson.ts'

/** All lines of a text that comes in chunks of so many bytes. */
function linesOf(bytes: Uint8Array, chunkBytes: number, lineBytes = 1_000): (string | undefined)[] {
  const lines = new WholeLines(lineBytes)
  const found: (string | undefined)[] = []
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    const whole = lines.add(bytes.subarray(at, at + chunkBytes))
    if (whole !== undefined) found.push(...textsOf(whole))
  }
  const last = lines.end()
  return last === undefined ? found : [...found, ...textsOf(last)]
}

test('lines are the same however the bytes are cut', () => {
  const text = Buffer.from('{"a":"ä"}\n\n{"b":"😀"}\r\n   \n[]\n{"last":"no newline"}')
  const expected = ['{"a":"ä"}', '{"b":"😀"}\r', '[]', '{"last":"no newline"}']
  for (let chunkBytes = 1; chunkBytes <= text.byteLength; chunkBytes++)
    assert.deepEqual(linesOf(text, chunkBytes), expected, `chunks of ${chunkBytes}`)
})

test('a line that is no UTF-8 is undefined, and those around it are not', () => {
  const bytes = Buffer.concat([Buffer.from('one\n'), Buffer.from([0xc3, 0x28]), Buffer.from('\ntwo\n')])
  for (let chunkBytes = 1; chunkBytes <= bytes.byteLength; chunkBytes++)
    assert.deepEqual(linesOf(bytes, chunkBytes), ['one', undefined, 'two'])
})

test('a line without end is refused, and so is a run of blank ones', () => {
  const isTooLarge = (error: unknown) => isAnnalsError(error, 'BODY_TOO_LARGE')
  assert.throws(() => linesOf(Buffer.alloc(300, 'a'), 10, 200), isTooLarge)
  assert.throws(() => linesOf(Buffer.alloc(300, '\n'), 10, 200), isTooLarge)
  const blank = Buffer.alloc(150, '\n')
  assert.deepEqual(linesOf(Buffer.concat([blank, Buffer.from('a\n'), blank]), 10, 200), ['a'])
})
