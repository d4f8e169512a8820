import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { rootOf } from './compact-range.ts'
import { emptyRoot, leafHash } from './hash.ts'
import { noteSigner, signatureTypes } from './note-key.ts'
import { consistencyRanges, hashesOf } from './proof.ts'
import { signedCheckpoint } from './signed-checkpoint.ts'
import { formatAddCheckpoint, judge, nothingSeen, parseAddCheckpoint } from './witness.ts'

const origin = 'log.example/x'
const log = noteSigner(origin, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
const thief = noteSigner(origin, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
const leaves = Array.from({ length: 20 }, (_, k) => leafHash(String(k)))
const rootAt = (size: number, from = leaves) => (size === 0 ? emptyRoot : rootOf(from.slice(0, size)))

async function request(old: number, size: number, { signer = log, from = leaves } = {}) {
  const note = signedCheckpoint({ origin, size, root: rootAt(size, from) }, [signer], 0)
  const proof = await hashesOf(consistencyRanges(old, size), ({ height, index }) =>
    rootOf(from.slice(index * 2 ** height, (index + 1) * 2 ** height)),
  )
  const parsed = parseAddCheckpoint(formatAddCheckpoint({ old, proof, note }))
  assert.ok(parsed !== undefined)
  return parsed
}

describe('a witness (C2SP tlog-witness)', () => {
  const seen = { size: 7, root: rootAt(7) }

  test('cosigns a log that has grown from what it saw last, or that it has never seen', async () => {
    assert.deepEqual(judge(await request(7, 20), [log], seen), { verdict: 'cosign' })
    assert.deepEqual(judge(await request(7, 7), [log], seen), { verdict: 'cosign' })
    assert.deepEqual(judge(await request(0, 20), [log], nothingSeen), { verdict: 'cosign' })
    assert.deepEqual(judge(await request(0, 0), [log], nothingSeen), { verdict: 'cosign' })
  })

  test('says from which size it wants to be shown', async () => {
    assert.deepEqual(judge(await request(0, 20), [log], seen), { verdict: 'conflict', size: 7 })
    assert.deepEqual(judge(await request(9, 20), [log], seen), { verdict: 'conflict', size: 7 })
  })

  test('refuses a tree that is no continuation', async () => {
    const forged = leaves.with(3, leafHash('forged'))
    assert.deepEqual(judge(await request(7, 20, { from: forged }), [log], seen), { verdict: 'inconsistent' })
    assert.deepEqual(judge(await request(7, 7, { from: forged }), [log], seen), { verdict: 'inconsistent' })
    const good = await request(7, 20)
    assert.deepEqual(judge({ ...good, proof: good.proof.slice(1) }, [log], seen), { verdict: 'inconsistent' })
    const first = await request(0, 20)
    assert.deepEqual(judge({ ...first, proof: [emptyRoot] }, [log], nothingSeen), { verdict: 'inconsistent' })
  })

  test('refuses what the log has not signed, before anything else', async () => {
    assert.deepEqual(judge(await request(0, 20, { signer: thief }), [log], seen), { verdict: 'unsigned' })
    const good = await request(7, 20)
    const spoilt = parseAddCheckpoint(
      formatAddCheckpoint({ ...good, note: good.note.replace('\n20\n', '\n19\n') }),
    )
    assert.ok(spoilt !== undefined)
    assert.deepEqual(judge(spoilt, [log], seen), { verdict: 'unsigned' })
  })

  test('what is no request is none', async () => {
    const { old, proof, note } = await request(7, 20)
    const text = formatAddCheckpoint({ old, proof, note })
    for (const wrong of [
      '',
      text.replace('old 7', 'old 07'),
      text.replace('old 7', 'size 7'),
      text.replace('old 7', 'old 21'),
      text.replace('=\n', '\n'),
      text.replace(note, ''),
      formatAddCheckpoint({ old, proof: Array.from({ length: 64 }, () => emptyRoot), note }),
    ])
      assert.equal(parseAddCheckpoint(wrong), undefined, wrong.slice(0, 30))
  })
})
