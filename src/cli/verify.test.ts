import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatVkey, noteSigner, signatureTypes } from '../tree/note-key.ts'
import { run } from './run.ts'
import { temporaryDirectory } from './testing/annals-process.ts'
import { testSurroundings } from './testing/surroundings.ts'
import { makeAnswer } from './verify/testing/made-answer.ts'
import { makeLog } from './verify/testing/made-log.ts'

const nobody = 'witnessed by nobody you named'

test('a whole log is proved, in a data directory, its own, or a copy, and nothing is written', async (context) => {
  const { data, log, keys, id, lines, segments } = await makeLog(context)
  assert.ok(segments.length >= 2)
  const before = treeOf(data)
  const people = await verified([data, '--key', keys])
  assert.deepEqual([people.exitCode, people.errors], [0, ''])
  const [verdict, ...rows] = people.output.split('\n')
  assert.equal(verdict, `signed by the log; ${nobody}`)
  assert.match(rows.join('\n'), new RegExp(`^log +${id}\nentries +${lines.length}, from the first one on`))
  assert.match(people.output, /signed +Ed25519 key [0-9a-f]{8}, ML-DSA-44 key [0-9a-f]{8}/)
  const programs = await verified([log, '--key', keys, '--json'])
  const report = JSON.parse(programs.output) as Record<string, unknown>
  assert.deepEqual(
    [report['result'], report['log'], report['size'], report['behind'], report['keys'], report['quorum']],
    ['proved', id, lines.length, 0, 'given', 'unasked'],
  )
  assert.deepEqual(treeOf(data), before)
  const copy = temporaryDirectory(context)
  cpSync(join(log, 'segments'), copy, { recursive: true })
  const bare = await verified([copy, '--key', keys, '--checkpoint', join(log, 'head')])
  assert.deepEqual([bare.exitCode, bare.errors], [0, ''])
})

