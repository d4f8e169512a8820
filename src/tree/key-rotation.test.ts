import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { leafHash } from './hash.ts'
import {
  followRotations,
  formatLogKeys,
  type KeyRotation,
  parseLogKeys,
  readRotation,
  signedRotation,
} from './key-rotation.ts'
import { formatNote, parseNote } from './note.ts'
import { type NoteKey, type NoteSigner, noteSigner, signatureTypes } from './note-key.ts'

const origin = 'portal-01/audit-trail/api/v2/logs/x'
const [first, second, third] = [pair(origin), pair(origin), pair(origin)]
const one = rotation(7, first, second)
const two = rotation(9, second, third)

function pair(name: string): NoteSigner[] {
  return [
    noteSigner(name, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey),
    noteSigner(name, signatureTypes.mlDsa44, generateKeyPairSync('ml-dsa-44').privateKey),
  ]
}

function rotation(size: number, old: readonly NoteSigner[], next: readonly NoteSigner[]): string {
  return signedRotation({ origin, size, root: leafHash(`root ${size}`) }, { old, next }, 1_700_000_000)
}

function wrongOf(result: string | object): string {
  return typeof result === 'string' ? result : 'nothing is wrong'
}

function publicOf(signers: readonly NoteSigner[]): NoteKey[] {
  return signers.map(({ privateKey: _secret, ...key }) => key)
}

describe('a statement of a key rotation', () => {
  test('names the old and the new keys, the size and the root, and is signed by all four keys', () => {
    const read = readRotation(one) as KeyRotation
    assert.deepEqual(read, {
      origin,
      size: 7,
      root: leafHash('root 7'),
      old: publicOf(first),
      next: publicOf(second),
    })
    assert.deepEqual(
      parseNote(one)?.signatures.map(({ id }) => id),
      [...first, ...second].map(({ id }) => id),
    )
  })

  test('its Ed25519 signatures are over its text, as any program for signed notes has them', () => {
    const note = parseNote(one)
    const [key] = first
    assert.ok(note !== undefined && key !== undefined)
    assert.ok(verify(null, Buffer.from(note.text), key.privateKey, note.signatures[0]?.bytes ?? Buffer.of()))
  })

  test('without any one of its signatures, or with a wrong one, it is refused', () => {
    const note = parseNote(one)
    assert.ok(note !== undefined)
    for (let k = 0; k < 4; k++) {
      const without = { ...note, signatures: note.signatures.filter((_, at) => at !== k) }
      assert.match(wrongOf(readRotation(formatNote(without))), /is not signed by portal-01/)
      const wrong = structuredClone(note.signatures).map((signature, at) => {
        const bytes = Buffer.from(signature.bytes)
        if (at === k) bytes[20] = (bytes[20] ?? 0) ^ 1
        return { ...signature, bytes }
      })
      assert.match(wrongOf(readRotation(formatNote({ ...note, signatures: wrong }))), /is not signed by/)
    }
  })

  test('with another size, root, origin or key, all signatures are wrong', () => {
    const [, , rootLine = ''] = one.split('\n').slice(1)
    for (const changed of [
      one.replace('\n7\n', '\n8\n'),
      one.replace(rootLine, Buffer.from(leafHash('other'), 'latin1').toString('base64')),
      one.replace(/\nnew \S+\+AQ?\S*\n/, `\n${two.split('\n')[6]}\n`),
    ]) {
      assert.notEqual(changed, one)
      assert.match(wrongOf(readRotation(changed)), /is not signed by/)
    }
  })

  test('what is no such statement is not read', () => {
    for (const wrong of [
      '',
      one.replace('@v1', '@v2'),
      one.replace('\nnew ', '\nold '),
      one.replace('\n7\n', '\n07\n'),
      one.replace(/\nold /, '\nold  '),
      one.replace('\n\n', '\nmore\n\n'),
      one.split('\n').toSpliced(4, 1).join('\n'),
    ])
      assert.match(wrongOf(readRotation(wrong)), /is not readable/, wrong.slice(0, 60))
  })

  test('is not made of keys of another log, or of one key twice', () => {
    const of = { origin, size: 7, root: leafHash('root 7') }
    assert.throws(() => signedRotation(of, { old: first, next: pair('other') }, 0), /is not readable/)
    assert.throws(() => signedRotation(of, { old: first, next: first }, 0), /is not readable/)
    assert.throws(() => signedRotation(of, { old: first, next: second.toReversed() }, 0), /is not readable/)
  })
})

describe('following rotations', () => {
  test('leads from known keys, or one of them, to the present ones, whatever step they are of', () => {
    for (const known of [
      first,
      second,
      third,
      first.slice(0, 1),
      second.slice(1),
      [...first, ...second],
      [...second, ...third],
    ])
      assert.deepEqual(followRotations(publicOf(known), [one, two]), publicOf(third))
    assert.deepEqual(followRotations(publicOf(first), [one]), publicOf(second))
    assert.deepEqual(followRotations(publicOf(first), []), publicOf(first))
  })

  test('refuses keys that no statement names, and keys of steps that are apart', () => {
    for (const known of [pair(origin), [], [...first, ...third], [...first, ...pair(origin)]])
      assert.match(
        wrongOf(followRotations(publicOf(known), [one, two])),
        /begins with the keys that are known/,
      )
  })

  test('refuses statements with a gap, in another order, of shrinking sizes, or that are not signed', () => {
    const earlier = rotation(6, second, third)
    const apart = rotation(9, pair(origin), third)
    for (const statements of [
      [two, one],
      [one, earlier],
      [one, apart],
    ])
      assert.match(wrongOf(followRotations(publicOf(first), statements)), /does not follow/)
    assert.match(wrongOf(followRotations(publicOf(first), [one.replace('\n7\n', '\n8\n')])), /is not signed/)
    // Behind the known keys as well: what is wrong before them says that the log's own account is.
    const wrongBefore = one.replace('\n7\n', '\n8\n')
    assert.match(wrongOf(followRotations(publicOf(third), [wrongBefore, two])), /is not signed/)
  })
})

describe("a log's keys as it tells them", () => {
  test('are read as they are written, with any number of rotations', () => {
    for (const statements of [[], [one], [one, two]]) {
      const keys = { origin, keys: publicOf([...second, ...third]), statements }
      assert.deepEqual(parseLogKeys(formatLogKeys(keys)), keys)
    }
  })

  test('are not read out of anything else', () => {
    const text = formatLogKeys({ origin, keys: publicOf(second), statements: [one] })
    for (const wrong of [
      '',
      text.replace('log-keys@v1', 'log-keys@v2'),
      text.replace('\nportal-01/audit-trail/api/v2/logs/x\n', '\nother\n'),
      text.split('\n').toSpliced(2, 2).join('\n'),
      `${text}\n`,
      text.slice(0, -1),
      `${text}\nmore\n`,
    ])
      assert.equal(parseLogKeys(wrong), undefined, wrong.slice(0, 80))
  })
})
