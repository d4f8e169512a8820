import assert from 'node:assert/strict'
import * as node from 'node:crypto'
import { describe, test } from 'node:test'
import { createHash, createPublicKey, hash, sign, verify } from './crypto.ts'

const spki = (key: Buffer) => Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key])

describe('what a browser is given for node:crypto', () => {
  test('hashes as node:crypto does', () => {
    for (const data of [
      '',
      'abc',
      'Größe \u{1F600}',
      Buffer.alloc(1000, 7),
      Buffer.from('xabcx').subarray(1, 4),
    ]) {
      assert.equal(hash('sha256', data, 'binary'), node.hash('sha256', data, 'binary'))
      assert.deepEqual(hash('sha256', data, 'buffer'), node.hash('sha256', data, 'buffer'))
      const twice = node.createHash('sha256').update(data).update(data).digest('hex')
      assert.equal(createHash('sha256').update(data).update(data).digest('hex'), twice)
    }
  })

  test('verifies the published signatures of RFC 8032, section 7.1, and no others', () => {
    for (const [key, message, signature] of [
      [
        'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      ],
      [
        '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      ],
      [
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
        'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      ],
    ] as const) {
      const [publicKey, bytes] = [Buffer.from(key, 'hex'), Buffer.from(signature, 'hex')]
      const known = createPublicKey({ key: spki(publicKey) })
      assert.ok(verify(null, Buffer.from(message, 'hex'), known, bytes))
      assert.ok(!verify(null, Buffer.from(`${message}00`, 'hex'), known, bytes))
      for (const at of [0, 31, 32, 63]) {
        const other = Buffer.from(bytes)
        other[at] = (other[at] ?? 0) ^ 1
        assert.ok(!verify(null, Buffer.from(message, 'hex'), known, other))
      }
    }
  })

  test('verifies what node:crypto has signed', () => {
    for (let k = 0; k < 10; k += 1) {
      const { publicKey, privateKey } = node.generateKeyPairSync('ed25519')
      const message = Buffer.from(`message ${k}`)
      const key = createPublicKey({ key: publicKey.export({ format: 'der', type: 'spki' }) })
      const signature = node.sign(null, message, privateKey)
      assert.ok(verify(null, message, key, signature))
      assert.ok(!verify(null, Buffer.from(`message ${k + 1}`), key, signature))
    }
  })

  test('has no other keys, and signs nothing', () => {
    const { publicKey } = node.generateKeyPairSync('ml-dsa-44')
    const key = publicKey.export({ format: 'der', type: 'spki' })
    assert.throws(() => createPublicKey({ key }), /not an Ed25519 key/)
    assert.throws(() => sign(), /signs nothing/)
  })
})
