// `annals account add NAME`.

import { Command } from 'commander'
import { parseName } from '../../identity/account.ts'
import { demandProfile } from '../../identity/profiles.ts'
import { addPasswordOptions, newPassword, type PasswordOptions } from '../password-source.ts'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount, openAccounts } from './open.ts'

const examples = `
The password is asked for at the terminal unless it is taken from a file or made. It needs at least 8 characters of 3
of 4 classes: upper case, lower case, digits, others.

Examples:
  annals account add siem --profile central-administrator --generate
  annals account add anna --profile main-administrator
  pass show annals/anna | annals account add anna --password-file -`

/** Makes the command. */
export function accountAddCommand(surroundings: Surroundings): Command {
  const command = new Command('add')
    .summary('make an account')
    .description('Makes a local account.')
    .argument('<NAME>', 'its login name')
    .option('--profile <PROFILE>', 'what it may do ("annals profile list")', 'user')
    .addHelpText('after', examples)
    .action(async (name: string, options: PasswordOptions & { profile: string }) => {
      const { profile } = options
      // Before anybody types a password for it.
      parseName(name)
      await demandKnownProfile(command, surroundings, profile)
      const { password, isGenerated } = await newPassword(surroundings, name, options)
      await changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.add({ name, profile, password }, by),
        (change) => ({
          done: `The account "${change.name}" is made (${profile}).`,
          fields: { profile },
          generatedPassword: isGenerated ? password : undefined,
        }),
      )
    })
  return addAccountOptions(addPasswordOptions(command))
}

async function demandKnownProfile(
  command: Command,
  surroundings: Surroundings,
  profile: string,
): Promise<void> {
  await using open = await openAccounts(command, surroundings)
  await open.database.write.transaction().execute((transaction) => demandProfile(transaction, profile))
}
