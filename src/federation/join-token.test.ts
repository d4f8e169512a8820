import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAnnalsError } from '../errors.ts'
import { makeToken, parseToken } from './join-token.ts'

test('both sides make the same key of a token, and it is the one of the design', () => {
  const made = makeToken(randomBytes)
  const read = parseToken(made.text)
  assert.equal(read.id, made.id)
  assert.deepEqual(read.key, made.key)
  const secret = Buffer.from(made.text.split('.')[1] ?? '', 'base64url')
  assert.equal(secret.length, 32)
  const key = createHash('sha256').update(Buffer.from('annals join v1')).update(Buffer.of(0)).update(secret)
  assert.deepEqual(read.key, key.digest())
})

test('a token says nothing of its key in its id', () => {
  const [first, second] = [makeToken(randomBytes), makeToken(randomBytes)]
  assert.notEqual(first.id, second.id)
  assert.ok(!first.key.equals(second.key))
  // The id and the secret come from different bytes.
  const counted = makeToken((bytes) => Buffer.alloc(bytes, bytes))
  assert.equal(counted.id, '08'.repeat(8))
  assert.equal(counted.text, `${'08'.repeat(8)}.${Buffer.alloc(32, 32).toString('base64url')}`)
})

test('what is no token is refused, and is not repeated', () => {
  const { text, id } = makeToken((bytes) => Buffer.alloc(bytes, 0xa5))
  const secret = text.slice(id.length + 1)
  for (const wrong of [
    '',
    id,
    secret,
    `${id}.`,
    `${text} `,
    ` ${text}`,
    `${text}\n`,
    text.slice(0, -1),
    `${text}A`,
    `${id.toUpperCase()}.${secret}`,
    `${id}.${secret.slice(0, -1)}=`,
    // The same bytes, written another way: the last character has two bits too many.
    `${text.slice(0, -1)}${String.fromCodePoint((text.codePointAt(text.length - 1) ?? 0) + 1)}`,
  ]) {
    assert.throws(
      () => parseToken(wrong),
      (error) => {
        assert.ok(isAnnalsError(error, 'INVALID_INPUT'), JSON.stringify(wrong))
        assert.match(error.message, /16 hexadecimal digits, a dot/)
        assert.ok(wrong.length < 8 || !error.message.includes(wrong.trim().slice(0, 8)))
        return true
      },
    )
  }
})
