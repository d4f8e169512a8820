// After a change: its event becomes an entry, by whoever holds the log's lock. Where a portal runs that is the portal,
// else this command.

import type { Database } from '../database/database.ts'
import { drain, pending, waitUntilRecorded } from '../database/outbox.ts'
import { draftOf } from '../entry/line.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { RegistryPosition } from '../federation/registry-position.ts'
import { outboxWaitMs } from '../limits.ts'
import { lockData } from '../log/lock.ts'
import { openLog } from '../log/open.ts'
import { systemClock } from '../ops/clock.ts'
import { portalComponent } from '../server/portal-component.ts'
import { realDisk } from '../store/disk.ts'

/** Where the outbox is, and the log that it is for. */
export interface OutboxPlace {
  readonly database: Database
  readonly data: string
  readonly hostName: string
}

/**
 * Sees to it that events of the outbox are recorded. Returns why they are not yet, where that takes too long or
 * cannot be done: a portal records them when it runs again.
 */
export async function settleOutbox(
  place: OutboxPlace,
  ids: readonly string[],
  timeoutMs: number = outboxWaitMs,
): Promise<string | undefined> {
  if (ids.length === 0) return undefined
  try {
    if (await drainHere(place)) return await stillWaiting(place, ids)
    if ((await waitUntilRecorded(place.database, ids, timeoutMs)).length === 0) return undefined
    // Whoever held the lock may have gone meanwhile.
    if (await drainHere(place)) return await stillWaiting(place, ids)
    return 'the process that holds the log has not taken it up'
  } catch (error) {
    if (error instanceof AnnalsError) return error.message
    throw error
  }
}

// False where another process holds the log.
async function drainHere({ database, data, hostName }: OutboxPlace): Promise<boolean> {
  await using parts = new AsyncDisposableStack()
  try {
    parts.use(lockData(data, 'an annals command'))
  } catch (error) {
    if (isAnnalsError(error, 'LOG_LOCKED')) return false
    throw error
  }
  const log = parts.use(await openLog({ data, hostName, component: portalComponent, clock: systemClock() }))
  const record = new RegistryPosition(realDisk, data).noting((event) => log.record(draftOf(event, log.id)))
  const { stoppedBy } = await drain(database, record)
  if (stoppedBy !== undefined) throw stoppedBy
  return true
}

async function stillWaiting({ database }: OutboxPlace, ids: readonly string[]): Promise<string | undefined> {
  const left = await pending(database, ids)
  return left.length === 0 ? undefined : 'it could not be recorded'
}
