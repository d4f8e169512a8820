import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatVkey, noteKey, signatureTypes } from '../tree/note-key.ts'
import { readWitnessPolicy } from './witness-policy.ts'

const { ed25519, ed25519Cosignature, mlDsa44 } = signatureTypes
const [classic, quantum] = [
  noteKey('w.example', ed25519Cosignature, randomBytes(32)),
  noteKey('w.example', mlDsa44, randomBytes(1312)),
]
const log = noteKey('log.example/x', ed25519, randomBytes(32))

test('a witness has all of its keys under its URL, and one without a URL is not asked', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'annals-policy-'))
  const file = join(directory.path, 'policy')
  const lines = [
    `log ${formatVkey(log)}`,
    `witness one ${formatVkey(classic)} https://w.example/prefix`,
    `witness two ${formatVkey(quantum)} https://w.example/prefix`,
    `witness silent ${formatVkey(noteKey('s.example', ed25519Cosignature, randomBytes(32)))}`,
    'quorum none',
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const policy = await readWitnessPolicy(file)
  assert.deepEqual(policy.witnesses, [
    { name: 'w.example', url: 'https://w.example/prefix', keys: [classic, quantum] },
  ])
  assert.deepEqual([...policy.logs], [['log.example/x', { owner: 'log.example', keys: [log] }]])
})

test('without a file there is nobody, and a file that is wrong is refused with what is wrong', async () => {
  assert.deepEqual(await readWitnessPolicy(undefined), { witnesses: [], logs: new Map() })
  await using directory = await mkdtempDisposable(join(tmpdir(), 'annals-policy-'))
  const file = join(directory.path, 'policy')
  for (const [text, expected] of [
    [undefined, /cannot be read/],
    ['witness\n', /line 1: this is no key/],
    [
      `witness one ${formatVkey(classic)} ftp://w.example\nquorum none\n`,
      /"ftp:\/\/w\.example" is no http or https URL/,
    ],
    ['', /the quorum is missing/],
  ] as const) {
    if (text !== undefined) await writeFile(file, text)
    await assert.rejects(readWitnessPolicy(file), { code: 'INVALID_CONFIGURATION', message: expected })
  }
})
