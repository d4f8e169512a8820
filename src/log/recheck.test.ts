import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLine } from '../entry/line.ts'
import { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { rootOf } from '../tree/compact-range.ts'
import { leafHash } from '../tree/hash.ts'
import type { AuditLog } from './audit-log.ts'
import type { RecheckOptions, RecheckStatus } from './recheck.ts'
import { formatState, parseState } from './recheck-state.ts'
import { formatSeal } from './seal.ts'
import { SegmentIndex } from './segment-index.ts'
import { linesOf, openTestLog, recordAll, TestClock, texts } from './testing/log-under-test.ts'

const always: RecheckOptions = { intervalMicros: 0, bytesPerSecond: 1e9, lookMs: 5 }
const segmentBytes = 64 * 1024
const state = '/data/log/recheck.json'

/** A log of some sealed segments, closed. */
async function sealedLog(): Promise<{ disk: FaultyDisk; clock: TestClock }> {
  const { log, disk, clock } = await openTestLog({ segmentBytes })
  for (let k = 0; k < 12; k++) {
    clock.pass(1000)
    await recordAll(log, texts(250, `batch ${k}, event`))
  }
  await log.close()
  return { disk, clock }
}

async function openChecked(
  context: TestContext,
  { disk, clock }: { disk: FaultyDisk; clock: TestClock },
  recheck: RecheckOptions = always,
): Promise<AuditLog> {
  const { log } = await openTestLog({ disk, clock, recheck, segmentBytes })
  context.after(() => log.close())
  return log
}

/** The status as soon as it is as wanted. */
async function statusOf(log: AuditLog, isWanted: (status: RecheckStatus) => boolean): Promise<RecheckStatus> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const { recheck } = log.status()
    assert.ok(recheck !== undefined)
    if (isWanted(recheck)) return recheck
    assert.ok(performance.now() < deadline, `still ${JSON.stringify(recheck)}`)
    await sleep(5)
  }
}

/** Waits until a whole pass has begun and ended from here on. */
async function fullPass(log: AuditLog, clock: TestClock): Promise<RecheckStatus> {
  for (let passes = 0; passes < 2; passes++) {
    clock.pass(1_000_000)
    const now = clock.wall
    await statusOf(log, ({ lastFull = 0 }) => lastFull >= now)
  }
  return await statusOf(log, () => true)
}

function segmentsOf(disk: FaultyDisk): { first: number; path: string; seal: string; index: string }[] {
  return disk.paths
    .filter((path) => path.endsWith('.seal'))
    .sort()
    .map((seal) => {
      const path = seal.replace('.seal', '.log')
      const index = path.replace('segments', 'index').replace('.log', '.index')
      return { first: Number(/([0-9]{20})\.log/.exec(path)?.[1]), path, seal, index }
    })
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
}

async function entriesOf(log: AuditLog, code: string): Promise<string[]> {
  const entries = (await linesOf(log)).map((line) => parseLine(Buffer.from(line)))
  return entries.filter((entry) => entry.code === code).map(({ text }) => text)
}

