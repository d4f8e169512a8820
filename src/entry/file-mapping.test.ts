import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJsonPath, valueAt } from './file-mapping.ts'

test('a path is read step by step', () => {
  assert.deepEqual(parseJsonPath('$'), [])
  assert.deepEqual(parseJsonPath('$.a.b-c[0]["d e\\""].@f'), ['a', 'b-c', 0, 'd e"', '@f'])
})

test('what is no path is none', () => {
  for (const text of ['', 'a', '$a', '$.', '$..a', '$.a b', '$[a]', '$[01]', '$[-1]', '$["a]', '$["\\x"]'])
    assert.equal(parseJsonPath(text), undefined, text)
})

test('a path leads to what the line itself says, and to nothing else', () => {
  const line: unknown = { a: [{ b: 1 }], n: null, s: 'text' }
  assert.equal(valueAt(line, ['a', 0, 'b']), 1)
  assert.equal(valueAt(line, ['n']), null)
  for (const path of [
    ['a', 1],
    ['a', 'length2'],
    ['n', 'x'],
    ['s', 'length'],
    ['constructor'],
    ['__proto__', 'x'],
  ])
    assert.equal(valueAt(line, path), undefined, path.join('.'))
})
