// `annals log renew`, and `annals key revoke`, which is the same after a theft: the log is closed for good, and another one
// continues it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { AnnalsError, isAnnalsError } from '../../errors.ts'
import type { ClosingReason } from '../../log/continues.ts'
import { readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { lockData } from '../../log/lock.ts'
import { openLog } from '../../log/open.ts'
import { type Renewal, renewLog } from '../../log/renew.ts'
import { systemClock } from '../../ops/clock.ts'
import { realDisk } from '../../store/disk.ts'
import { bytesOfHash } from '../../tree/hash.ts'
import { formatVkey, type NoteKey } from '../../tree/note-key.ts'
import { authorOf } from '../account/open.ts'
import { configurationOf } from '../configuration-options.ts'
import { addKeyOptions, componentOf } from '../key/node.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'

const sameForBoth = `
Stop the node first. The old log stays, whole, in DATA/logs/<its id>; its private keys are destroyed. The new log has keys and
a name of its own under the same host name, and its first entry names the old one's id, size and root. Should this be
interrupted, say it again: what was begun is ended.

An engine has to join its portal again: "annals engines token --replace" there, then --join and --token-file here.
`

const afterTheft = `
For when somebody else may have the log's private keys. The old log is closed at the last checkpoint that a witness has
cosigned, for what lies behind that the thief can have signed too; where no witness has seen one, at its last checkpoint.
${sameForBoth}
Example:
  annals key revoke --yes`

const afterRestore = `
For a log that is not what it was: restored from a backup, rolled back, or read-only because a witness has seen more of
it. The old log is closed at its last checkpoint.
${sameForBoth}
Example:
  annals log renew --yes`

/** Makes `annals log renew`. */
export function logRenewCommand(surroundings: Surroundings): Command {
  const command = new Command('renew')
    .summary('close the log for good, and continue with a new one')
    .description('Closes the log of a node for good, and continues with a new one.')
    .addHelpText('after', afterRestore)
  return withAction(command, surroundings, 'renewed')
}

/** Makes `annals key revoke`. */
export function keyRevokeCommand(surroundings: Surroundings): Command {
  const command = new Command('revoke')
    .summary("after a theft of the log's keys: close the log, and continue with a new one")
    .description(
      'Closes the log of a node for good after a theft of its keys, and continues with a new one that has others.',
    )
    .addHelpText('after', afterTheft)
  return withAction(command, surroundings, 'revoked')
}

interface RenewOptions {
  readonly yes?: boolean
  readonly json?: boolean
}

interface Renewed extends Renewal {
  readonly data: string
  readonly keys: readonly NoteKey[]
  readonly isEngine: boolean
}

function withAction(command: Command, surroundings: Surroundings, reason: ClosingReason): Command {
  command
    .option('--yes', 'do it: the old log cannot be continued any more')
    .action(async ({ yes = false, json = false }: RenewOptions) => {
      const { data } = configurationOf(command, surroundings)
      demandLog(data)
      if (!yes) {
        throw new AnnalsError(
          'INVALID_INPUT',
          `this closes the log in ${data} for good, and destroys its private keys: say so with --yes`,
        )
      }
      const renewed = await renew(data, reason, surroundings)
      if (json) printJson(surroundings, toJson(renewed))
      else print(surroundings, ...toLines(renewed))
    })
  return addKeyOptions(command)
}

async function renew(data: string, reason: ClosingReason, surroundings: Surroundings): Promise<Renewed> {
  using _lock = lock(data)
  const clock = systemClock()
  const now = clock.wallMicros()
  const renewal = await renewLog({ disk: realDisk, data, reason, now, ...authorOf(surroundings) })
  const { log: directory, database } = dataLayout(data)
  const description = await readDescription(realDisk, directory)
  if (description === undefined) throw new AnnalsError('LOG_MISSING', `there is no audit log in ${data}`)
  const { hostName } = description
  // Its first entry, and its first checkpoint.
  await using log = await openLog({
    data,
    hostName,
    component: componentOf({ database, description }),
    clock,
  })
  return { ...renewal, data, keys: log.keys, isEngine: !existsSync(database) }
}

// Nothing is made where there is none.
function demandLog(data: string): void {
  const { log, renewal } = dataLayout(data)
  if (existsSync(log) || existsSync(renewal)) return
  throw new AnnalsError('LOG_MISSING', `there is no audit log in ${data}: say with --data where one is`)
}

function lock(data: string): Disposable {
  try {
    return lockData(data, 'an annals command')
  } catch (cause) {
    if (!isAnnalsError(cause, 'LOG_LOCKED')) throw cause
    throw new AnnalsError('LOG_LOCKED', `stop the node first: ${cause.message}`, { cause })
  }
}

function toJson({ continues, next, data, keys }: Renewed): object {
  const { log, size, root, unproved, isWitnessed, reason } = continues
  return {
    closed: {
      log,
      size,
      root: bytesOfHash(root).toString('base64'),
      isWitnessed,
      unproved,
      directory: join(dataLayout(data).logs, log),
    },
    reason,
    log: next,
    keys: keys.map(formatVkey),
  }
}

function toLines(renewed: Renewed): string[] {
  const { continues, next, data, keys, isEngine } = renewed
  const { log, size, unproved, isWitnessed, reason } = continues
  const where = isWitnessed ? 'the last checkpoint that a witness has cosigned' : 'its last checkpoint'
  return [
    `The log ${log} is closed at ${where}: ${entries(size)}.`,
    ...(isWitnessed || reason === 'renewed'
      ? []
      : [
          'No witness has cosigned any of its checkpoints: whoever has its keys can have signed the last ones too.',
        ]),
    ...(unproved === 0
      ? []
      : [
          `What lies behind that, ${entries(unproved)}, stays in its files and is not proved: look at it with care.`,
        ]),
    `It stays in ${join(dataLayout(data).logs, log)}. Its private keys are destroyed.`,
    `The log ${next} continues it, signed with`,
    ...keys.map((key) => `  ${formatVkey(key)}`),
    isEngine
      ? 'This engine has to join its portal again: "annals engines token --replace" there, then --join and --token-file here.'
      : 'Its engines go on with this portal; what they witness of it is the old log, until they join again.',
  ]
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}
