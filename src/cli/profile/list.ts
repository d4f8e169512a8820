// `annals profile list` and `annals profile show NAME`.

import { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import type { ListedProfile } from '../../identity/profiles.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { addProfileOptions, isJson, openProfiles } from './open.ts'

/** Makes the command `list`. */
export function profileListCommand(surroundings: Surroundings): Command {
  const command = new Command('list')
    .summary('list the profiles')
    .description('Lists the profiles: those that are built in, and others.')
    .addHelpText('after', '\nExamples:\n  annals profile list\n  annals profile list --json | jq -r .[].name')
    .action(async () => {
      await using open = await openProfiles(command, surroundings)
      const profiles = await open.profiles.list()
      if (isJson(command)) return printJson(surroundings, profiles.map(toJson))
      const heading = ['NAME', 'TIER', 'ROLES', 'ACCOUNTS', 'DESCRIPTION']
      print(surroundings, ...table(heading, profiles.map(toRow)))
    })
  return addProfileOptions(command)
}

/** Makes the command `show`. */
export function profileShowCommand(surroundings: Surroundings): Command {
  const command = new Command('show')
    .summary('show what a profile allows')
    .description('Shows a profile, with every permission that it has.')
    .argument('<NAME>', 'its name')
    .addHelpText('after', '\nExample:\n  annals profile show central-administrator')
    .action(async (name: string) => {
      await using open = await openProfiles(command, surroundings)
      const profile = (await open.profiles.list()).find((known) => known.name === name)
      if (profile === undefined) throw new AnnalsError('DOES_NOT_EXIST', `there is no profile "${name}"`)
      if (isJson(command)) printJson(surroundings, toJson(profile))
      else print(surroundings, ...toLines(profile))
    })
  return addProfileOptions(command)
}

function toRow({ name, tier, roles, accounts, description }: ListedProfile): string[] {
  return [name, tier, roles.length === 0 ? '-' : roles.join(', '), String(accounts), description]
}

function toJson({ name, description, tier, isBuiltIn, roles, permissions, accounts }: ListedProfile): object {
  return { name, description, tier, builtIn: isBuiltIn, roles, permissions, accounts }
}

function toLines({
  name,
  description,
  tier,
  isBuiltIn,
  roles,
  permissions,
  accounts,
}: ListedProfile): string[] {
  return [
    `name         ${name}${isBuiltIn ? ' (built in)' : ''}`,
    `description  ${description}`,
    `tier         ${tier}`,
    `roles        ${roles.length === 0 ? '-' : roles.join(', ')}`,
    `allows       ${permissions.length === 0 ? 'nothing' : permissions.join(', ')}`,
    `accounts     ${accounts}`,
  ]
}
