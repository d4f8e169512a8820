import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { formatLogKeys } from '../src/tree/key-rotation.ts'
import { formatVkey, noteKey, noteSigner, signatureTypes } from '../src/tree/note-key.ts'
import { NotProved } from '../src/verify/not-proved.ts'
import { parseTrust } from './trust.ts'

const origin = 'portal-01/audit-trail/api/v2/logs/portal-01-x'
const ed25519 = noteKey(origin, signatureTypes.ed25519, randomBytes(32))
const mlDsa = noteSigner(origin, signatureTypes.mlDsa44, generateKeyPairSync('ml-dsa-44').privateKey)
const witness = noteKey('w.example', signatureTypes.ed25519Cosignature, randomBytes(32))
const ids = (keys: readonly { readonly id: number }[]) => keys.map(({ id }) => id)

describe('whom the reader of the page trusts', () => {
  test('keys, however they are spaced; those that a page cannot check are passed over', () => {
    for (const text of [
      formatVkey(ed25519),
      `\n  ${formatVkey(mlDsa)}\r\n${formatVkey(ed25519)}\n\n`,
      formatLogKeys({ origin, keys: [ed25519, mlDsa], statements: [] }),
      formatLogKeys({ origin, keys: [ed25519, mlDsa], statements: [] }).trim(),
    ]) {
      const { logKeys, policy, isOwn } = parseTrust(text)
      assert.deepEqual([ids(logKeys), policy, isOwn], [[ed25519.id], undefined, false])
    }
    assert.deepEqual(parseTrust('').logKeys, [])
  })

  test('a policy, of which a witness that a page cannot check is missing', () => {
    const lines = [
      `log ${formatVkey(ed25519)}`,
      `witness w1 ${formatVkey(witness)}`,
      `witness w2 ${formatVkey({ ...mlDsa, ...noteKey('w2.example', signatureTypes.mlDsa44, mlDsa.publicKey) })}`,
    ]
    const { logKeys, policy } = parseTrust([...lines, 'quorum w2', ''].join('\n'))
    assert.ok(policy !== undefined)
    assert.deepEqual(ids(logKeys), [ed25519.id])
    assert.deepEqual(ids(policy.witnesses.map(({ key }) => key)), [witness.id])
    assert.ok(!policy.isQuorum([witness]))
  })

  test('anything else is refused by name, and never passed over', () => {
    for (const [text, why] of [
      ['secret', /“secret” is not a public key/],
      [`${formatVkey(ed25519)} x`, /“x” is not a public key/],
      [formatVkey(ed25519).replace('+A', '+B'), /is not a public key/],
      ['quorum nobody\n', /the policy is not readable: line 1/],
      [`log ${formatVkey(ed25519)}\n`, /the quorum is missing/],
    ] as const)
      assert.throws(
        () => parseTrust(text),
        (error: unknown) =>
          error instanceof NotProved && error.reason === 'malformed' && why.test(error.message),
        text.slice(0, 40),
      )
  })
})
