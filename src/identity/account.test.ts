import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { isExternalName, parseName } from './account.ts'

test('a name has up to 64 letters, digits, points, lines and dashes', () => {
  for (const name of ['a', 'siem', 'José.Núñez', '7-of_9', '監査', 'x'.repeat(64), '𠮷'.repeat(64)]) {
    assert.equal(parseName(name), name)
  }
})

test('S3: a local name cannot contain an @', () => {
  assert.ok(isExternalName('ann@example.com'))
  assert.throws(() => parseName('ann@example.com'), /"@"/)
})

test('what could be taken for something else in a line is no name', () => {
  const refused = [
    '',
    ' a',
    'a b',
    'a:b',
    'a|b',
    'a]b',
    '*system',
    '(unknown)',
    '-',
    '.a',
    'a\n',
    'a\u202eb',
    'x'.repeat(65),
  ]
  for (const name of refused) {
    assert.throws(
      () => parseName(name),
      (error) => isAnnalsError(error, 'INVALID_INPUT'),
      JSON.stringify(name),
    )
  }
})

test('names that look the same are the same', () => {
  assert.equal(parseName('Jose\u0301'), parseName('Jos\u00e9'))
})
