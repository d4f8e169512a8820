import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RecorderDouble } from '../database/testing/recorder-double.ts'
import { isAnnalsError } from '../errors.ts'
import { failuresRecorded } from '../limits.ts'
import { Failures } from './failures.ts'
import type { FailureReason } from './login-events.ts'
import { ClockDouble } from './testing/clock-double.ts'

function fixture() {
  const [clock, recorder] = [new ClockDouble(), new RecorderDouble()]
  const failures = new Failures({
    clock,
    record: recorder.record,
    hostName: 'portal-01',
    schedule: clock.schedule,
  })
  const fail = async (count: number, reason: FailureReason = 'wrong-password') => {
    for (let i = 0; i < count; i += 1) await failures.add({ account: 'admin', reason, source: '192.0.2.1' })
  }
  /** A minute goes by, and what that sets off is done. */
  const minute = async () => {
    clock.pass(60_000)
    await setImmediate()
  }
  return { clock, recorder, failures, fail, minute }
}

/** Every call is in exactly one entry: by itself, or in a summary. */
function callsTold({ events }: RecorderDouble): number {
  const counts = events.map(({ code, eventParams }) => {
    return code === '29004' ? Number(eventParams?.find(([name]) => name === 'n')?.[1]) : 1
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

test('S7: a call without valid credentials is an entry that says who, why and from where', async () => {
  const { recorder, failures, fail } = fixture()
  await fail(1, 'locked')
  const [event] = recorder.events
  assert.equal(event?.code, '20103')
  assert.equal(event.message, '[Portal|LOGIN|20103|*system] User admin failed login attempts - locked')
  assert.equal(event.outcome, 'failure')
  assert.deepEqual(event.details, [['source', '192.0.2.1']])
  await failures.close()
  assert.equal(recorder.events.length, 1)
})

test('S7: above 60 in a minute they are one entry, with exact counts by reason', async () => {
  const { recorder, fail, minute } = fixture()
  await fail(failuresRecorded + 3)
  await fail(2, 'unknown')
  await fail(1, 'busy')
  assert.equal(recorder.events.length, failuresRecorded)
  await minute()
  const summary = recorder.events.at(-1)
  assert.equal(
    summary?.message,
    '[Portal|AUDIT|29004|*system] 6 calls without valid credentials in 60 seconds - wrong-password: 3, unknown: 2, busy: 1',
  )
  assert.deepEqual(summary.eventParams?.slice(0, 3), [
    ['wrong-password', '3'],
    ['unknown', '2'],
    ['busy', '1'],
  ])
})

test('S7: however many come, in whatever minutes, each is told once, by its reason', async () => {
  const { recorder, failures, clock } = fixture()
  const reasons: FailureReason[] = [
    'no-credentials',
    'wrong-password',
    'rate-limited',
    'token-expired',
    'client-secret',
  ]
  const made = new Map<string, number>()
  for (let n = 0; n < 10_000; n += 1) {
    const reason = reasons[(n * n) % reasons.length] ?? 'busy'
    made.set(reason, (made.get(reason) ?? 0) + 1)
    await failures.add({ account: 'admin', reason, source: '192.0.2.1' })
    if (n % 10 !== 0) continue
    clock.pass(250)
    await setImmediate()
  }
  await failures.close()
  const told = new Map<string, number>()
  for (const { code, eventParams = [] } of recorder.events) {
    const reason = eventParams.find(([name]) => name === 'reason')?.[1]
    const counts =
      code === '29004' ? eventParams.filter(([name]) => made.has(name)) : [[reason, '1'] as const]
    for (const [name = '', count] of counts) told.set(name, (told.get(name) ?? 0) + Number(count))
  }
  assert.deepEqual(told, made)
  // Of four minutes and ten seconds.
  assert.equal(recorder.events.length, 5 * (failuresRecorded + 1))
})

test('S7: the next minute begins with its own 60', async () => {
  const { clock, recorder, fail, minute } = fixture()
  await fail(failuresRecorded + 1)
  await minute()
  assert.equal(clock.timers, 0)
  await fail(failuresRecorded)
  assert.deepEqual(recorder.codes.filter((code) => code === '29004').length, 1)
  assert.equal(recorder.events.length, 2 * failuresRecorded + 1)
  await minute()
  assert.equal(recorder.events.length, 2 * failuresRecorded + 1)
})

test('S7: what is counted is recorded when the node stops', async () => {
  const { clock, recorder, failures, fail } = fixture()
  await fail(failuresRecorded + 7)
  clock.pass(1500)
  await failures.close()
  assert.match(String(recorder.events.at(-1)?.message), /7 calls without valid credentials in 2 seconds/)
  assert.equal(clock.timers, 0)
})

test('I9: what there is no room for is counted, and told when there is', async () => {
  const { recorder, fail, minute } = fixture()
  recorder.refusesWith = 'STORAGE_FULL'
  await fail(3)
  await minute()
  await minute()
  recorder.refusesWith = undefined
  await fail(1)
  await minute()
  assert.equal(callsTold(recorder), 4)
  assert.deepEqual(recorder.codes, ['20103', '29004'])
})

test('S7: a summary whose outcome is unknown is recorded again under its own id', async () => {
  const { recorder, failures, fail, minute } = fixture()
  await fail(failuresRecorded + 5)
  const ids = new Set<string>()
  recorder.before = async ({ id }) => void ids.add(id)
  recorder.refusesWith = 'OUTCOME_UNKNOWN'
  await minute()
  recorder.refusesWith = undefined
  await minute()
  assert.equal(ids.size, 1)
  assert.equal(callsTold(recorder), failuresRecorded + 5)
  await failures.close()
  assert.equal(recorder.events.length, failuresRecorded + 1)
})

test('a failure that cannot be recorded for another reason is not passed over', async () => {
  const { recorder, failures, fail } = fixture()
  recorder.refusesWith = 'UNAVAILABLE'
  await assert.rejects(fail(1), (error) => isAnnalsError(error, 'UNAVAILABLE'))
  await failures.close()
})
