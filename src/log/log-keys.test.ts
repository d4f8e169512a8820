import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseLine } from '../entry/line.ts'
import { keyOverlapMicros } from '../limits.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { followRotations, readRotation } from '../tree/key-rotation.ts'
import { formatVkey, type NoteKey } from '../tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'
import type { AuditLog } from './audit-log.ts'
import { checkLog } from './check.ts'
import { putRotationOrder, readRotationOrder } from './rotation-order.ts'
import { linesOf, newYear, openTestLog, recordEach, TestClock } from './testing/log-under-test.ts'

const order = { id: '0199c0de-0000-4000-8000-000000000001', actor: '*cli:anna', at: newYear }
const [key0, key1] = ['/data/log/key.pem', '/data/log/key-2.pem']

async function orderOn(disk: FaultyDisk, id = order.id): Promise<void> {
  await putRotationOrder(disk, '/data/orders', { ...order, id })
}

function entriesOf(lines: readonly string[], code: string): ReturnType<typeof parseLine>[] {
  return lines.map((line) => parseLine(Buffer.from(line))).filter((entry) => entry.code === code)
}

function signersOf(log: AuditLog, keys: readonly NoteKey[]): string[] {
  const checkpoint = parseSignedCheckpoint(log.proofs.checkpoint()?.note ?? '')
  assert.ok(checkpoint !== undefined)
  return verifySignatures(checkpoint, keys)?.map(({ key }) => formatVkey(key)) ?? []
}

