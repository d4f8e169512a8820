import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { leafHash } from './hash.ts'
import { formatNote, mostSignatures, parseNote } from './note.ts'
import { formatVkey, noteKey, noteSigner, parseVkey, signatureTypes, verifyCheckpoint } from './note-key.ts'
import {
  cosignatureLine,
  parseSignedCheckpoint,
  signedCheckpoint,
  verifySignatures,
} from './signed-checkpoint.ts'
import { checkpointOfProof, formatTlogProof, parseTlogProof } from './tlog-proof.ts'

const name = 'portal-01/audit-trail/api/v2/logs/x'
const ed25519 = noteSigner(name, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
const mlDsa = noteSigner(name, signatureTypes.mlDsa44, generateKeyPairSync('ml-dsa-44').privateKey)
const witness = noteSigner(
  'w.example',
  signatureTypes.ed25519Cosignature,
  generateKeyPairSync('ed25519').privateKey,
)
const checkpoint = { origin: name, size: 7, root: leafHash('root') }

describe('keys of notes', () => {
  test('the published example of a verifier key verifies the published note (C2SP signed-note)', () => {
    const key = parseVkey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
    const note = parseNote(
      'This is an example message.\n\n' +
        '\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    )
    const [signature] = note?.signatures ?? []
    assert.ok(key !== undefined && note !== undefined && signature !== undefined)
    assert.deepEqual([signature.name, signature.id], [key.name, key.id])
    const signed = { text: note.text, origin: '', size: 0, root: Buffer.alloc(32) }
    assert.equal(verifyCheckpoint(key, signed, signature.bytes), 0)
    assert.equal(verifyCheckpoint(key, { ...signed, text: 'Other.\n' }, signature.bytes), undefined)
  })

  test('a key is read as it is written', () => {
    for (const key of [ed25519, mlDsa, witness]) {
      const { privateKey: _secret, ...known } = key
      assert.deepEqual(parseVkey(formatVkey(key)), known)
    }
  })

  test('what is no key of ours is none', () => {
    const vkey = formatVkey(ed25519)
    for (const wrong of [
      '',
      vkey.slice(0, -1),
      vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
      vkey.replace('portal-01', 'portal 01'),
      `${vkey}=`,
    ])
      assert.equal(parseVkey(wrong), undefined, wrong)
    assert.throws(() => noteKey('a', signatureTypes.ed25519, Buffer.alloc(31)), /has 32 bytes, not 31/)
    assert.throws(() => noteKey('a+b', signatureTypes.ed25519, Buffer.alloc(32)), /no name of a key/)
  })
})

describe('notes', () => {
  test('the text ends at the last empty line', () => {
    const signatures = [{ name: 'a', id: 1, bytes: Buffer.of(1) }]
    const note = formatNote({ text: 'one\n\ntwo\n', signatures })
    assert.deepEqual(parseNote(note), { text: 'one\n\ntwo\n', signatures })
  })

  test('what is no note is none', () => {
    const good = formatNote({ text: 'text\n', signatures: [{ name: 'a', id: 1, bytes: Buffer.of(1) }] })
    const wrong = [
      '',
      'text\n',
      'text\n\n',
      good.slice(0, -1),
      good.replace('\u2014', '-'),
      good.replace(' a ', '  '),
      good.replace('a ', 'a+b '),
      good.replace('text', 'te\tt'),
      `${good}\u2014 a AAAA\n`,
      good + good.split('\n')[2]?.concat(' x\n'),
      'x'.repeat(200_000) + good,
    ]
    for (const note of wrong) assert.equal(parseNote(note), undefined, JSON.stringify(note.slice(0, 80)))
  })

  test('sixteen signatures are read, and seventeen are not', () => {
    const one = { name: 'a', id: 1, bytes: Buffer.of(1) }
    const of = (count: number) =>
      formatNote({ text: 'x\n', signatures: Array.from({ length: count }, () => one) })
    assert.equal(parseNote(of(mostSignatures))?.signatures.length, 16)
    assert.equal(parseNote(of(mostSignatures + 1)), undefined)
  })
})

describe('signed checkpoints', () => {
  const note = signedCheckpoint(checkpoint, [ed25519, mlDsa], 1_700_000_000)
  const parsed = parseSignedCheckpoint(note)
  assert.ok(parsed !== undefined)

  test('a log signs with both keys, and a witness adds its line', () => {
    const cosigned = parseSignedCheckpoint(note + cosignatureLine(parsed, witness, 1_700_000_001))
    assert.ok(cosigned !== undefined)
    assert.deepEqual(
      verifySignatures(cosigned, [witness, mlDsa, ed25519])?.map(({ key, seconds }) => [
        key.name,
        key.type,
        seconds,
      ]),
      [
        [name, 1, 0],
        [name, 6, 1_700_000_000],
        ['w.example', 4, 1_700_000_001],
      ],
    )
    assert.deepEqual(verifySignatures(cosigned, []), [])
  })

  test('a line that says it is of a known key and is not spoils the note', () => {
    for (const key of [ed25519, mlDsa]) {
      const other = parseSignedCheckpoint(note.replace('\n7\n', '\n8\n'))
      assert.ok(other !== undefined)
      assert.equal(verifySignatures(other, [key]), undefined)
    }
    const moved = { ...parsed, signatures: parsed.signatures.map((line) => ({ ...line, name: 'w.example' })) }
    assert.deepEqual(verifySignatures(moved, [ed25519, mlDsa]), [])
  })

  test('extension lines are refused: our logs have none', () => {
    assert.equal(parseSignedCheckpoint(note.replace('\n\n', '\nextension\n\n')), undefined)
  })
})

describe('proof files', () => {
  const leaf = leafHash('entry')
  const single = signedCheckpoint({ ...checkpoint, size: 1, root: leaf }, [ed25519], 0)

  test('a proof is read as it is written, with or without what is hashed', () => {
    const proof = { index: 0, hashes: [], checkpoint: single }
    assert.deepEqual(parseTlogProof(formatTlogProof(proof)), proof)
    const more = { ...proof, extra: Buffer.from('entry'), hashes: [leaf, leaf] }
    assert.deepEqual(parseTlogProof(formatTlogProof(more)), more)
    assert.equal(checkpointOfProof(proof, leaf)?.size, 1)
    assert.equal(checkpointOfProof(proof, leafHash('other')), undefined)
    assert.equal(checkpointOfProof(more, leaf), undefined)
  })

  test('what is no proof is none', () => {
    const text = formatTlogProof({ index: 3, hashes: [leaf], checkpoint: single })
    for (const wrong of [
      '',
      text.replace('@v1', '@v2'),
      text.replace('index 3', 'index 03'),
      text.replace('index 3', 'extra ???\nindex 3'),
      text.replace('=\n\n', '\n\n'),
      text.split('\n\n')[0] ?? '',
    ])
      assert.equal(parseTlogProof(wrong), undefined, wrong.slice(0, 60))
  })
})
