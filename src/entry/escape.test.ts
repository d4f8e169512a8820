import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeText, escapeBytes, escapeKept, escapeText, indexOfUnprintable, unescape } from './escape.ts'
import { anyBytes, anyText } from './arbitrary.test.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')

test('L3: bytes that are no printable character are written as three octal digits each', () => {
  assert.equal(escapeText('a\tb'), 'a#011b')
  assert.equal(escapeText('\u0000\u001f\u007f'), '#000#037#177')
  assert.equal(escapeText('\u0085'), '#302#205')
  assert.equal(escapeText('\u2028\u2029'), '#342#200#250#342#200#251')
  assert.equal(escapeText('\ufeffx'), '#357#273#277x')
  assert.equal(escapeBytes(latin1('caf\xe9')), 'caf#351')
  assert.equal(escapeBytes(latin1('\xff\xfe\x00')), '#377#376#000')
})

test('L3: printable characters stay as they are', () => {
  const text = 'Größe 東京 🙂 {"a": [1|2]} 100 % # \\ "\''
  assert.equal(escapeText(text), text)
  assert.equal(escapeBytes(Buffer.from(text)), text)
})

test('L3: a # before three octal digits is written #043, and no other', () => {
  assert.equal(escapeText('#043'), '#043043')
  assert.equal(escapeText('#777 ##123'), '#043777 ##043123')
  assert.equal(escapeText('# #1 #12 #128 #abc'), '# #1 #12 #128 #abc')
})

test('L3: a lone surrogate is no character; its bytes are escaped', () => {
  assert.equal(escapeText('\ud800'), '#355#240#200')
  assert.equal(escapeText('\udfff'), '#355#277#277')
  assert.equal(escapeText('\ud83d\ude42'), '🙂')
})

test('L3: bytes that no character has go through a string without loss', () => {
  assert.equal(decodeText(latin1('a\xe9\x80')), 'a\udce9\udc80')
  assert.equal(escapeText('a\udce9\udc80'), 'a#351#200')
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(escapeText(decodeText(bytes)), escapeBytes(bytes))
    }),
  )
})

test('L3: bytes of a string that together are a character are that character', () => {
  assert.equal(escapeText('\udcc3\udca4\udca4'), 'ä#244')
  assert.equal(escapeText('\udcf0\udc9f\udc99\udc82#011'), '🙂#043011')
  assert.equal(escapeText('\ud83d\udcc3\udca4'), '\u{1f4c3}#244')
  assert.equal(escapeText('\udcc2\udc85'), '#302#205')
  assert.equal(escapeKept('\udcc3\udca4#011'), 'ä#011')
  fc.assert(
    fc.property(anyText, (text) => {
      const escaped = escapeText(text)
      assert.equal(escapeBytes(unescape(escaped)), escaped)
    }),
  )
})

test('L3: only well-formed UTF-8 is text', () => {
  for (const bad of [
    '\xc0\x80',
    '\xed\xa0\x80',
    '\xf4\x90\x80\x80',
    '\xe2\x80',
    '\x80',
    '\xfe',
    '\xf0\x8f\xbf\xbf',
  ]) {
    const bytes = latin1(bad)
    const octal = [...bytes].map((byte) => `#${byte.toString(8)}`).join('')
    assert.equal(escapeBytes(Buffer.concat([Buffer.from('é'), bytes, Buffer.from('é')])), `é${octal}é`)
  }
})

test('L3: decoding is exact for every byte string', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const escaped = escapeBytes(bytes)
      assert.equal(indexOfUnprintable(escaped), -1)
      assert.deepEqual(new Uint8Array(unescape(escaped)), bytes)
    }),
    { numRuns: 2000 },
  )
})

test('L3: decoding is exact for all bytes alone and in pairs', () => {
  for (let k = 0; k < 65_536; k++) {
    const bytes = k < 256 ? [k] : [k >> 8, k & 0xff]
    const back = unescape(escapeBytes(new Uint8Array(bytes)))
    if (back.length !== bytes.length || back[0] !== bytes[0] || back[1] !== bytes[1])
      assert.fail(String(bytes))
  }
})

test('L3: decoding is exact for every well-formed string', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      fc.pre(text.isWellFormed())
      assert.equal(Buffer.from(unescape(escapeText(text))).toString(), text)
    }),
  )
})

test('L3: what was escaped before is kept', () => {
  assert.equal(escapeKept('a#011b #043123 #777'), 'a#011b #043123 #777')
  assert.equal(escapeKept(latin1('#011\t\xe9')), '#011#011#351')
  assert.deepEqual(Buffer.from(unescape('#777#011')), latin1('#777\t'))
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const escaped = escapeBytes(bytes)
      assert.equal(escapeKept(escaped), escaped)
      assert.equal(escapeKept(Buffer.from(escaped)), escaped)
    }),
  )
})

test('L3: what is escaped does not depend on where in a long text it stands', () => {
  const pieces: Record<string, string> = {
    '🙂': '🙂',
    '\t': '#011',
    '#123': '#043123',
    '\udcff': '#377',
    '\ud83d': '#355#240#275',
    é: 'é',
  }
  for (const [piece, escaped] of Object.entries(pieces)) {
    for (let before = 0; before < 9_000; before += before < 4_090 ? 4_090 : before < 4_100 ? 1 : 4_085) {
      const plain = `\t${'x'.repeat(before)}`
      assert.equal(escapeText(`${plain}${piece}${piece}x`), `#011${plain.slice(1)}${escaped}${escaped}x`)
    }
  }
})
