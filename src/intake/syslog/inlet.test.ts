import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogId } from '../../entry/event.ts'
import { syslogMessageBytes, syslogStreamWindow } from '../../limits.ts'
import { Inlet } from './inlet.ts'

test('I7: a message of which the first part is lost is not recorded in part, and is counted', async () => {
  const abort = new AbortController()
  const lost: string[] = []
  let [groups, recorded] = [0, 0]
  const inlet = new Inlet({
    intake: {
      log: 'portal-example' as LogId,
      // There is room again just after it has been given up.
      async deliverGroup(drafts, signal) {
        groups += 1
        if (groups === 1) await sleep(3_600_000, undefined, { signal })
        recorded += drafts.length
      },
      refused: ({ reason, count = 1 }) => void lost.push(...Array.from({ length: count }, () => reason)),
    },
    window: syslogStreamWindow,
    timeZone: 'UTC',
    clock: { wallMicros: () => 0 },
    signal: abort.signal,
  })
  // The second one is in both groups.
  for (let k = 0; k < 3; k++) {
    const text = `<13>a: ${'x'.repeat(syslogMessageBytes - 7)}`
    inlet.take({ text, bytes: text.length }, { by: 'peer', hostName: 'peer' })
  }
  setImmediate(() => setImmediate(() => abort.abort()))
  await inlet.settled()
  assert.deepEqual([lost, recorded], [['stopped', 'stopped', 'stopped'], 0])
})
