import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { AuditEvent, Draft } from '../entry/event.ts'
import { AnnalsError, type ErrorCode } from '../errors.ts'
import { groupEntries } from '../limits.ts'
import { linesOf, openTestLog } from '../log/testing/log-under-test.ts'
import { Intake } from './intake.ts'

async function fixture(refusals: ErrorCode[] = []) {
  const { log } = await openTestLog()
  const counted: string[] = []
  const groups: number[] = []
  const intake = new Intake({
    log: {
      id: log.id,
      demandRoom: (bytes) => log.demandRoom(bytes),
      record: (draft) => log.record(draft),
      recordAll: (drafts: readonly Draft[]) => {
        groups.push(drafts.length)
        const code = refusals.shift()
        return code === undefined ? log.recordAll(drafts) : Promise.reject(new AnnalsError(code, 'no'))
      },
    },
    hostName: 'node-01',
    component: 'Portal',
    metrics: {
      recorded: (via, isNew, count) =>
        counted.push(...Array.from({ length: count }, () => `${via} ${isNew}`)),
      lost: () => assert.fail('lost'),
    },
    losses: { add: () => assert.fail('lost') },
  })
  return { log, intake, counted, groups }
}

function events(count: number, message = (k: number) => `number ${k}`): AuditEvent[] {
  return Array.from({ length: count }, (_, k) => ({
    id: randomUUID(),
    via: 'file',
    by: '/a.log',
    code: '-',
    severity: 5,
    hostName: 'sender',
    message: message(k),
  }))
}

const forever = new AbortController().signal

test('L3: several events are recorded in their order, in groups that the log takes, long ones in parts', async () => {
  const { log, intake, groups } = await fixture()
  const long = 'x'.repeat(150_000)
  await intake.deliverAll(
    events(groupEntries + 3, (k) => (k === 1 ? long : `number ${k}`)),
    forever,
  )
  const texts = (await linesOf(log)).map((line) => line.slice(line.lastIndexOf('] ') + 2))
  const parts = texts.filter((text) => text.startsWith('xxx'))
  assert.equal(parts.join(''), long)
  assert.equal(texts.indexOf('number 2') - texts.indexOf('number 0'), parts.length + 1)
  const numbers = texts.filter((text) => text.startsWith('number'))
  assert.deepEqual(
    numbers,
    [0, ...Array.from({ length: groupEntries + 1 }, (_, k) => k + 2)].map((k) => `number ${k}`),
  )
  assert.deepEqual(groups, [groupEntries, 2 + parts.length])
  await log.close()
})

test('they wait in their order for as long as there is no room', async () => {
  const { log, intake, counted, groups } = await fixture(['TOO_MANY_REQUESTS', 'STORAGE_FULL'])
  await intake.deliverAll(events(3), forever)
  assert.deepEqual(groups, [3, 3, 3])
  assert.deepEqual(counted, ['file true', 'file true', 'file true'])
  await log.close()
})

test('I4: of those that come again only the new ones are recorded, also where one is not what it was', async () => {
  const { log, intake, counted } = await fixture()
  const all = events(4)
  await intake.deliverAll(all.slice(0, 2), forever)
  await intake.deliverAll(all.slice(1, 3), forever)
  const changed = all.map((event, k) => (k === 0 ? { ...event, message: 'other' } : event))
  await intake.deliverAll(changed, forever)
  const texts = (await linesOf(log)).map((line) => line.slice(line.lastIndexOf('] ') + 2))
  assert.deepEqual(
    texts.filter((text) => text.startsWith('number') || text === 'other'),
    ['number 0', 'number 1', 'number 2', 'number 3'],
  )
  assert.deepEqual(counted.filter((each) => each === 'file true').length, 4)
  await log.close()
})

test('what no waiting helps against is thrown, and so is the end of patience', async () => {
  const { log, intake } = await fixture([
    'UNAVAILABLE',
    ...Array.from({ length: 50 }, () => 'STORAGE_FULL' as const),
  ])
  await assert.rejects(intake.deliverAll(events(1), forever), { code: 'UNAVAILABLE' })
  const patience = new AbortController()
  const delivered = intake.deliverAll(events(1), patience.signal)
  patience.abort()
  await assert.rejects(delivered, { name: 'AbortError' })
  await log.close()
})
