import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { lossSources } from '../limits.ts'
import { Losses } from './losses.ts'

function fixture(code?: 29071 | 29076) {
  const recorded: AuditEvent[] = []
  const timers: { work: () => void; delayMs: number }[] = []
  const state = { micros: 5_000_000, isFull: false }
  const losses = new Losses({
    ...(code === undefined ? {} : { code }),
    hostName: 'node-01',
    component: 'Portal',
    clock: { monotonicMicros: () => state.micros },
    record: async (event) => {
      if (state.isFull) throw new AnnalsError('STORAGE_FULL', 'full')
      recorded.push(event)
    },
    schedule: (work, delayMs) => {
      const timer = { work, delayMs }
      timers.push(timer)
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) }
    },
  })
  const fire = async () => {
    const timer = timers.shift()
    assert.ok(timer !== undefined, 'a timer is set')
    state.micros += timer.delayMs * 1000
    timer.work()
    await new Promise(setImmediate)
    return timer.delayMs
  }
  return { losses, recorded, timers, state, fire }
}

const param = (event: AuditEvent | undefined, name: string) =>
  event?.eventParams?.find(([key]) => key === name)?.[1]

describe('I7: losses', () => {
  test('what is lost is summed up in one entry, by reason and by source', async () => {
    const { losses, recorded, fire } = fixture()
    losses.add({ via: 'syslog', source: '10.0.0.1', reason: 'queue-full', count: 3 })
    losses.add({ via: 'syslog', source: '10.0.0.2', reason: 'queue-full' })
    losses.add({ via: 'http', source: 'client:a', reason: 'TOO_MANY_REQUESTS' })
    assert.equal(await fire(), 1_000)
    assert.equal(recorded.length, 1)
    const [sum] = recorded
    assert.equal(sum?.code, '29071')
    assert.equal(param(sum, 'n'), '5')
    assert.equal(param(sum, 'sources'), '10.0.0.1: 3, 10.0.0.2: 1, client:a: 1')
    assert.match(
      String(sum?.message),
      /5 events were not recorded in 1 seconds - syslog queue-full: 4, http TOO_MANY/,
    )
    await losses.close()
    assert.equal(recorded.length, 1)
  })

  test('so are connections that were refused, in an entry of their own', async () => {
    const { losses, recorded, fire } = fixture(29076)
    losses.add({ via: 'syslog', source: '10.0.0.1', reason: 'handshake', count: 2 })
    await fire()
    assert.equal(recorded[0]?.code, '29076')
    assert.match(
      String(recorded[0]?.message),
      /2 connections of syslog senders were refused in 1 seconds - syslog handshake: 2$/,
    )
    await losses.close()
  })

  test('what goes on is told once a minute, and what is left when it closes', async () => {
    const { losses, recorded, fire } = fixture()
    losses.add({ via: 'syslog', source: 'a', reason: 'kernel' })
    await fire()
    losses.add({ via: 'syslog', source: 'a', reason: 'kernel' })
    assert.equal(await fire(), 60_000)
    losses.add({ via: 'syslog', source: 'a', reason: 'kernel', count: 7 })
    await losses.close()
    assert.deepEqual(
      recorded.map((event) => param(event, 'n')),
      ['1', '1', '7'],
    )
  })

  test('what cannot be recorded is tried again under the same id, and nothing is forgotten meanwhile', async () => {
    const { losses, recorded, state, fire } = fixture()
    state.isFull = true
    losses.add({ via: 'http', source: 'a', reason: 'STORAGE_FULL', count: 2 })
    await fire()
    losses.add({ via: 'http', source: 'a', reason: 'STORAGE_FULL' })
    state.isFull = false
    await fire()
    assert.deepEqual(
      recorded.map((event) => param(event, 'n')),
      ['2', '1'],
    )
    assert.equal(new Set(recorded.map(({ id }) => id)).size, 2)
    await losses.close()
  })

  test('more sources than are named are counted together', async () => {
    const { losses, recorded, fire } = fixture()
    for (let k = 0; k < lossSources + 5; k += 1)
      losses.add({ via: 'syslog', source: `10.0.0.${k}`, reason: 'kernel' })
    await fire()
    assert.equal(param(recorded[0], 'n'), String(lossSources + 5))
    assert.match(param(recorded[0], 'sources') ?? '', /, others: 5$/)
    await losses.close()
  })
})
