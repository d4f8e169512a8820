// `annals key rotate log`.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { formatMicros } from '../../entry/time.ts'
import { AnnalsError, isAnnalsError } from '../../errors.ts'
import { keyOverlapMicros, lockRetryMs, orderWaitMs } from '../../limits.ts'
import { type LogDescription, originOf, readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { lockData } from '../../log/lock.ts'
import { openLog } from '../../log/open.ts'
import { putRotationOrder, readRotationOrder } from '../../log/rotation-order.ts'
import type { StoredRotation } from '../../log/stored-rotation.ts'
import { systemClock } from '../../ops/clock.ts'
import { realDisk } from '../../store/disk.ts'
import { formatVkey } from '../../tree/note-key.ts'
import { authorOf } from '../account/open.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'
import { addKeyOptions, componentOf, findNode, type KeyedNode } from './node.ts'

const more = `
Checkpoints bear the signatures of the old keys and of the new ones for 30 days; then the old private keys are destroyed.
A statement that all of them have signed is an entry of the log, and is published with the keys, so that whoever knows
the old ones can follow. The log keeps its name. A running node takes the order up at once.

After a theft this is not enough: "annals key revoke".

Examples:
  annals key rotate log
  annals key rotate log --data ./annals-engine-data`

/** Makes the command. */
export function keyRotateLogCommand(surroundings: Surroundings): Command {
  const command = new Command('log')
    .summary("replace the keys that sign the log's checkpoints")
    .description("Replaces the keys that sign the log's checkpoints, Ed25519 and ML-DSA-44.")
    .addHelpText('after', more)
    .action(async ({ json = false }: { json?: boolean }) => {
      const node = await findNode(command, surroundings)
      const id = await order(node, surroundings)
      const done = await carryOut(node, id)
      const rotation = typeof done === 'string' ? undefined : done
      if (json) printJson(surroundings, toJson(node.description, rotation))
      else if (rotation !== undefined) print(surroundings, ...toLines(node.description, rotation))
      if (typeof done === 'string')
        note(surroundings, `the rotation is ordered, and has not begun yet: ${done}`)
    })
  return addKeyOptions(command)
}

// Two commands at once would both find no rotation under way.
async function order({ data, description }: KeyedNode, surroundings: Surroundings): Promise<string> {
  const { orders, log } = dataLayout(data)
  await realDisk.makeDirectory(orders)
  using _alone = lockOrders(orders)
  const waiting = await readRotationOrder(realDisk, orders)
  if (waiting !== undefined) throw underWay(`it was ordered by ${waiting.actor} and has not begun yet`)
  const { rotations } = (await readDescription(realDisk, log)) ?? description
  const last = rotations.at(-1)
  if (last !== undefined && last.step !== 'ended') throw underWay(`the old keys sign until ${untilOf(last)}`)
  const id = randomUUID()
  await putRotationOrder(realDisk, orders, {
    id,
    at: systemClock().wallMicros(),
    ...authorOf(surroundings),
  })
  return id
}

function lockOrders(orders: string): Disposable {
  try {
    return lockData(orders, 'annals key rotate log')
  } catch (cause) {
    if (!isAnnalsError(cause, 'LOG_LOCKED')) throw cause
    throw new AnnalsError('ROTATION_UNDER_WAY', 'another command is ordering a rotation just now', { cause })
  }
}

// The rotation, once its entry is durable, or why there is none yet. Whoever holds the log's lock carries it out: a running
// node, or else this command.
async function carryOut(node: KeyedNode, id: string): Promise<StoredRotation | string> {
  const deadline = performance.now() + orderWaitMs
  try {
    for (;;) {
      const isHere = await tendHere(node)
      const { rotations = [] } = (await readDescription(realDisk, dataLayout(node.data).log)) ?? {}
      const rotation = rotations.find((rotation) => rotation.id === id)
      if (rotation !== undefined && rotation.step !== 'begun') return rotation
      if (isHere) return 'it could not be recorded'
      if (performance.now() >= deadline) return 'the process that holds the log has not taken it up'
      await sleep(lockRetryMs)
    }
  } catch (error) {
    if (error instanceof AnnalsError) return error.message
    throw error
  }
}

// False where another process holds the log.
async function tendHere(node: KeyedNode): Promise<boolean> {
  const { data, description } = node
  await using parts = new AsyncDisposableStack()
  try {
    parts.use(lockData(data, 'an annals command'))
  } catch (error) {
    if (isAnnalsError(error, 'LOG_LOCKED')) return false
    throw error
  }
  const { hostName } = description
  const log = await openLog({ data, hostName, component: componentOf(node), clock: systemClock() })
  await parts.use(log).tendKeys()
  return true
}

function underWay(why: string): AnnalsError {
  return new AnnalsError('ROTATION_UNDER_WAY', `a rotation of the log's keys is under way: ${why}`)
}

function untilOf({ since }: StoredRotation): string {
  return formatMicros(since + keyOverlapMicros).slice(0, 10)
}

function toJson(description: LogDescription, rotation: StoredRotation | undefined): object {
  return {
    log: description.id,
    origin: originOf(description),
    state: rotation === undefined ? 'ordered' : 'rotated',
    keys: rotation === undefined ? null : rotation.next.map(formatVkey),
    oldKeysUntil: rotation === undefined ? null : formatMicros(rotation.since + keyOverlapMicros),
  }
}

function toLines(description: LogDescription, rotation: StoredRotation): string[] {
  return [
    `Checkpoints of ${description.id} are signed with new keys from now on, and with the old ones too until ${untilOf(rotation)}:`,
    ...rotation.next.map((key) => `  ${formatVkey(key)}`),
    'Whoever checks this log with a policy or keys of their own needs these. Whoever knows the old keys can follow by',
    `asking the node: GET /audit-trail/api/v2/logs/${description.id}/keys`,
  ]
}
