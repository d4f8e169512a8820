// `annals profile add|set|remove NAME` and `annals profile enable|disable auditor`.

import { Argument, Command } from 'commander'
import { auditorProfile } from '../../identity/profile.ts'
import type { ProfileSettings } from '../../identity/profiles.ts'
import type { Surroundings } from '../surroundings.ts'
import { addProfileOptions, changeProfile } from './open.ts'

interface Options {
  readonly role?: readonly string[]
  readonly description?: string
}

function addSettings(command: Command): Command {
  return command
    .option('--role <ROLE...>', 'the roles that it is made of ("annals profile role list")')
    .option('--description <TEXT>', 'what it is for')
}

function settingsOf({ role: roles, description }: Options): ProfileSettings {
  return { roles, description }
}

/** Makes the command `add`. */
export function profileAddCommand(surroundings: Surroundings): Command {
  const command = new Command('add')
    .summary('make a profile')
    .description(
      'Makes a profile of roles. It is of the tier of users: administrators have the built-in ones.',
    )
    .argument('<NAME>', 'what it is called')
    .addHelpText(
      'after',
      '\nExample:\n  annals profile add reviewer --role auditor --description "internal audit"',
    )
    .action((name: string, options: Options) =>
      changeProfile(command, surroundings, (profiles, by) => profiles.add(name, settingsOf(options), by), {
        done: `The profile "${name}" is made.`,
      }),
    )
  return addProfileOptions(addSettings(command))
}

/** Makes the command `set`. */
export function profileSetCommand(surroundings: Surroundings): Command {
  const command = new Command('set')
    .summary('change a profile')
    .description(
      'Changes a profile. It counts at once for every account that has it. What no flag names stays.',
    )
    .argument('<NAME>', 'its name')
    .addHelpText('after', '\nExample:\n  annals profile set reviewer --role auditor recorder')
    .action((name: string, options: Options) =>
      changeProfile(command, surroundings, (profiles, by) => profiles.set(name, settingsOf(options), by), {
        done: `The profile "${name}" is changed.`,
        already: `The profile "${name}" is so already.`,
      }),
    )
  return addProfileOptions(addSettings(command))
}

/** Makes the command `remove`. */
export function profileRemoveCommand(surroundings: Surroundings): Command {
  const command = new Command('remove')
    .summary('remove a profile')
    .description('Removes a profile that no account has.')
    .argument('<NAME>', 'its name')
    .addHelpText('after', '\nExample:\n  annals profile remove reviewer')
    .action((name: string) =>
      changeProfile(command, surroundings, (profiles, by) => profiles.remove(name, by), {
        done: `The profile "${name}" is removed.`,
      }),
    )
  return addProfileOptions(command)
}

/** Makes the command `enable`. */
export function profileEnableCommand(surroundings: Surroundings): Command {
  const command = new Command('enable')
    .summary("switch the auditor's profile on")
    .description('Switches on the profile of an auditor, who reads audit logs and does nothing else.')
    .addArgument(new Argument('<PROFILE>', 'the profile').choices([auditorProfile]))
    .addHelpText('after', '\nExample:\n  annals profile enable auditor')
    .action(() =>
      changeProfile(command, surroundings, (profiles, by) => profiles.enableAuditor(by), {
        done: 'The profile "auditor" is there: "annals account add NAME --profile auditor".',
        already: 'The profile "auditor" is there already.',
      }),
    )
  return addProfileOptions(command)
}

/** Makes the command `disable`. */
export function profileDisableCommand(surroundings: Surroundings): Command {
  const command = new Command('disable')
    .summary("switch the auditor's profile off")
    .description('Switches off the profile of an auditor. No account may have it any more.')
    .addArgument(new Argument('<PROFILE>', 'the profile').choices([auditorProfile]))
    .addHelpText('after', '\nExample:\n  annals profile disable auditor')
    .action(() =>
      changeProfile(command, surroundings, (profiles, by) => profiles.disableAuditor(by), {
        done: 'The profile "auditor" is switched off.',
        already: 'The profile "auditor" is switched off already.',
      }),
    )
  return addProfileOptions(command)
}
