import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseExactly } from './exact-json.ts'

test('a number that JavaScript would read as another one is its text, wherever it stands', () => {
  const text =
    '[ 9007199254740993,-9007199254740993 , {"a":12345678901234567890,"\\"\\\\":1e999}, -1e400,9007199254740991,1.5,1e22,-0.1234567890123456789]'
  assert.deepEqual(parseExactly(text), [
    '9007199254740993',
    '-9007199254740993',
    { a: '12345678901234567890', '"\\': '1e999' },
    '-1e400',
    9_007_199_254_740_991,
    1.5,
    1e22,
    -0.123_456_789_012_345_68,
  ])
})

test('nothing else is another one, and what is no JSON stays none', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.string(), (value, name) => {
      const text = `{"x":[${JSON.stringify(value)}],"n":12345678901234567890,${JSON.stringify(`[${name}`)}:":1234567890123456"}`
      assert.deepEqual(parseExactly(text), JSON.parse(text, asWritten))
    }),
  )
  for (const text of [
    '{1234567890123456789:1}',
    '[01234567890123456789]',
    '[1234567890123456789',
    '[,1234567890123456789e]',
  ])
    assert.throws(() => parseExactly(text), SyntaxError, text)
})

// The same by what JavaScript offers for it, which is too slow.
function asWritten(
  _name: string,
  value: unknown,
  { source = '' }: { readonly source?: string } = {},
): unknown {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(source)
  return isRounded ? source : value
}