test("a directory's own keys are said to be that, and a copy without any needs some", async (context) => {
  const { data, log } = await makeLog(context)
  const { exitCode, output } = await verified([data])
  assert.equal(exitCode, 0)
  assert.match(output, new RegExp(`^signed by the log, with keys that came along with it; ${nobody}\n`))
  assert.match(output, /keys +the directory's own/)
  const copy = temporaryDirectory(context)
  cpSync(join(log, 'segments'), copy, { recursive: true })
  const bare = await verified([copy, '--checkpoint', join(log, 'head')])
  assert.equal(bare.exitCode, 2)
  assert.match(bare.errors, /no key of the log is known: --key VKEY/)
  const { exitCode: headless, errors } = await verified([copy, '--key', join(data, 'keys')])
  assert.deepEqual([headless, errors], [2, 'annals: there is no checkpoint: expected --checkpoint FILE\n'])
})

test('I2: what was changed, cut off or taken away is exit code 7, for programs as JSON too', async (context) => {
  const { data, keys, segments } = await makeLog(context)
  const [first = '', second = ''] = segments
  const whole = readFileSync(first)
  const changed = Buffer.from(whole)
  changed[whole.length - 5] = (whole.at(-5) ?? 0) ^ 1
  writeFileSync(first, changed)
  const { exitCode, output, errors } = await verified([data, '--key', keys])
  assert.deepEqual([exitCode, output], [7, ''])
  assert.match(errors, /^annals: the first 7\d\d entries do not lead to the root of the checkpoint/)
  const programs = await verified([data, '--key', keys, '--json'])
  assert.equal(programs.exitCode, 7)
  const { result, message } = JSON.parse(programs.output) as Record<string, unknown>
  assert.deepEqual([result, `annals: ${String(message)}\n`], ['contradicted', errors])
  writeFileSync(first, whole)
  truncateSync(second, statSync(second).size - 40)
  const cut = await verified([data, '--key', keys])
  assert.equal(cut.exitCode, 7)
  assert.match(cut.errors, /the end is missing/)
  rmSync(first)
  const gone = await verified([data, '--key', keys])
  assert.equal(gone.exitCode, 7)
  assert.match(gone.errors, /positions 0 to \d+ are missing: no file holds them/)
})

test('what lies behind the checkpoint is told of, and is not proved', async (context) => {
  const { data, log, keys, lines, segments } = await makeLog(context)
  const next = (lines.at(-1) ?? '').replace(`pos="${lines.length - 1}"`, `pos="${lines.length}"`)
  appendFileSync(segments.at(-1) ?? '', `${next}\nhalf a line`)
  const { exitCode, output } = await verified([log, '--key', keys])
  assert.equal(exitCode, 0)
  assert.match(output, /behind +1 entries behind the checkpoint fit, and are not proved/)
  assert.match(output, /unfinished +11 bytes at the end/)
  assert.equal((await verified([data, '--key', keys, '--checkpoint', keys])).exitCode, 2)
})

test('keys of somebody else, and a policy whose quorum is missing, have exit codes of their own', async (context) => {
  const [one, other] = [await makeLog(context), await makeLog(context)]
  const strange = await verified([one.data, '--key', other.keys])
  assert.equal(strange.exitCode, 7)
  assert.match(strange.errors, /of which no key was given/)
  const policy = join(one.data, 'policy')
  const { privateKey } = generateKeyPairSync('ed25519')
  const witness = formatVkey(noteSigner('witness.example', signatureTypes.ed25519Cosignature, privateKey))
  writeFileSync(policy, one.vkeys.map((vkey) => `log ${vkey}\n`).join('') + 'quorum none\n')
  const none = await verified([one.data, '--policy', policy])
  assert.deepEqual(
    [none.exitCode, none.output.split('\n')[0]],
    [0, 'signed by the log; your policy asks for no witness'],
  )
  writeFileSync(policy, `log ${one.vkeys[0]}\nwitness w ${witness}\nquorum w\n`)
  const missing = await verified([one.data, '--policy', policy])
  assert.deepEqual(
    [missing.exitCode, missing.errors],
    [9, 'annals: signed by the log, and by no witness of your policy\n'],
  )
  writeFileSync(policy, 'quorum nobody\n')
  const wrong = await verified([one.data, '--policy', policy])
  assert.equal(wrong.exitCode, 2)
  assert.match(wrong.errors, /--policy: .*policy, line 1: "nobody" is not defined above/)
})

test('where there is no log, and where keys are none, is said', async (context) => {
  const { data } = await makeLog(context)
  const empty = await verified([temporaryDirectory(context)])
  assert.equal(empty.exitCode, 2)
  assert.match(
    empty.errors,
    /there is no log in .*: expected a data directory, its "log", or files such as 0{20}\.log/,
  )
  const key = await verified([data, '--key', join(data, 'log', 'log.json')])
  assert.equal(key.exitCode, 2)
  assert.match(key.errors, /holds something else than keys, one a line/)
  const gone = await verified([data, '--key', 'portal-01+0+none'])
  assert.equal(gone.exitCode, 2)
  assert.match(gone.errors, /--key: it cannot be read: ENOENT/)
})

async function verified(args: readonly string[], directory = '/nowhere') {
  const surroundings = testSurroundings({ directory })
  const exitCode = await run(['verify', ...args], surroundings)
  return { exitCode, output: surroundings.outputText(), errors: surroundings.errorText() }
}

// Every file below a directory, and what it holds.
function treeOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
  return new Map(files.map((path) => [path, readFileSync(path, 'latin1')]))
}

