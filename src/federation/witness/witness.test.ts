import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import type { AuditEvent } from '../../entry/event.ts'
import { witnessSuspicionMs } from '../../limits.ts'
import { realDisk } from '../../store/disk.ts'
import { parseNote } from '../../tree/note.ts'
import { formatVkey, signatureTypes } from '../../tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../../tree/signed-checkpoint.ts'
import { logOfLeaves, noteAt, requestOf } from './testing/log-of-leaves.ts'
import { openWitnessKeys, readWitnessKeys } from './witness-keys.ts'
import { originHash, WitnessState } from './witness-state.ts'
import { Witness, type WitnessParts } from './witness.ts'

const log = logOfLeaves('log.example/x', 40)
const forged = { ...log, leaves: log.leaves.with(3, 'forged') }

async function place() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'annals-witness-'))
  const events: AuditEvent[] = []
  const open = async (more: Partial<WitnessParts> = {}) =>
    await Witness.open({
      state: await WitnessState.open(realDisk, directory.path),
      signers: await openWitnessKeys(realDisk, directory.path, 'w.example'),
      logOf: async (origin) =>
        origin === log.origin ? { owner: 'log.example', keys: log.signers } : undefined,
      seconds: () => 1_700_000_100,
      record: async (event) => void events.push(event),
      node: { hostName: 'w.example', component: 'Portal' },
      logger: { info: () => undefined, warn: () => undefined },
      metrics: { asked: () => undefined },
      intervalMs: 0,
      ...more,
    })
  return { directory, events, open, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

describe('a witness (C2SP tlog-witness)', () => {
  test('cosigns a log that grows, with both keys, and serves what it cosigned last', async () => {
    await using at = await place()
    using witness = await at.open()
    const first = await witness.addCheckpoint(await requestOf(log, 0, 7))
    assert.equal(first.verdict, 'cosigned')
    const second = await witness.addCheckpoint(await requestOf(log, 7, 20))
    assert.ok(second.verdict === 'cosigned')
    const checkpoint = parseSignedCheckpoint(noteAt(log, 20) + second.lines)
    assert.ok(checkpoint !== undefined)
    const types = verifySignatures(checkpoint, witness.keys)?.map(({ key }) => key.type)
    assert.deepEqual(types, [signatureTypes.ed25519Cosignature, signatureTypes.mlDsa44])
    const latest = parseSignedCheckpoint((await witness.latest(originHash(log.origin))) ?? '')
    assert.ok(latest !== undefined)
    assert.deepEqual([latest.size, latest.root], [20, checkpoint.root])
    assert.equal(verifySignatures(latest, [...log.signers, ...witness.keys])?.length, 4)
    assert.equal(await witness.latest(originHash('other.example')), undefined)
  })

  test('a state that begins is an entry, and an ordinary cosignature is none', async () => {
    await using at = await place()
    using witness = await at.open()
    for (const [old, size] of [
      [0, 7],
      [7, 20],
      [20, 20],
    ] as const)
      assert.equal((await witness.addCheckpoint(await requestOf(log, old, size))).verdict, 'cosigned')
    assert.deepEqual(
      at.events.map(({ code }) => code),
      ['29082'],
    )
    await rm(join(at.directory.path, 'logs', originHash(log.origin)))
    await witness.addCheckpoint(await requestOf(log, 0, 30))
    assert.deepEqual(
      at.events.map(({ code }) => code),
      ['29082', '29082'],
    )
  })

  test('I10: what was cosigned holds after a restart: nothing else is cosigned at that size, and nothing smaller', async () => {
    await using at = await place()
    {
      using witness = await at.open()
      await witness.addCheckpoint(await requestOf(log, 0, 20))
    }
    using witness = await at.open()
    assert.deepEqual(await witness.addCheckpoint(await requestOf(log, 0, 10)), {
      verdict: 'conflict',
      size: 20,
    })
    assert.equal((await witness.addCheckpoint(await requestOf(forged, 20, 20))).verdict, 'inconsistent')
    assert.equal((await witness.addCheckpoint(await requestOf(forged, 20, 30))).verdict, 'inconsistent')
    assert.equal((await witness.addCheckpoint(await requestOf(log, 20, 30))).verdict, 'cosigned')
  })

  test('of two that come together one is cosigned, and the other is told of it', async () => {
    await using at = await place()
    using witness = await at.open()
    const requests = [await requestOf(log, 0, 10), await requestOf(forged, 0, 12)]
    const [one, other] = await Promise.all(requests.map((body) => witness.addCheckpoint(body)))
    assert.equal(one?.verdict, 'cosigned')
    assert.deepEqual(other, { verdict: 'conflict', size: 10 })
  })

  test('what is no request, of no log that it knows, or not signed by it, is refused', async () => {
    await using at = await place()
    using witness = await at.open()
    const stranger = logOfLeaves('other.example/x', 5)
    const thief = { ...logOfLeaves(log.origin, 5), origin: log.origin }
    const verdicts = []
    for (const body of ['', await requestOf(stranger, 0, 5), await requestOf(thief, 0, 5)])
      verdicts.push((await witness.addCheckpoint(body)).verdict)
    assert.deepEqual(verdicts, ['malformed', 'unknown', 'unsigned'])
    assert.deepEqual(at.events, [])
  })

  test('it cosigns for one log now and then, and the same again at any time', async () => {
    await using at = await place()
    using witness = await at.open({ intervalMs: 600_000 })
    const first = await witness.addCheckpoint(await requestOf(log, 0, 10))
    const again = await witness.addCheckpoint(await requestOf(log, 10, 10))
    assert.deepEqual(again, first)
    const next = await witness.addCheckpoint(await requestOf(log, 10, 20))
    assert.ok(next.verdict === 'too soon')
    assert.ok(next.retryAfterSeconds > 0 && next.retryAfterSeconds <= 600)
    assert.equal(parseSignedCheckpoint((await witness.latest(originHash(log.origin))) ?? '')?.size, 10)
  })

  test('a log that signs two trees of one size is an entry, kept with both notes, and a warning that stays', async () => {
    await using at = await place()
    {
      using witness = await at.open()
      await witness.addCheckpoint(await requestOf(log, 0, 20))
      // Whatever it says that the witness saw: two signatures say all.
      await witness.addCheckpoint(await requestOf(forged, 5, 20))
      await witness.addCheckpoint(await requestOf(forged, 20, 20))
    }
    const told = at.events.filter(({ code }) => code === '29083')
    assert.equal(told.length, 1)
    assert.match(String(told[0]?.message), /fork: seen 20 .*, shown 20 /)
    const files = (await readdir(join(at.directory.path, 'evidence'))).sort()
    const notes = await Promise.all(
      files.map((file) => readFile(join(at.directory.path, 'evidence', file), 'utf8')),
    )
    const roots = notes.map((note) => parseNote(note)?.text.split('\n')[2])
    assert.equal(new Set(roots).size, 2)
    using witness = await at.open()
    assert.match(witness.warnings.join(), /^the log log\.example\/x contradicts/)
    assert.equal(witness.evidence, 1)
  })

  test('a smaller tree that was signed later is evidence; an old checkpoint that somebody kept is none', async () => {
    await using at = await place()
    using witness = await at.open()
    await witness.addCheckpoint(await requestOf(log, 0, 20, 1_700_000_000))
    await witness.addCheckpoint(await requestOf(log, 0, 10, 1_699_990_000))
    assert.equal(witness.evidence, 0)
    await witness.addCheckpoint(await requestOf(log, 0, 10, 1_700_000_090))
    assert.equal(witness.evidence, 1)
    assert.match(String(at.events.at(-1)?.message), /shrink/)
  })

  test('a proof that does not fit is held against the log only where it does not show a true one', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] })
    await using at = await place()
    using witness = await at.open()
    await witness.addCheckpoint(await requestOf(log, 0, 10))
    // A stranger's doing: the checkpoint is the log's own, and the proof is none.
    const spoilt = (await requestOf(log, 10, 20)).replace(/^(old 10\n).*\n/, '$1')
    assert.equal((await witness.addCheckpoint(spoilt)).verdict, 'inconsistent')
    assert.equal((await witness.addCheckpoint(await requestOf(log, 10, 21))).verdict, 'cosigned')
    context.mock.timers.tick(witnessSuspicionMs)
    assert.equal(witness.evidence, 0)
    assert.equal((await witness.addCheckpoint(await requestOf(forged, 21, 30))).verdict, 'inconsistent')
    assert.equal(witness.evidence, 0)
    context.mock.timers.tick(witnessSuspicionMs)
    while (at.events.length < 2) await immediate()
    assert.match(String(at.events[1]?.message), /no continuation: seen 21 .*, shown 30 /)
    assert.equal(witness.evidence, 1)
  })

  test('a state that is damaged is not one that begins', async () => {
    await using at = await place()
    using witness = await at.open()
    await witness.addCheckpoint(await requestOf(log, 0, 10))
    await writeFile(join(at.directory.path, 'logs', originHash(log.origin)), 'x')
    await assert.rejects(witness.addCheckpoint(await requestOf(log, 0, 20)), { code: 'STORAGE_FAILED' })
  })
})

test('the keys of a witness stay, and are kept out of backups', async () => {
  await using at = await place()
  const vkeys = (await openWitnessKeys(realDisk, at.directory.path, 'w.example')).map(formatVkey)
  assert.deepEqual((await readWitnessKeys(realDisk, at.directory.path, 'w.example')).map(formatVkey), vkeys)
  assert.equal(vkeys.length, 2)
  const tag = await readFile(join(at.directory.path, 'CACHEDIR.TAG'), 'utf8')
  assert.ok(tag.startsWith('Signature: 8a477f597d28d172789f06886806bc55\n'))
})
