import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { parseLine } from '../entry/line.ts'
import { isAnnalsError } from '../errors.ts'
import { groupEntries } from '../limits.ts'
import { draft, linesOf, openTestLog, recordAll, texts, textsOf } from './testing/log-under-test.ts'

async function refusalsOf(work: Promise<unknown>): Promise<(readonly [number | undefined, string])[]> {
  try {
    await work
  } catch (error) {
    assert.ok(isAnnalsError(error))
    return (error.each ?? [error]).map(({ index, code }) => [index, code])
  }
  return []
}

describe('events that are recorded together', () => {
  test('they stand one behind the other in one commit, and are answered with their places', async () => {
    const { log } = await openTestLog()
    const group = texts(300, 'together').map((text) => draft(log, text))
    const [all] = await Promise.all([log.recordAll(group), recordAll(log, texts(50))])
    const lines = await linesOf(log)
    const first = all[0]?.position ?? 0
    assert.deepEqual(
      all.map(({ position, isNew }) => [position, isNew]),
      group.map((_, k) => [first + k, true]),
    )
    const placed = lines.slice(first, first + 300)
    assert.deepEqual(textsOf(placed), texts(300, 'together'))
    assert.equal(new Set(placed.map((line) => parseLine(Buffer.from(line)).time)).size, 1)
    await log.close()
  })

  test('I4: one that was recorded before is known, and the rest is new', async () => {
    const { log } = await openTestLog()
    const [a, b] = [draft(log, 'a', randomUUID()), draft(log, 'b', randomUUID())]
    const before = await log.record(a)
    const all = await log.recordAll([b, a])
    assert.deepEqual(
      all.map(({ isNew }) => isNew),
      [true, false],
    )
    assert.equal(all[1]?.position, before.position)
    await log.close()
  })

  test('where one is refused none is recorded, and every one that is wrong is named', async () => {
    const { log } = await openTestLog()
    const id = randomUUID()
    await log.record(draft(log, 'first', id))
    const twice = randomUUID()
    const group = [
      draft(log, 'good'),
      draft(log, 'other content', id),
      draft(log, 'once', twice),
      draft(log, 'once', twice),
    ]
    assert.deepEqual(await refusalsOf(log.recordAll(group)), [
      [1, 'ID_CONFLICT'],
      [3, 'ID_CONFLICT'],
    ])
    assert.deepEqual(textsOf(await linesOf(log)).slice(1), ['first'])
    await log.close()
  })

  test('more than fit into one commit are refused before anything is recorded', async () => {
    const { log } = await openTestLog()
    const many = texts(groupEntries + 1).map((text) => draft(log, text))
    assert.deepEqual(await refusalsOf(log.recordAll(many)), [[undefined, 'BODY_TOO_LARGE']])
    const large = texts(60).map((text) => draft(log, text + 'x'.repeat(40_000)))
    assert.deepEqual(await refusalsOf(log.recordAll(large)), [[undefined, 'BODY_TOO_LARGE']])
    assert.deepEqual(await log.recordAll([]), [])
    await log.close()
  })

  test('a segment that is about to end takes them whole, and the log opens again', async () => {
    const { log, disk, clock } = await openTestLog({ segmentBytes: 20_000 })
    const said: string[] = []
    for (let k = 0; k < 8; k += 1) {
      const [group, singles] = [texts(700, `group ${k}`), texts(10, `single ${k}`)]
      await log.recordAll(group.map((text) => draft(log, text)))
      for (const text of singles) await log.record(draft(log, text))
      said.push(...group, ...singles)
    }
    assert.ok(log.status().segments > 2)
    await log.close()
    const again = await openTestLog({ disk, clock, segmentBytes: 20_000 })
    assert.deepEqual(textsOf(await linesOf(again.log)).slice(1), said)
    await again.log.close()
  })

  test('a disk that is full at the end of a segment leaves it unknown, and the repetition records the rest', async () => {
    const { log, disk, clock } = await openTestLog({ segmentBytes: 20_000 })
    for (const text of texts(200)) await log.record(draft(log, text))
    const group = texts(400, 'group').map((text) => draft(log, text))
    disk.capacity = disk.used + 40_000
    assert.deepEqual(await refusalsOf(log.recordAll(group)), [[undefined, 'OUTCOME_UNKNOWN']])
    disk.capacity = Number.POSITIVE_INFINITY
    while (log.status().recording !== 'accepting') await new Promise((resolve) => setTimeout(resolve, 5))
    const all = await log.recordAll(group)
    assert.deepEqual(new Set(all.map(({ isNew }) => isNew)), new Set([false, true]))
    const said = textsOf(await linesOf(log)).filter((text) => text.startsWith('group'))
    assert.deepEqual([...said].sort(), texts(400, 'group').sort())
    await log.close()
    const again = await openTestLog({ disk, clock, segmentBytes: 20_000 })
    await again.log.close()
  })

  test('I9: without room none is recorded, and all of them are counted', async () => {
    const { log, disk } = await openTestLog()
    const used = disk.used
    disk.capacity = used + 500
    assert.deepEqual(await refusalsOf(log.recordAll(texts(20).map((text) => draft(log, text)))), [
      [undefined, 'STORAGE_FULL'],
    ])
    disk.capacity = Number.POSITIVE_INFINITY
    while (log.status().recording !== 'accepting') await new Promise((resolve) => setTimeout(resolve, 5))
    await log.record(draft(log, 'after'))
    const lines = await linesOf(log)
    assert.ok(lines.some((line) => line.includes('Recording resumed; 20 events were refused')))
    assert.ok(!lines.some((line) => line.includes('event 0')))
    await log.close()
  })
})
