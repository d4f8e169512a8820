// `annals account unlock NAME`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

/** Makes the command. */
export function accountUnlockCommand(surroundings: Surroundings): Command {
  const command = new Command('unlock')
    .summary('end the lock of an account')
    .description(
      'Ends the lock of an account that failed to log in too often, and forgets its failed logins.',
    )
    .argument('<NAME>', 'its login name')
    .addHelpText('after', '\nExample:\n  annals account unlock siem')
    .action((name: string) =>
      changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.unlock(name, by),
        (change) => ({
          done: `The account "${change.name}" is not locked any more.`,
          already: `The account "${change.name}" is not locked, and has no failed logins.`,
          generatedPassword: undefined,
        }),
      ),
    )
  return addAccountOptions(command)
}
