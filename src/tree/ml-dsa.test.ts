// The post-quantum signature of a checkpoint, by code of others: the message is put together here by hand, as C2SP
// tlog-cosignature has it, and the algorithm is another implementation's.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { ml_dsa44 as others } from '@noble/post-quantum/ml-dsa.js'
import { bytesOfHash, leafHash } from './hash.ts'
import { formatSignature } from './note.ts'
import { noteKey, noteSigner, signatureTypes } from './note-key.ts'
import { parseSignedCheckpoint, signedCheckpoint, verifySignatures } from './signed-checkpoint.ts'

const origin = 'portal-01/audit-trail/api/v2/logs/x'
const size = 70_000
const root = leafHash('root')
const seconds = 1_679_315_147

function cosignedMessage(cosigner: string, time: number, end: number): Buffer {
  const uint64 = (value: number) => value.toString(16).padStart(16, '0')
  const opaque = (text: string) =>
    text.length.toString(16).padStart(2, '0') + Buffer.from(text).toString('hex')
  const label = Buffer.from('subtree/v1\n\0').toString('hex')
  const parts = [label, opaque(cosigner), uint64(time), opaque(origin), uint64(0), uint64(end)]
  return Buffer.concat([Buffer.from(parts.join(''), 'hex'), bytesOfHash(root)])
}

describe('the post-quantum signature of a checkpoint', () => {
  test('is verified by another implementation of ML-DSA-44', () => {
    const signer = noteSigner(origin, signatureTypes.mlDsa44, generateKeyPairSync('ml-dsa-44').privateKey)
    const note = signedCheckpoint({ origin, size, root }, [signer], seconds)
    const bytes = parseSignedCheckpoint(note)?.signatures[0]?.bytes
    assert.equal(bytes?.length, 8 + 2420)
    assert.equal(bytes?.readBigUInt64BE(0), BigInt(seconds))
    const signature = bytes?.subarray(8) ?? Buffer.alloc(0)
    const isGood = (message: Buffer) => others.verify(signature, message, signer.publicKey)
    assert.ok(isGood(cosignedMessage(origin, seconds, size)))
    assert.ok(!isGood(cosignedMessage(origin, seconds + 1, size)))
    assert.ok(!isGood(cosignedMessage(origin, seconds, size + 1)))
    assert.ok(!isGood(cosignedMessage('w.example', seconds, size)))
  })

  test('of another implementation is verified, and no other', () => {
    const { publicKey, secretKey } = others.keygen(Buffer.alloc(32, 7))
    const name = 'w.example'
    const key = noteKey(name, signatureTypes.mlDsa44, Buffer.from(publicKey))
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(seconds))
    const lineOver = (message: Buffer) =>
      formatSignature({ name, id: key.id, bytes: Buffer.concat([time, others.sign(message, secretKey)]) })
    const verified = (message: Buffer) => {
      const text = `${origin}\n${size}\n${bytesOfHash(root).toString('base64')}\n\n${lineOver(message)}`
      const checkpoint = parseSignedCheckpoint(text)
      assert.ok(checkpoint !== undefined)
      return verifySignatures(checkpoint, [key])
    }
    assert.deepEqual(verified(cosignedMessage(name, seconds, size)), [{ key, seconds }])
    assert.equal(verified(cosignedMessage(name, seconds, size - 1)), undefined)
    assert.equal(verified(cosignedMessage(origin, seconds, size)), undefined)
  })
})
