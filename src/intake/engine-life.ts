// What an engine finds when it starts: whether it had stopped as it should. Nobody can record the end of a process that
// was killed, so that the next start does (10002).

import type { AuditEvent } from '../entry/event.ts'
import { parseLine } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { isUnrecordable } from '../errors.ts'
import { lastEntriesLooked } from '../limits.ts'
import type { AuditLog } from '../log/audit-log.ts'

/** Who the engine's entries are by. */
export interface EngineLife {
  readonly component: string
  readonly actor: string
}

/** Records that the engine had stopped abnormally, where its last entry is not that it stopped. */
export async function recordAbnormalStop(
  log: AuditLog,
  record: (event: AuditEvent) => Promise<void>,
  life: EngineLife,
): Promise<void> {
  const { size } = log.status()
  const code = await lastCode(log, size)
  if (code === undefined || stopped.has(code)) return
  try {
    await record(selfEvent({ code: '10002', ...life, hostName: log.hostName, outcome: 'failure' }))
  } catch (error) {
    // Where there is no room, the engine runs all the same (I9).
    if (!isUnrecordable(error)) throw error
  }
}

/** Stopped gracefully, or by force; and an import, after which nothing has run yet. */
const stopped: ReadonlySet<string> = new Set(['10003', '10004', '29021'])

// What the log says of itself while it is opened stands behind that, and begins a log that had none.
async function lastCode(log: AuditLog, size: number): Promise<string | undefined> {
  for (let at = size - 1; at >= 0 && at >= size - lastEntriesLooked; at -= 1) {
    const code = await codeAt(log, at)
    if (code === undefined || !/^2901\d$/.test(code)) return code
  }
  return undefined
}

async function codeAt(log: AuditLog, position: number): Promise<string | undefined> {
  const run = await log.run(position, position + 1)
  if (run === undefined) return undefined
  const line = Buffer.alloc(run.bytes)
  await using reader = run.open()
  for (let filled = 0; filled < line.length;) filled += await reader.read(line.subarray(filled), filled)
  return parseLine(line.subarray(0, -1)).code
}
