// `annals profile role …`: the roles that profiles are made of.

import { Command } from 'commander'
import { rolePermissions } from '../../identity/permission.ts'
import type { RoleSettings } from '../../identity/profiles.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { addProfileOptions, changeProfile, isJson, openProfiles } from './open.ts'

interface Options {
  readonly allow?: readonly string[]
  readonly description?: string
}

const more = `
A role allows: ${rolePermissions.join(', ')}. To manage anything takes an administrator's profile.

Examples:
  annals profile role add recorder --allow record-events
  annals profile role list`

/** Makes the command. */
export function profileRoleCommand(surroundings: Surroundings): Command {
  return new Command('role')
    .summary('manage roles')
    .description('Manages roles: what profiles are made of.')
    .addHelpText('after', more)
    .addCommand(listCommand(surroundings))
    .addCommand(addCommand(surroundings))
    .addCommand(setCommand(surroundings))
    .addCommand(removeCommand(surroundings))
}

function listCommand(surroundings: Surroundings): Command {
  const command = new Command('list')
    .summary('list the roles')
    .description('Lists the roles, and what they allow.')
    .addHelpText('after', '\nExample:\n  annals profile role list')
    .action(async () => {
      await using open = await openProfiles(command, surroundings)
      const roles = await open.profiles.roles()
      if (isJson(command)) return printJson(surroundings, roles)
      const rows = roles.map(({ name, permissions, description }) => [
        name,
        permissions.join(', '),
        description,
      ])
      print(surroundings, ...table(['NAME', 'ALLOWS', 'DESCRIPTION'], rows))
    })
  return addProfileOptions(command)
}

function addCommand(surroundings: Surroundings): Command {
  const command = new Command('add')
    .summary('make a role')
    .description('Makes a role.')
    .argument('<NAME>', 'what it is called')
    .addHelpText('after', '\nExample:\n  annals profile role add recorder --allow record-events')
    .action((name: string, options: Options) =>
      changeProfile(
        command,
        surroundings,
        (profiles, by) => profiles.addRole(name, settingsOf(options), by),
        { done: `The role "${name}" is made.` },
      ),
    )
  return addProfileOptions(addSettings(command))
}

function setCommand(surroundings: Surroundings): Command {
  const command = new Command('set')
    .summary('change a role')
    .description('Changes a role. It counts at once for every profile that has it. What no flag names stays.')
    .argument('<NAME>', 'its name')
    .addHelpText(
      'after',
      '\nExample:\n  annals profile role set recorder --allow record-events read-audit-log',
    )
    .action((name: string, options: Options) =>
      changeProfile(
        command,
        surroundings,
        (profiles, by) => profiles.setRole(name, settingsOf(options), by),
        { done: `The role "${name}" is changed.`, already: `The role "${name}" is so already.` },
      ),
    )
  return addProfileOptions(addSettings(command))
}

function removeCommand(surroundings: Surroundings): Command {
  const command = new Command('remove')
    .summary('remove a role')
    .description('Removes a role that no profile has.')
    .argument('<NAME>', 'its name')
    .addHelpText('after', '\nExample:\n  annals profile role remove recorder')
    .action((name: string) =>
      changeProfile(command, surroundings, (profiles, by) => profiles.removeRole(name, by), {
        done: `The role "${name}" is removed.`,
      }),
    )
  return addProfileOptions(command)
}

function addSettings(command: Command): Command {
  return command
    .option('--allow <PERMISSION...>', `what it allows: ${rolePermissions.join(', ')}`)
    .option('--description <TEXT>', 'what it is for')
}

function settingsOf({ allow: permissions, description }: Options): RoleSettings {
  return { permissions, description }
}
