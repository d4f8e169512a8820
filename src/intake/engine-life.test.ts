import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import type { AuditLog } from '../log/audit-log.ts'
import { openTestLog } from '../log/testing/log-under-test.ts'
import { recordAbnormalStop } from './engine-life.ts'

const life = { component: 'engine-01', actor: 'nxengine' }

test('an engine that starts for the first time, or after a graceful stop, says nothing of an abnormal one', async () => {
  const { codes, look, say, log } = await started()
  await look()
  assert.deepEqual(await codes(), ['29011'])
  await say('10001')
  await say('10003')
  await look()
  assert.deepEqual(await codes(), ['29011', '10001', '10003'])
  await log.close()
})

test('an engine whose last entry is not that it stopped has stopped abnormally, whatever opening the log said', async () => {
  const { codes, look, say, log } = await started()
  await say('10001')
  await say('29013')
  await say('29012')
  await look()
  assert.deepEqual((await codes()).slice(-1), ['10002'])
  const line = (await linesOf(log)).at(-1) ?? ''
  assert.match(line, /\[engine-01\|General\|10002\|nxengine\] Engine abnormally stopped$/)
  await log.close()
})

async function started() {
  const { log } = await openTestLog({ hostName: 'engine-01', component: 'engine-01' })
  const record = async (event: AuditEvent) => void (await log.record(draftOf(event, log.id)))
  const fields = { bytes: '1', file: 'f', milliseconds: '1' }
  return {
    log,
    look: () => recordAbnormalStop(log, record, life),
    say: (code: string) => record(selfEvent({ code, ...life, hostName: 'engine-01', fields })),
    codes: async () => (await linesOf(log)).map((line) => line.split(' ')[5] ?? ''),
  }
}

// Without a read, which would be an entry itself.
async function linesOf(log: AuditLog): Promise<string[]> {
  const run = await log.run(0, log.status().size)
  assert.ok(run !== undefined)
  await using reader = run.open()
  const text = Buffer.alloc(run.bytes)
  for (let filled = 0; filled < text.length;) filled += await reader.read(text.subarray(filled), filled)
  return text.toString().split('\n').slice(0, -1)
}
