// `annals account passwd NAME`.

import { Command } from 'commander'
import { addPasswordOptions, newPassword, type PasswordOptions } from '../password-source.ts'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

const examples = `
Whoever is logged in with the old password is logged out at once. A lock stays: "annals account unlock" ends it.

Examples:
  annals account passwd admin
  annals account passwd siem --generate`

/** Makes the command. */
export function accountPasswdCommand(surroundings: Surroundings): Command {
  const command = new Command('passwd')
    .summary('replace the password of an account')
    .description('Replaces the password of an account.')
    .argument('<NAME>', 'its login name')
    .addHelpText('after', examples)
    .action(async (name: string, options: PasswordOptions) => {
      const { password, isGenerated } = await newPassword(surroundings, name, options)
      await changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.setPassword(name, password, by),
        (change) => ({
          done: `The account "${change.name}" has a new password.`,
          generatedPassword: isGenerated ? password : undefined,
        }),
      )
    })
  return addAccountOptions(addPasswordOptions(command))
}
