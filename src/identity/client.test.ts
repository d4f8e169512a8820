import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { hashSecret, newClientId, newSecret, parseClientName, parseDescription } from './client.ts'

const refused = (error: unknown) => isAnnalsError(error, 'INVALID_INPUT')

test('S2: an id and a secret have only characters that every client library sends unchanged', () => {
  for (const name of ['siem', 'Büro Köln', '日本', '-', 'A.b_c 9', 'x'.repeat(64)]) {
    const id = newClientId(name, randomBytes)
    assert.match(id, /^[a-z0-9]+(?:-[a-z0-9]+)*-[a-z2-7]{10}$/)
    assert.ok(id.length <= 40, id)
    assert.equal(encodeURIComponent(id), id)
  }
  const secret = newSecret(randomBytes)
  assert.match(secret, /^[\w-]{43}$/)
  assert.equal(encodeURIComponent(secret), secret)
})

test('an id begins with the name, as far as it can, and is never given out twice', () => {
  assert.match(newClientId('Branch Office (Köln)', randomBytes), /^branch-office-ko-ln-/)
  assert.match(newClientId('日本', randomBytes), /^client-[a-z2-7]{10}$/)
  const ids = Array.from({ length: 200 }, () => newClientId('siem', randomBytes))
  assert.equal(new Set(ids).size, 200)
})

test('a secret has all the random bits that it was given, and only its hash is stored', () => {
  const secret = newSecret((length) => Buffer.alloc(length, 0xfb))
  assert.deepEqual(Buffer.from(secret, 'base64url'), Buffer.alloc(32, 0xfb))
  assert.equal(hashSecret('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('names that look the same are one name, and one that would break a line or a list is refused', () => {
  assert.equal(parseClientName('Bu\u0308ro 1'), 'B\u00fcro 1')
  assert.equal(parseClientName('x'.repeat(64)), 'x'.repeat(64))
  for (const name of [
    '',
    ' siem',
    'siem ',
    'a  b',
    '-x',
    'a\nb',
    'a|b',
    'a"b',
    'a]b',
    '*cli',
    'x'.repeat(65),
  ])
    assert.throws(() => parseClientName(name), refused, JSON.stringify(name))
})

test('a description is one line', () => {
  assert.equal(parseDescription('pulls "all" logs | daily'), 'pulls "all" logs | daily')
  for (const text of ['a\nb', 'a\u0000', 'x'.repeat(201)])
    assert.throws(() => parseDescription(text), refused)
})
