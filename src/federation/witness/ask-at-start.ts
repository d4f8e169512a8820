// What a log's witnesses hold of it, asked all at once before anything is recorded in it. Whoever does not answer in time is
// left out: a witness that is away does not hold up a log. What it holds is seen later, when it is shown a checkpoint.

import { setTimeout as sleep } from 'node:timers/promises'
import { witnessAskMs } from '../../limits.ts'
import type { HeldCheckpoint } from '../../log/open.ts'
import type { FederationLogger } from '../monitor.ts'
import type { WitnessPeer } from './witness-peer.ts'
import { originHash } from './witness-state.ts'

/** The checkpoints that witnesses hold of the log with this origin, as far as they answer within `timeoutMs`. */
export async function askAtStart(
  peers: readonly WitnessPeer[],
  origin: string,
  logger: FederationLogger,
  timeoutMs: number = witnessAskMs,
): Promise<HeldCheckpoint[]> {
  const held: HeldCheckpoint[] = []
  const silent = new Map(peers.map(({ name }) => [name, 'no answer in time']))
  const asked = peers.map(async (peer) => {
    const { name } = peer
    try {
      const note = await peer.latest(originHash(origin))
      silent.delete(name)
      if (note !== undefined) held.push({ witness: name, note })
    } catch (error) {
      silent.set(name, error instanceof Error ? error.message : String(error))
    }
  })
  const waiting = new AbortController()
  const late = sleep(timeoutMs, undefined, { signal: waiting.signal }).catch(() => undefined)
  await Promise.race([Promise.all(asked), late])
  waiting.abort()
  for (const [witness, reason] of silent)
    logger.warn(
      { witness, reason },
      'a witness could not be asked for what it holds of this log; it goes on without',
    )
  return [...held]
}
