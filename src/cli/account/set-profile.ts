// `annals account set-profile NAME PROFILE`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

/** Makes the command. */
export function accountSetProfileCommand(surroundings: Surroundings): Command {
  const command = new Command('set-profile')
    .summary('give an account another profile')
    .description('Gives an account another profile. The last main administrator stays one.')
    .argument('<NAME>', 'its login name')
    .argument('<PROFILE>', 'what it may do ("annals profile list")')
    .addHelpText('after', '\nExample:\n  annals account set-profile anna central-administrator')
    .action((name: string, profile: string) =>
      changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.setProfile(name, profile, by),
        (change) => ({
          done: `The account "${change.name}" is a ${profile} now.`,
          already: `The account "${change.name}" is a ${profile} already.`,
          fields: { profile },
          generatedPassword: undefined,
        }),
      ),
    )
  return addAccountOptions(command)
}
