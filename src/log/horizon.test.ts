import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Fingerprint, fingerprintOf, Horizon, identityOf } from './horizon.ts'

const numbered = (k: number): Fingerprint => fingerprintOf(`event ${k}`)

describe('horizon', () => {
  test('I4: remembers at least its capacity, whatever was recorded before', () => {
    const horizon = new Horizon(100)
    for (let k = 0; k < 1000; k++) {
      horizon.add(numbered(k), k, k * 10)
      for (let back = 0; back < Math.min(100, k + 1); back++) {
        assert.deepEqual(horizon.candidates(numbered(k - back)), [k - back])
      }
    }
    assert.deepEqual(horizon.candidates(numbered(700)), [])
  })

  test('I4: names the first entry that it remembers, with its time, once it has forgotten any', () => {
    const horizon = new Horizon(100)
    for (let k = 0; k < 150; k++) {
      horizon.add(numbered(k), k, k * 10)
      assert.equal(horizon.forgottenBefore, undefined)
    }
    horizon.add(numbered(150), 150, 1500)
    assert.deepEqual(horizon.forgottenBefore, { position: 50, time: 500 })
    assert.deepEqual(horizon.candidates(numbered(49)), [])
    assert.deepEqual(horizon.candidates(numbered(50)), [50])
  })

  test('gives every position of a fingerprint that came more than once', () => {
    const horizon = new Horizon(10)
    for (const k of [3, 4, 5]) horizon.add(numbered(1), k, k)
    assert.deepEqual(horizon.candidates(numbered(1)), [3, 4, 5])
  })

  test('finds what a map would find, for any sequence of few fingerprints', () => {
    // What differs in the first five bytes alone is told apart by the table itself, without the line.
    const fingerprint = fc
      .string({ unit: fc.constantFrom('\0', '\x01', 'ÿ'), minLength: 5, maxLength: 5 })
      .map((start) => `${start}\0\0\0`)
    fc.assert(
      fc.property(fc.array(fingerprint, { maxLength: 60 }), (sequence) => {
        const horizon = new Horizon(20)
        for (const [k, each] of sequence.entries()) horizon.add(each as Fingerprint, k, k)
        const first = horizon.forgottenBefore?.position ?? 0
        for (const each of sequence) {
          const expected = sequence.flatMap((other, k) => (other === each && k >= first ? [k] : []))
          assert.deepEqual(
            [...horizon.candidates(each as Fingerprint)].sort((a, b) => a - b),
            expected,
          )
        }
      }),
    )
  })

  test('a fingerprint is the first 8 bytes of the SHA-256 of text and of its bytes alike', () => {
    const digest = createHash('sha256').update('ä').digest().toString('latin1', 0, 8)
    assert.equal(fingerprintOf('ä'), digest)
    assert.equal(fingerprintOf(Buffer.from('ä')), digest)
  })

  test('an identity ends before the time at which the event happened', () => {
    const identity = '" id="i" via="http" by="x occurred=\\"y\\""'
    assert.equal(identityOf({ stamp: identity }), identity)
    assert.equal(identityOf({ stamp: `${identity} occurred="2026-01-01T00:00:00.000000Z"` }), identity)
  })
})
