// `annals verify`: proves, offline, that nothing was changed, removed or left out. What it imports touches no network.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { AnnalsError } from '../errors.ts'
import type { Surroundings } from './surroundings.ts'
import { tellingFailure } from './verify/account.ts'
import { addVerifyOptions, type VerifyFlags } from './verify/flags.ts'
import { verifyWholeLog } from './verify/whole-log.ts'

const more = `
The first line says what was proved, and by whom it is vouched for: never more than that. Without --policy nobody whom you
named has witnessed the log, and whoever holds its keys could have made another one for you.

Examples:
  annals verify /backup/annals/log --key portal.keys
  annals verify /backup/annals/log --policy auditor.policy --checkpoint checkpoint-of-june`

/** Makes the command. */
export function verifyCommand(surroundings: Surroundings): Command {
  const command = new Command('verify')
    .summary('prove, offline, that nothing was changed or left out')
    .description(
      'Proves that a log, an answer, an entry, or lines that came back from elsewhere are what the log has signed. It ' +
        'needs no network, and no trust in whoever has kept them.',
    )
    .argument('<WHAT>', 'the directory of a whole log')
    .addHelpText('after', more)
  return addVerifyOptions(command).action((what: string, flags: VerifyFlags) =>
    tellingFailure(surroundings, flags.json === true, () => verify(surroundings, what, flags)),
  )
}

async function verify(surroundings: Surroundings, what: string, flags: VerifyFlags): Promise<void> {
  if (await isDirectory(surroundings, what)) return await verifyWholeLog(surroundings, what, flags)
  throw new AnnalsError('INVALID_INPUT', `${what} is not a directory`)
}

async function isDirectory({ directory }: Surroundings, what: string): Promise<boolean> {
  return await stat(resolve(directory, what)).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
