import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseLine } from '../entry/line.ts'
import type { FaultyDisk } from '../store/testing/faulty-disk.ts'
import { sign, verify } from './segment-index.ts'
import {
  bytesOf,
  linesOf,
  openTestLog,
  readDraft,
  recordAll,
  type TestClock,
  texts,
} from './testing/log-under-test.ts'

const headBytes = 16 + 32
const recordBytes = 48

async function logOfSegments(): Promise<{
  disk: FaultyDisk
  clock: TestClock
  lines: string[]
  times: number[]
}> {
  const { log, disk, clock } = await openTestLog({ segmentBytes: 64 * 1024 })
  for (let k = 0; k < 60; k++) {
    clock.pass(1_000_000)
    await recordAll(log, texts(40, `batch ${k}, event`))
  }
  const lines = await linesOf(log)
  await log.close()
  return { disk, clock, lines, times: lines.map((line) => parseLine(Buffer.from(line)).time) }
}

/** Rewrites a number in an index record, checksum included: an index that is well-formed and wrong. */
function rewrite(
  disk: FaultyDisk,
  path: string,
  block: number,
  field: 0 | 8,
  change: (value: number) => number,
): void {
  disk.damage(path, (bytes) => {
    const body = Buffer.from(verify(bytes) ?? [])
    const at = headBytes + block * recordBytes + field
    body.writeBigUInt64BE(BigInt(change(Number(body.readBigUInt64BE(at)))), at)
    return sign([body])
  })
}

/** Asks for windows that begin and end everywhere, and compares with the lines themselves. */
async function assertRightAnswers(
  disk: FaultyDisk,
  clock: TestClock,
  lines: string[],
  times: number[],
): Promise<void> {
  const { log } = await openTestLog({ disk, clock, segmentBytes: 64 * 1024 })
  const edges = [...new Set(times)].flatMap((time) => [time, time + 1, time + 500_000])
  for (const [k, start] of edges.entries()) {
    const before = edges[(k * 7 + 3) % edges.length] ?? 0
    // The reads themselves are entries behind the last of these.
    if (before <= start || before > (times.at(-1) ?? 0)) continue
    const snapshot = await log.read({ before, elapsed: before - start }, readDraft(log))
    const expected = lines.filter((_, at) => (times[at] ?? 0) >= start && (times[at] ?? 0) < before)
    assert.ok(
      (await bytesOf(snapshot)).toString() === expected.map((line) => `${line}\n`).join(''),
      `${start} ${before}`,
    )
  }
  await log.close()
}

describe('finding a window', () => {
  test('W4: every window has exactly the entries whose time lies in it, across segments', async () => {
    const { disk, clock, lines, times } = await logOfSegments()
    await assertRightAnswers(disk, clock, lines, times)
  })

  test('R9: a well-formed index with wrong offsets or times never makes a wrong answer', async () => {
    const { disk: original, clock, lines, times } = await logOfSegments()
    const indexes = original.paths.filter((path) => path.endsWith('.index')).sort()
    assert.ok(indexes.length > 4)
    const changes: ((value: number) => number)[] = [
      (value) => value + 1,
      (value) => value + 211,
      (value) => Math.max(0, value - 5000),
      (value) => value + 100_000_000,
      () => 0,
    ]
    for (const field of [0, 8] as const) {
      for (const change of changes) {
        const disk = original.powerLoss()
        for (const path of indexes) rewrite(disk, path, 0, field, change)
        for (const path of indexes.slice(0, -1)) rewrite(disk, path, 1, field, change)
        await assertRightAnswers(disk, clock, lines, times)
      }
    }
  })

  test('R9: an index that was wrong is rebuilt, and the fault is an entry', async () => {
    const { disk, clock, times } = await logOfSegments()
    const [, second] = disk.paths.filter((path) => path.endsWith('.index')).sort()
    const right = disk.bytesOf(second ?? '')
    rewrite(disk, second ?? '', 0, 0, (value) => value + 1)
    rewrite(disk, second ?? '', 1, 0, (value) => value + 1)
    const { log } = await openTestLog({ disk, clock, segmentBytes: 64 * 1024 })
    const first = Number(/0*(\d+)\.index/.exec(second ?? '')?.[1])
    const start = (times[first] ?? 0) + 1
    await log.read({ before: start + 2_000_000, elapsed: 2_000_000 }, readDraft(log))
    assert.deepEqual(disk.bytesOf(second ?? ''), right)
    const said = (await linesOf(log)).filter((line) => line.includes('|29014|'))
    assert.equal(said.length, 1)
    assert.match(said[0] ?? '', new RegExp(`[Ss]egment ${first} `))
    await log.close()
  })

  test('R9: a segment whose text itself does not fit refuses the answer', async () => {
    const { disk, clock, times } = await logOfSegments()
    const segment = disk.paths.filter((path) => path.endsWith('.log')).sort()[1] ?? ''
    disk.damage(segment, (bytes) => {
      const at = bytes.indexOf('pos="', 300)
      bytes[at + 5] = 0x39
      return bytes
    })
    const { log } = await openTestLog({ disk, clock, segmentBytes: 64 * 1024 })
    const first = Number(/0*(\d+)\.log/.exec(segment)?.[1])
    const before = (times[first] ?? 0) + 1
    await assert.rejects(log.read({ before, elapsed: 1 }, readDraft(log)), { code: 'LOG_DAMAGED' })
    await log.close()
  })
})
