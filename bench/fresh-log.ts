// An empty log in this process, on the real disk: what the benchmarks of recording fill.

import { rm } from 'node:fs/promises'
import type { AuditLog } from '../src/log/audit-log.ts'
import { openLog } from '../src/log/open.ts'
import { systemClock } from '../src/ops/clock.ts'

/** Opens an empty log in `data`. What was there before is gone. */
export async function openFreshLog(data: string): Promise<AuditLog> {
  await rm(data, { recursive: true, force: true })
  return await openLog({
    data,
    hostName: 'bench',
    component: 'Portal',
    clock: systemClock(),
    observer: {
      // Whatever goes wrong spoils the figures.
      warn: (message, error) => console.error(message, error),
      failed: (error) => {
        throw error
      },
    },
  })
}