test('an answer with its proof is proved, and one of which a byte was changed is not', async (context) => {
  const { keys, lines, directory, proof, answer } = await makeAnswer(context)
  const good = await verified([answer, '--proof', proof, '--key', keys])
  assert.deepEqual([good.exitCode, good.errors], [0, ''])
  assert.match(good.output, new RegExp(`^signed by the log; ${nobody}\n`))
  assert.match(good.output, /complete +every entry that was recorded before 20/)
  const json = JSON.parse(
    (await verified([answer, '--proof', proof, '--key', keys, '--json'])).output,
  ) as Report
  assert.deepEqual(
    [json['result'], json['form'], json['from'], json['to']],
    ['proved', 'answer', 0, lines.length],
  )
  const text = readFileSync(answer, 'utf8')
  for (const changed of [
    text.replace('20004', '20005'),
    text.slice(0, -1 - (lines.at(-1)?.length ?? 0)),
    `${text}x\n`,
  ]) {
    const file = join(directory, 'changed.log')
    writeFileSync(file, changed)
    const bad = await verified([file, '--proof', proof, '--key', keys])
    assert.equal(bad.exitCode, 7, bad.output)
    assert.equal(bad.output, '')
  }
  const { exitCode, errors } = await verified([answer, '--proof', proof])
  assert.equal(exitCode, 2)
  assert.match(errors, /no key of the log is known/)
})

test('a receipt is proved by itself, and against the line that somebody kept', async (context) => {
  const { keys, directory, receipt, line } = await makeAnswer(context)
  const people = await verified([receipt, '--key', keys])
  assert.deepEqual([people.exitCode, people.errors], [0, ''])
  assert.ok(people.output.includes(line))
  const kept = join(directory, 'line')
  writeFileSync(kept, `${line}\n`)
  assert.equal((await verified([kept, '--proof', receipt, '--key', keys])).exitCode, 0)
  writeFileSync(kept, line.replace('20004', '20005'))
  assert.equal((await verified([kept, '--proof', receipt, '--key', keys])).exitCode, 7)
})

test('lines that came back are compared with kept hashes, or with nothing but their claims', async (context) => {
  const { keys, directory, lines, tiles } = await makeAnswer(context)
  const file = join(directory, 'from-siem.log')
  const write = (texts: readonly string[]) => writeFileSync(file, texts.map((text) => `${text}\r\n`).join(''))
  write(lines.toReversed())
  const good = await verified([file, '--tiles', tiles, '--key', keys])
  assert.deepEqual([good.exitCode, good.errors], [0, ''])
  write([...lines.slice(3), lines[5] ?? '', (lines[0] ?? '').replace('annals', 'annols')])
  const bad = await verified([file, '--tiles', tiles, '--key', keys])
  assert.equal(bad.exitCode, 7)
  assert.match(bad.output, /missing +3: 0 to 2\ndoubled +1: 5\nchanged +1: 0\n/)
  assert.match(bad.errors, /is not what the log holds: 3 missing, 1 doubled, 1 changed\n$/)
  const json = JSON.parse(
    (await verified([file, '--tiles', tiles, '--key', keys, '--json'])).output,
  ) as Report
  assert.deepEqual(
    [json['result'], json['missing']],
    ['contradicted', { count: 3, ranges: [{ from: 0, to: 3 }] }],
  )
  const claims = await verified([file, '--claims'])
  assert.equal(claims.exitCode, 10)
  assert.match(claims.output, /doubled +1: 5\n/)
  write(lines)
  const fine = await verified([file, '--claims'])
  assert.equal(fine.exitCode, 8)
  assert.match(fine.errors, /nothing is proved: .* they claim no gap and no double\n$/)

  writeFileSync(join(tiles, 'positions'), 'all\n')
  const odd = await verified([file, '--tiles', tiles, '--key', keys])
  assert.equal(odd.exitCode, 2)
  assert.match(odd.errors, /positions: expected a range of positions, as 0-100, and nothing else\n$/)
  rmSync(join(tiles, 'checkpoint'))
  const bare = await verified([file, '--tiles', tiles, '--key', keys])
  assert.match(bare.errors, /there is no checkpoint: expected --checkpoint FILE\n$/)
})

type Report = Readonly<Record<string, unknown>>
