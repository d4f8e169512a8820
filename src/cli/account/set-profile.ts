// `annals account set-profile NAME PROFILE`.

import { Argument, Command } from 'commander'
import { parseProfile, profiles } from '../../identity/profile.ts'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

/** Makes the command. */
export function accountSetProfileCommand(surroundings: Surroundings): Command {
  const command = new Command('set-profile')
    .summary('give an account another profile')
    .description('Gives an account another profile. The last main administrator stays one.')
    .argument('<NAME>', 'its login name')
    .addArgument(new Argument('<PROFILE>', 'what it may do').choices(profiles))
    .addHelpText('after', '\nExample:\n  annals account set-profile anna central-administrator')
    .action((name: string, text: string) => {
      const profile = parseProfile(text)
      return changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.setProfile(name, profile, by),
        (change) => ({
          done: `The account "${change.name}" is a ${profile} now.`,
          already: `The account "${change.name}" is a ${profile} already.`,
          fields: { profile },
          generatedPassword: undefined,
        }),
      )
    })
  return addAccountOptions(command)
}