describe('the background check', () => {
  test('reads all that is sealed, finds nothing, and says when it was done', async (context) => {
    const { disk, clock } = await sealedLog()
    const sealed = segmentsOf(disk)
    assert.ok(sealed.length >= 3)
    const log = await openChecked(context, { disk, clock }, { ...always, intervalMicros: 1_000_000 })
    const { size } = log.status()
    const status = await statusOf(log, ({ lastFull }) => lastFull !== undefined)
    const bytes = sealed.reduce((sum, { path }) => sum + (disk.bytesOf(path)?.length ?? 0), 0)
    assert.deepEqual(status, { since: clock.wall, lastFull: clock.wall, ageMicros: 0, bytes, faults: [] })
    clock.pass(999_999)
    await sleep(50)
    assert.equal(log.status().recheck?.bytes, bytes, 'the next pass is not due')
    assert.equal(log.status().recheck?.ageMicros, 999_999)
    clock.pass(1)
    await statusOf(log, (again) => again.bytes === 2 * bytes)
    assert.equal(log.status().size, size, 'it makes no entry')
  })

  test('I2: finds a byte that was changed in a sealed segment, says so once, and disturbs nobody', async (context) => {
    const { disk, clock } = await sealedLog()
    const log = await openChecked(context, { disk, clock })
    await fullPass(log, clock)
    const [, second] = segmentsOf(disk)
    assert.ok(second !== undefined)
    const whole = Buffer.from(disk.bytesOf(second.path) ?? [])
    disk.damage(second.path, flip(whole.lastIndexOf('event') + 2))
    const { faults } = await statusOf(log, (status) => status.faults.length > 0)
    const place = `segment ${second.first}`
    assert.equal(faults.length, 1)
    assert.equal(faults[0]?.place, place)
    assert.match(
      faults[0]?.reason ?? '',
      /^its text is not the one that was sealed, first in positions \d+ to \d+$/,
    )
    await fullPass(log, clock)
    await recordAll(log, ['goes on'])
    const told = await entriesOf(log, '29090')
    assert.equal(told.length, 1, 'once, whatever the number of passes')
    assert.match(told[0] ?? '', new RegExp(`Damage was found in ${place} - its text is not`))

    disk.damage(second.path, () => whole)
    await statusOf(log, (status) => status.faults.length === 0)
    await fullPass(log, clock)
    assert.equal((await entriesOf(log, '29091')).length, 1)
    assert.equal((await entriesOf(log, '29090')).length, 1)
  })

  test('names a seal, an index and a file that are missing or wrong', async (context) => {
    const { disk, clock } = await sealedLog()
    const log = await openChecked(context, { disk, clock })
    await fullPass(log, clock)
    const [first, second, third, fourth] = segmentsOf(disk)
    assert.ok(first !== undefined && second !== undefined && third !== undefined && fourth !== undefined)
    disk.lose(first.seal)
    disk.damage(second.index, flip(60))
    disk.lose(third.path)
    disk.damage(fourth.path, (bytes) => bytes.subarray(0, -100))
    const { faults } = await statusOf(log, (status) => status.faults.length === 4)
    assert.deepEqual(
      faults.map(({ place, reason }) => `${place}: ${reason}`),
      [
        `segment ${first.first}: its seal is missing or not readable`,
        `segment ${second.first}: its index is missing or not readable`,
        `segment ${third.first}: its file is missing`,
        `segment ${fourth.first}: its text is not the one that was sealed, first in positions ${fourth.first + 256} to ${fourth.first + 511}`,
      ],
    )
  })

  test('finds a text that was changed together with its seal and its index: the checkpoint signs another', async (context) => {
    const { disk, clock } = await sealedLog()
    const [, second] = segmentsOf(disk)
    assert.ok(second !== undefined)
    const log = await openChecked(context, { disk, clock })
    await fullPass(log, clock)
    forge(disk, second)
    const { faults } = await statusOf(log, (status) => status.faults.length > 0)
    assert.deepEqual(faults, [
      { place: 'the sealed segments', reason: 'together they are not what the checkpoint signs' },
    ])
  })

  test('goes on where it stopped', async (context) => {
    const { disk, clock } = await sealedLog()
    const slow = { ...always, intervalMicros: 1_000_000, bytesPerSecond: 200_000 }
    const { log } = await openTestLog({ disk, clock, recheck: slow, segmentBytes })
    await statusOf(log, () => (parseState(disk.bytesOf(state))?.pass?.next ?? 0) > 0)
    await log.close()
    const kept = parseState(disk.bytesOf(state))
    assert.ok(kept?.pass !== undefined && kept.lastFull === undefined)
    assert.deepEqual(parseState(formatState(kept)), kept)
    const rest = segmentsOf(disk).filter(({ first }) => first >= (kept.pass?.next ?? 0))
    const again = await openChecked(context, { disk, clock }, { ...slow, bytesPerSecond: 1e9 })
    const status = await statusOf(again, ({ lastFull }) => lastFull !== undefined)
    const bytes = rest.reduce((sum, { path }) => sum + (disk.bytesOf(path)?.length ?? 0), 0)
    assert.ok(bytes > 0)
    assert.deepEqual([status.bytes, status.faults], [bytes, []])
  })

  test('I1: a power cut at any sync leaves one entry for the damage, in the end', async () => {
    for (let cut = 1, isOver = false; !isOver; cut++) {
      const { disk, clock } = await sealedLog()
      const [first] = segmentsOf(disk)
      disk.damage(first?.path ?? '', flip(1000))
      const from = disk.syncs
      let lost: FaultyDisk | undefined
      disk.onSync = () => {
        if (disk.syncs === from + cut) lost = disk.powerLoss()
        return undefined
      }
      const once = { ...always, intervalMicros: 1_000_000 }
      for (const each of [disk, 'lost'] as const) {
        const on = each === 'lost' ? lost : each
        if (on === undefined) continue
        const { log } = await openTestLog({ disk: on, clock, recheck: once, segmentBytes })
        await statusOf(log, ({ lastFull }) => lastFull !== undefined)
        await log.close()
        const segment = String(
          on.bytesOf(
            on.paths
              .filter((path) => path.endsWith('.log'))
              .sort()
              .at(-1) ?? '',
          ),
        )
        assert.equal(segment.match(/\|29090\|/g)?.length, 1, `cut at ${cut}`)
      }
      isOver = lost === undefined
    }
  })
})

/** Changes a line, and all that is derived from it and not signed. */
function forge(disk: FaultyDisk, { first, path, seal, index }: ReturnType<typeof segmentsOf>[number]): void {
  disk.damage(path, (bytes) => Buffer.from(bytes.toString().replace('event 1', 'event 2')))
  const text = String(disk.bytesOf(path))
  disk.damage(index, (bytes) => {
    const decoded = SegmentIndex.decode(bytes, first)
    assert.ok(decoded !== undefined)
    const leaves = text.split('\n').slice(0, -1).map(leafHash)
    for (let k = 0; k < decoded.blocks; k++) decoded.setRoot(k, rootOf(leaves.slice(256 * k, 256 * (k + 1))))
    return decoded.encode()
  })
  disk.damage(seal, (bytes) => {
    const sha256 = createHash('sha256').update(text).digest('hex')
    return Buffer.from(formatSeal({ ...JSON.parse(bytes.toString()), base: 0 }, sha256))
  })
}
