// A process that records as fast as it can and says of every acknowledged entry that it was acknowledged, and of
// every window that it read what it got; `kill.test.ts` kills it at any moment.
//
//   node recorder.ts DATA ROUND [CRASH]

import { createHash, randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { draftOf } from '../../src/entry/line.ts'
import type { AuditLog } from '../../src/log/audit-log.ts'
import { openLog } from '../../src/log/open.ts'
import { lockData } from '../../src/log/lock.ts'
import { systemClock } from '../../src/ops/clock.ts'

const [data = '', round = ''] = process.argv.slice(2)

/** The event that the recorder makes of a text. */
function draft(log: AuditLog, text: string, id: string) {
  return draftOf(
    {
      id,
      via: 'http',
      by: 'recorder',
      code: '20101',
      severity: 6,
      hostName: 'app-01',
      message: `[App|TEST|1|x] ${text}`,
    },
    log.id,
  )
}

async function record(log: AuditLog, worker: number): Promise<never> {
  for (let k = 0; ; k++) {
    const id = randomUUID()
    const text = `round ${round}, worker ${worker}, event ${k}`
    const { position } = await log.record(draft(log, text, id))
    // Straight to the pipe: what is said here was acknowledged, even if the next instruction is never run.
    writeSync(1, `entry ${position} ${id}\n`)
    // Every hundredth event is sent again, as a client does that saw no answer.
    if (k % 100 === 0) await log.record(draft(log, text, id))
  }
}

async function read(log: AuditLog): Promise<never> {
  for (;;) {
    const before = systemClock().wallMicros() - 1000
    const snapshot = await log.read({ before, elapsed: 50_000 }, () => draft(log, 'read', randomUUID()))
    const digest = createHash('sha256')
    await using reader = snapshot.open()
    const buffer = Buffer.alloc(64 * 1024)
    for (let done = 0; done < snapshot.bytes;) {
      const bytes = await reader.read(buffer, done)
      digest.update(buffer.subarray(0, bytes))
      done += bytes
    }
    writeSync(1, `window ${before} ${snapshot.from} ${snapshot.to} ${digest.digest('hex')}\n`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

using _lock = lockData(data, 'recorder.ts')
const log = await openLog({
  data,
  hostName: 'portal-01',
  component: 'Portal',
  clock: systemClock(),
  segmentBytes: 1024 * 1024,
  observer: {
    failed: (error) => {
      throw error
    },
  },
})
writeSync(1, 'open\n')
await Promise.all([...Array.from({ length: 64 }, (_, worker) => record(log, worker)), read(log)])
