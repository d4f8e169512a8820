// `annals log …`: what becomes of a log as a whole.

import { Command } from 'commander'
import { logRenewCommand } from './log/renew.ts'
import type { Surroundings } from './surroundings.ts'

/** Makes the command. */
export function logCommand(surroundings: Surroundings): Command {
  return new Command('log')
    .summary('close the log of a node, and continue with a new one')
    .description('Closes the log of a node, and continues with a new one.')
    .addHelpText('after', '\nExample:\n  annals log renew --yes')
    .addCommand(logRenewCommand(surroundings))
}
