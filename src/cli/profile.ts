// `annals profile …`: what accounts may be, beyond what is built in.

import { Command } from 'commander'
import {
  profileAddCommand,
  profileDisableCommand,
  profileEnableCommand,
  profileRemoveCommand,
  profileSetCommand,
} from './profile/change.ts'
import { profileListCommand, profileShowCommand } from './profile/list.ts'
import { profileRoleCommand } from './profile/role.ts'
import type { Surroundings } from './surroundings.ts'

const more = `
The tiers are built in: main-administrator, central-administrator and user. A profile of your own is of the tier of users,
and allows what its roles allow. Every change counts at once, and is recorded in the audit log.

Examples:
  annals profile list
  annals profile enable auditor
  annals profile show auditor`

/** Makes the command. */
export function profileCommand(surroundings: Surroundings): Command {
  const command = new Command('profile')
    .summary('manage profiles and roles')
    .description('Manages the profiles that accounts have, and the roles that profiles are made of.')
    .addHelpText('after', more)
  for (const make of [
    profileListCommand,
    profileShowCommand,
    profileAddCommand,
    profileSetCommand,
    profileRemoveCommand,
    profileEnableCommand,
    profileDisableCommand,
    profileRoleCommand,
  ]) {
    command.addCommand(make(surroundings))
  }
  return command
}
