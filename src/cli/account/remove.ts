// `annals account remove NAME`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

/** Makes the command. */
export function accountRemoveCommand(surroundings: Surroundings): Command {
  const command = new Command('remove')
    .summary('remove an account')
    .description('Removes an account, and logs it out. The last main administrator cannot be removed.')
    .argument('<NAME>', 'its login name')
    .addHelpText('after', '\nExample:\n  annals account remove anna')
    .action((name: string) =>
      changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.remove(name, by),
        (change) => ({ done: `The account "${change.name}" is removed.`, generatedPassword: undefined }),
      ),
    )
  return addAccountOptions(command)
}
