import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseBasic } from './basic.ts'
import { basic } from './testing/identity-fixture.ts'

test('S1: a name and a password are read as RFC 7617 has them', () => {
  // The examples of RFC 7617, sections 2 and 2.1.
  assert.deepEqual(parseBasic('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), {
    name: 'Aladdin',
    password: 'open sesame',
  })
  assert.deepEqual(parseBasic('Basic dGVzdDoxMjPCow=='), { name: 'test', password: '123£' })
})

test('S1: a password may hold colons, and either may be empty', () => {
  assert.deepEqual(parseBasic(basic('a', 'b:c:')), { name: 'a', password: 'b:c:' })
  assert.deepEqual(parseBasic(basic('', '')), { name: '', password: '' })
})

test('S1: the scheme may be of any case, and the padding may be left out', () => {
  for (const scheme of ['basic', 'BASIC', 'bAsIc ']) {
    assert.deepEqual(parseBasic(`${scheme} QWxhZGRpbjpvcGVuIHNlc2FtZQ`), {
      name: 'Aladdin',
      password: 'open sesame',
    })
  }
})

test('S1: what presents no credentials is told apart', () => {
  assert.equal(parseBasic(undefined), 'no-credentials')
  assert.equal(parseBasic(''), 'no-credentials')
  assert.equal(parseBasic('Bearer abc'), 'other-scheme')
  assert.equal(parseBasic('Basically abc'), 'other-scheme')
})

test('S1: what is not exactly Basic is malformed', () => {
  const encoded = (bytes: number[]) => `Basic ${Buffer.from(bytes).toString('base64')}`
  const malformed = [
    'Basic',
    'Basic ',
    'Basic !!!!',
    'Basic QQ=A',
    'Basic QWxh=',
    'Basic Q',
    'Basic QTpC, Basic QTpC',
    `Basic ${Buffer.from('no colon').toString('base64')}`,
    encoded([0x61, 0x62]),
    encoded([0x61, 0x3a, 0xe9]), // Latin-1
    encoded([0x61, 0x3a, 0xc0, 0xaf]), // overlong
    encoded([0x61, 0x3a, 0x0a]),
    encoded([0x61, 0x00, 0x3a]),
  ]
  for (const header of malformed) assert.equal(parseBasic(header), 'malformed', header)
})

test('S1: every name without a colon and every password come through', () => {
  const text = fc.string({ unit: 'binary' }).map((text) => text.replace(/\p{Cc}/gu, '').normalize('NFC'))
  fc.assert(
    fc.property(text, text, (name, password) => {
      fc.pre(!name.includes(':'))
      assert.deepEqual(parseBasic(basic(name, password)), { name, password })
    }),
  )
})

test('S1: no header makes parsing fail', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseBasic(`Basic ${text}`)))
})
