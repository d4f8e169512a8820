import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { headDelayMs } from '../limits.ts'
import type { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { noteSigner, signatureTypes } from '../tree/note-key.ts'
import { mostSignatures } from '../tree/note.ts'
import { cosignatureLine, parseSignedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { AuditLog } from './audit-log.ts'
import { draft, openTestLog, recordEach } from './testing/log-under-test.ts'

const type = signatureTypes.ed25519Cosignature
const signers = Array.from({ length: mostSignatures }, (_, k) =>
  noteSigner(`w${k}.example`, type, generateKeyPairSync('ed25519').privateKey),
)

function cosignedBy(note: string, who: number, seconds = 5): string {
  const [checkpoint, signer] = [parseSignedCheckpoint(note), signers[who]]
  assert.ok(checkpoint !== undefined && signer !== undefined)
  return note + cosignatureLine(checkpoint, signer, seconds)
}

function namesIn(note: string | undefined): string[] {
  return parseSignedCheckpoint(note ?? '')?.signatures.map(({ name }) => name) ?? []
}

async function headOf(log: AuditLog) {
  return await log.proofs.covering(log.status().size)
}

describe('a log and its cosignatures', () => {
  test('its latest checkpoint is shown with all that it got, also after a power cut', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, ['a', 'b'])
    const { note, size } = await headOf(log)
    assert.equal(log.proofs.witnessed(), undefined)
    await log.cosigned(cosignedBy(note, 0))
    await log.cosigned(cosignedBy(note, 1))
    await log.cosigned(cosignedBy(note, 0, 9))
    const names = [log.origin, log.origin, 'w0.example', 'w1.example']
    assert.deepEqual(namesIn(log.proofs.checkpoint()?.note), names)
    await recordEach(log, clock, ['c'])
    await headOf(log)
    // Of a newer checkpoint nobody has said anything yet.
    assert.deepEqual(namesIn(log.proofs.checkpoint()?.note), [log.origin, log.origin])
    assert.equal(log.proofs.witnessed()?.size, size)
    const again = (await openTestLog({ disk: disk.powerLoss(), clock })).log
    assert.deepEqual(namesIn(again.proofs.witnessed()?.note), names)
    await again.close()
    await log.close()
  })

  test('whoever waits for a cosigned checkpoint gets the first one that covers the entry, or is told', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, ['a'])
    const { note, size } = await headOf(log)
    const waiting = log.proofs.covering(size, { witnessed: true })
    await log.cosigned(cosignedBy(note, 0))
    assert.equal((await waiting).size, size)
    const never = assert.rejects(log.proofs.covering(size + 1, { witnessed: true }), { code: 'UNAVAILABLE' })
    await log.close()
    await never
  })

  test('an older one, or one that is not its own, changes nothing', async () => {
    const { log, clock } = await openTestLog()
    const other = (await openTestLog({ hostName: 'other' })).log
    await recordEach(log, clock, ['a'])
    const old = (await headOf(log)).note
    await recordEach(log, clock, ['b'])
    await log.cosigned(cosignedBy((await headOf(log)).note, 0))
    const before = log.proofs.witnessed()
    await log.cosigned(cosignedBy(old, 1))
    await assert.rejects(log.cosigned(cosignedBy((await headOf(other)).note, 1)), RangeError)
    assert.equal(log.proofs.witnessed(), before)
    await log.close()
    await other.close()
  })

  test('more cosignatures than a note may have are left out', async () => {
    const { log, clock } = await openTestLog()
    await recordEach(log, clock, ['a'])
    const { note } = await headOf(log)
    for (const who of signers.keys()) await log.cosigned(cosignedBy(note, who))
    assert.equal(namesIn(log.proofs.witnessed()?.note).length, mostSignatures)
    await log.close()
  })
})

describe('a log that others hold a later checkpoint of', () => {
  test('I10: an older copy of it opens, is read, and records nothing, from the first entry on', async () => {
    const { copy, note, clock } = await rolledBack()
    const asked: string[] = []
    const { log } = await openTestLog({
      disk: copy,
      clock,
      askWitnesses: async (origin) => {
        asked.push(origin)
        return [{ witness: 'w', note }]
      },
    })
    const { size } = log.status()
    assert.deepEqual([asked, log.status().recording], [[log.origin], 'read-only'])
    await assert.rejects(log.record(draft(log, 'x')), { code: 'LOG_READ_ONLY', message: /annals log renew/ })
    await assert.rejects(log.recordAll([draft(log, 'x')]), { code: 'LOG_READ_ONLY' })
    const read = await log.read({}, () => draft(log, 'read'))
    assert.deepEqual([read.mark, read.to], [undefined, size])
    assert.equal((await log.proofs.inclusion(0, size)).length > 0, true)
    await log.close()
    // What was proved once holds, also where nobody can be reached.
    const again = (await openTestLog({ disk: copy.powerLoss(), clock })).log
    assert.deepEqual([again.status().recording, again.status().size], ['read-only', size])
    await again.close()
  })

  test('I10: a copy that has gone on by itself is found out while it runs', async () => {
    const { copy, note, clock } = await rolledBack()
    const { log } = await openTestLog({ disk: copy, clock, askWitnesses: async () => [] })
    await recordEach(log, clock, ['other', 'entries', 'than', 'were', 'there'])
    const head = () => String(copy.bytesOf('/data/log/head'))
    const [before, { size }] = [head(), log.status()]
    assert.ok((log.proofs.checkpoint()?.size ?? 0) < size, 'the head is behind')
    assert.equal(await log.confront('w', note), true)
    await assert.rejects(log.record(draft(log, 'x')), { code: 'LOG_READ_ONLY' })
    // Nothing is signed any more of what contradicts what was signed before.
    await assert.rejects(log.proofs.covering(size), { code: 'UNAVAILABLE', message: /read-only/ })
    await sleep(2 * headDelayMs)
    assert.equal(head(), before)
    await log.close()
    assert.equal(head(), before)
  })

  test('what it continues, and what it has not signed, is held by nobody against it', async () => {
    const { log, clock } = await openTestLog()
    const other = (await openTestLog({ hostName: 'portal-01' })).log
    await recordEach(other, clock, ['a', 'b', 'c', 'd'])
    await recordEach(log, clock, ['a'])
    const own = (await headOf(log)).note
    await recordEach(log, clock, ['b'])
    const foreign = (await headOf(other)).note.replaceAll(other.origin, log.origin)
    for (const note of [own, (await headOf(log)).note, foreign, own.replace('\n2\n', '\n99\n'), 'x'])
      assert.equal(await log.confront('w', note), false)
    assert.equal(log.status().recording, 'accepting')
    await log.close()
    await other.close()
  })
})

// A copy of a log as it was some entries ago, and the checkpoint that it has signed since.
async function rolledBack(): Promise<{
  copy: FaultyDisk
  note: string
  clock: Awaited<ReturnType<typeof openTestLog>>['clock']
}> {
  const { log, disk, clock } = await openTestLog()
  await recordEach(log, clock, ['a', 'b'])
  await headOf(log)
  const copy = disk.powerLoss()
  await recordEach(log, clock, ['c', 'd'])
  const { note } = await headOf(log)
  await log.close()
  return { copy, note, clock }
}
