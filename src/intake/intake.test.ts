import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { AnnalsError, type ErrorCode } from '../errors.ts'
import { linesOf, openTestLog } from '../log/testing/log-under-test.ts'
import { Intake } from './intake.ts'
import type { Loss } from './losses.ts'

async function fixture(refusals: ErrorCode[] = []) {
  const { log } = await openTestLog()
  const counted: string[] = []
  const lost: Loss[] = []
  const refuse = <T>(record: () => Promise<T>): Promise<T> => {
    const code = refusals.shift()
    return code === undefined ? record() : Promise.reject(new AnnalsError(code, 'as the test wants'))
  }
  const intake = new Intake({
    log: {
      id: log.id,
      demandRoom: (bytes) => log.demandRoom(bytes),
      record: (draft) => refuse(() => log.record(draft)),
      recordAll: (drafts) => refuse(() => log.recordAll(drafts)),
    },
    hostName: 'node-01',
    component: 'Portal',
    metrics: {
      recorded: (via, isNew) => counted.push(`${via} ${isNew}`),
      lost: (via, reason, count) => counted.push(`${via} ${reason} ${count}`),
    },
    losses: { add: (loss: Loss) => void lost.push(loss) },
  })
  return { log, intake, counted, lost }
}

function event(over: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: randomUUID(),
    via: 'syslog',
    by: '10.0.0.1',
    code: '-',
    severity: 5,
    hostName: 'sender',
    message: 'text',
    ...over,
  }
}

const forever = new AbortController().signal

describe('events of senders who can be told', () => {
  test('I4: one is recorded once, and counted as new or known', async () => {
    const { log, intake, counted } = await fixture()
    const sent = event({ via: 'http' })
    assert.equal((await intake.record(sent)).isNew, true)
    assert.equal((await intake.record(sent)).isNew, false)
    assert.deepEqual(counted, ['http true', 'http false'])
    await log.close()
  })

  test('I7: a refusal is thrown and counted with its source', async () => {
    const { log, intake, counted, lost } = await fixture(['TOO_MANY_REQUESTS', 'STORAGE_FULL'])
    await assert.rejects(intake.record(event({ via: 'http', by: 'app' })), { code: 'TOO_MANY_REQUESTS' })
    const pair = [event({ via: 'http', by: 'app' }), event({ via: 'http', by: 'app' })]
    await assert.rejects(intake.recordAll(pair.map((each) => draftOf(each, intake.log))), {
      code: 'STORAGE_FULL',
    })
    await assert.rejects(intake.record(event({ via: 'http', message: 'x'.repeat(70_000) })), {
      code: 'ENTRY_TOO_LARGE',
    })
    assert.deepEqual(
      lost.map(({ source, reason, count }) => [source, reason, count ?? 1]),
      [
        ['app', 'TOO_MANY_REQUESTS', 1],
        ['app', 'STORAGE_FULL', 2],
        ['10.0.0.1', 'ENTRY_TOO_LARGE', 1],
      ],
    )
    assert.equal(counted.length, 3)
    await log.close()
  })

  test('what comes via self is no event from outside', async () => {
    const { log, intake } = await fixture()
    await assert.rejects(intake.record(event({ via: 'self' })), TypeError)
    await log.close()
  })
})

describe('events of senders who cannot be told', () => {
  test('I7: they wait until there is room, and nothing is counted as lost', async () => {
    const { log, intake, counted, lost } = await fixture([
      'TOO_MANY_REQUESTS',
      'STORAGE_FULL',
      'OUTCOME_UNKNOWN',
    ])
    await intake.deliver(event(), forever)
    assert.deepEqual(counted, ['syslog true'])
    assert.deepEqual(lost, [])
    await log.close()
  })

  test('L3: a text that is too long is recorded in parts', async () => {
    const { log, intake } = await fixture()
    await intake.deliver(event({ message: 'y'.repeat(150_000) }), forever)
    const parts = (await linesOf(log)).filter((line) => line.includes(' part="'))
    assert.equal(parts.length, 3)
    await log.close()
  })

  test('I4: an id that was recorded before with other content counts as recorded', async () => {
    const { log, intake, counted } = await fixture()
    const id = randomUUID()
    await intake.deliver(event({ id }), forever)
    await intake.deliver(event({ id, occurred: 5 }), forever)
    assert.deepEqual(counted, ['syslog true', 'syslog false'])
    await log.close()
  })

  test('waiting ends when it is given up, or when the log has ended', async () => {
    const { log, intake } = await fixture(['STORAGE_FULL', 'STORAGE_FULL', 'STORAGE_FULL', 'STORAGE_FULL'])
    const giveUp = new AbortController()
    const waiting = intake.deliver(event(), giveUp.signal)
    giveUp.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
    const { log: other, intake: ended } = await fixture(['STORAGE_FAILED'])
    await assert.rejects(ended.deliver(event(), forever), { code: 'STORAGE_FAILED' })
    await log.close()
    await other.close()
  })
})