describe('a rotation of the keys of a log', () => {
  test('is one entry that all four keys have signed; checkpoints bear four signatures, and a month later two', async () => {
    const { log, disk, clock } = await openTestLog()
    await recordEach(log, clock, ['before'])
    const first = log.keys
    await log.tendKeys()
    assert.deepEqual(log.keyRotations, [], 'nothing was ordered')
    await orderOn(disk)
    await log.tendKeys()

    const both = log.keys
    assert.deepEqual(both.slice(0, 2), first)
    assert.equal(await readRotationOrder(disk, '/data/orders'), undefined)
    const [entry] = entriesOf(await linesOf(log), '29086')
    const statement = entry?.elements.find(({ name }) => name === 'detail@32473')?.params[0]?.[1]
    assert.deepEqual(log.keyRotations, [statement])
    const rotation = readRotation(statement ?? '')
    assert.ok(typeof rotation !== 'string')
    assert.deepEqual([rotation.origin, rotation.old, rotation.next], [log.origin, first, both.slice(2)])
    assert.equal(rotation.size, entry?.position)
    assert.equal(entry?.elements.find(({ name }) => name === 'event@32473')?.params[0]?.[1], '*cli:anna')
    await log.proofs.covering((entry?.position ?? 0) + 1)
    assert.deepEqual(signersOf(log, both), both.map(formatVkey))

    clock.pass(keyOverlapMicros - 1_000_000)
    await log.tendKeys()
    assert.deepEqual(log.keys, both)
    assert.ok(disk.bytesOf(key0) !== undefined)
    clock.pass(1_000_000)
    await log.tendKeys()
    const next = log.keys
    assert.deepEqual(next, both.slice(2))
    assert.deepEqual(
      [disk.bytesOf(key0), disk.bytesOf('/data/log/key-ml-dsa-44.pem')],
      [undefined, undefined],
    )
    const [ended] = entriesOf(await linesOf(log), '29087')
    assert.match(ended?.text ?? '', /The old key of the log is destroyed - portal-01\//)
    await log.proofs.covering((ended?.position ?? 0) + 1)
    assert.deepEqual(signersOf(log, both), next.map(formatVkey))
    assert.deepEqual(followRotations(first, log.keyRotations), next)
    await log.close()
    assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
  })

  test('keeps the name and the origin of the log, which opens at every step of it', async () => {
    const disk = new FaultyDisk()
    const clock = new TestClock()
    let known: { id: string; origin: string } | undefined
    for (const passes of [0, keyOverlapMicros, 0, keyOverlapMicros]) {
      const { log } = await openTestLog({ disk, clock })
      known ??= { id: log.id, origin: log.origin }
      assert.deepEqual({ id: log.id, origin: log.origin }, known)
      if (passes === 0) await orderOn(disk, crypto.randomUUID())
      clock.pass(passes)
      await log.tendKeys()
      assert.equal(log.keys.length, passes === 0 ? 4 : 2)
      await log.close()
      assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
    }
    assert.ok(disk.bytesOf('/data/log/key-3.pem') !== undefined)
    assert.equal(disk.bytesOf(key1), undefined)
  })

  test('a second one waits until the first has ended', async () => {
    const { log, disk, clock } = await openTestLog()
    await orderOn(disk)
    await log.tendKeys()
    await orderOn(disk, '0199c0de-0000-4000-8000-000000000002')
    await log.tendKeys()
    assert.equal(log.keyRotations.length, 1)
    clock.pass(keyOverlapMicros)
    await log.tendKeys()
    await log.tendKeys()
    assert.equal(log.keyRotations.length, 2)
    await log.close()
  })

  test('I1: a power cut at any sync of it leaves a log that opens and goes on with it: one entry for each step', async () => {
    for (let cut = 1, isOver = false; !isOver; cut++) {
      const { log, disk, clock } = await openTestLog()
      await recordEach(log, clock, ['before'])
      const first = log.keys
      const from = disk.syncs
      const after: FaultyDisk[] = []
      disk.onSync = () => {
        if (disk.syncs !== from + cut) return undefined
        after.push(
          disk.powerLoss(),
          disk.powerLoss(() => 0.1),
          disk.powerLoss(() => 0.9),
        )
        return undefined
      }
      await orderOn(disk)
      await log.tendKeys()
      clock.pass(keyOverlapMicros)
      await log.tendKeys()
      await log.close()
      isOver = after.length === 0
      for (const lost of after) await goesOn(lost, clock, first)
    }
  })

  test('a step that fails is made at the next call, and the keys stay those that were named', async () => {
    for (const file of ['log.json', 'key-2.pem', 'key-ml-dsa-44-2.pem', '.log', 'head']) {
      const { log, disk, clock } = await openTestLog()
      await recordEach(log, clock, ['before'])
      const first = log.keys
      await orderOn(disk)
      let failures = 0
      disk.onSync = (path) => {
        if (!path.replace('.tmp', '').endsWith(file) || failures > 0) return undefined
        failures += 1
        return 'fail'
      }
      await log.tendKeys().catch(() => undefined)
      await log.tendKeys()
      assert.equal(failures, 1, file)
      await goesOn(disk.powerLoss(), clock, first)
      await log.close()
    }
  })
})

// Opens a log again, lets its rotation end, and demands that it was one.
async function goesOn(disk: FaultyDisk, clock: TestClock, first: readonly NoteKey[]): Promise<void> {
  if ((await readRotationOrder(disk, '/data/orders')) === undefined && !isRotated(disk)) return
  const { log } = await openTestLog({ disk, clock })
  await log.tendKeys()
  clock.pass(keyOverlapMicros)
  await log.tendKeys()
  const lines = await linesOf(log)
  for (const code of ['29086', '29087']) assert.equal(entriesOf(lines, code).length, 1, code)
  assert.equal(log.keys.length, 2)
  assert.deepEqual(followRotations(first, log.keyRotations), log.keys)
  assert.deepEqual(disk.paths.filter((path) => path.endsWith('.pem')).sort(), [
    key1,
    '/data/log/key-ml-dsa-44-2.pem',
  ])
  await log.close()
  assert.equal((await checkLog({ data: '/data', disk })).faultCount, 0)
}

function isRotated(disk: FaultyDisk): boolean {
  return String(disk.bytesOf('/data/log/log.json')).includes('statement')
}
