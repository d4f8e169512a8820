import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isAnnalsError } from '../errors.ts'
import {
  checkPassword,
  formatHash,
  hashParameters,
  isWeaker,
  parseHash,
  passwordBytes,
  randomPassword,
  unmatchableHash,
} from './password.ts'

test('S4: a password has at least 8 characters of 3 of 4 classes', () => {
  for (const good of [
    'Abcdefg1',
    'abcdef1!',
    'ABCDEF1!',
    'Abcdefg!',
    'Äbcdefg1',
    'pass word 1',
    'Abcdef1\u{1f511}',
  ]) {
    checkPassword(good)
  }
  const bad = [
    '',
    'Abcdef1',
    'abcdefgh',
    'abcdefg1',
    'ABCDEFG1',
    'abcdefg!',
    '1234567!',
    'Abcdefgh',
    'A1!\u{1f511}\u{1f511}',
  ]
  for (const password of bad) {
    assert.throws(
      () => checkPassword(password),
      (error) => {
        assert.ok(isAnnalsError(error, 'INVALID_INPUT'), password)
        assert.match(error.message, /8 characters of 3 of these 4/)
        return true
      },
    )
  }
})

test('a password that HTTP Basic cannot carry, or that is far too long, is refused', () => {
  assert.throws(() => checkPassword('Abcdefg1\n'), /control characters/)
  assert.throws(() => checkPassword('Abcdefg1\ud800'), /control characters/)
  checkPassword('Aa1'.padEnd(256, 'x'))
  assert.throws(() => checkPassword('Aa1'.padEnd(257, 'x')), /at most 256/)
})

test('a random password keeps the rules, whatever the random bytes', () => {
  const passwords = Array.from({ length: 500 }, () => randomPassword(randomBytes))
  for (const password of passwords) {
    checkPassword(password)
    assert.match(password, /^[A-HJ-NP-Za-km-z2-9]{5}(-[A-HJ-NP-Za-km-z2-9]{5}){3}$/)
  }
  assert.equal(new Set(passwords).size, passwords.length)
})

test('every character of a random password is as likely as any other', () => {
  const drawn = (bytes: number[]) => {
    const left = [...bytes, ...Array.from({ length: 20 }, (_, i) => i * 11)]
    return randomPassword((count) => Uint8Array.from(left.splice(0, count)))
  }
  // 4 × 57 = 228: the bytes from there on would make some characters likelier, and are passed over.
  const surplus = Array.from({ length: 28 }, (_, i) => 228 + i)
  assert.equal(drawn(surplus), drawn([]))
  assert.notEqual(drawn([227]), drawn([]))
})

test('a stored password is read as it was written', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
  const parameters = fc.record({
    memory: fc.integer({ min: 128, max: 1024 * 1024 }),
    passes: fc.integer({ min: 1, max: 64 }),
    parallelism: fc.integer({ min: 1, max: 16 }),
  })
  fc.assert(
    fc.property(parameters, bytes(8, 64), bytes(16, 64), (parameters, salt, hash) => {
      const parsed = parseHash(formatHash({ parameters, salt, hash }))
      assert.deepEqual(parsed.parameters, { ...parameters })
      assert.deepEqual([...parsed.salt], [...salt])
      assert.deepEqual([...parsed.hash], [...hash])
    }),
  )
})

test('a stored password that is none, or would cost too much, is a fault and no password', () => {
  const good = formatHash({ parameters: hashParameters, salt: randomBytes(16), hash: randomBytes(32) })
  parseHash(good)
  const bad = [
    '',
    'secret',
    good.replace('argon2id', 'argon2i'),
    good.replace('m=19456', 'm=99999999'),
    good.replace('t=2', 't=99999'),
    good.replace('p=1', 'p=999'),
    good.replace('m=19456', 'm=4'),
    `${good}$`,
    good.slice(0, -30),
  ]
  for (const text of bad)
    assert.throws(
      () => parseHash(text),
      (error) => isAnnalsError(error, 'INTERNAL'),
      text,
    )
})

test('S6: what stands in for an account that does not exist costs what a new password does', () => {
  const nobody = parseHash(unmatchableHash(randomBytes, hashParameters))
  assert.deepEqual(nobody.parameters, hashParameters)
  assert.deepEqual([nobody.salt.length, nobody.hash.length], [16, 32])
})

test('a hash is weaker where memory times passes is less', () => {
  assert.ok(isWeaker({ ...hashParameters, passes: 1 }, hashParameters))
  assert.ok(isWeaker({ ...hashParameters, memory: 4096 }, hashParameters))
  assert.ok(!isWeaker(hashParameters, hashParameters))
  assert.ok(!isWeaker({ ...hashParameters, memory: 65_536 }, hashParameters))
})

test('a password is the same however a keyboard composed it', () => {
  assert.deepEqual(passwordBytes('Pa\u0308ss'), passwordBytes('P\u00e4ss'))
})
