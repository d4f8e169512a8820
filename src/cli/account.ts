// `annals account …`: the local accounts of a portal.

import { Command } from 'commander'
import { accountAddCommand } from './account/add.ts'
import { accountListCommand } from './account/list.ts'
import { accountPasswdCommand } from './account/passwd.ts'
import { accountRemoveCommand } from './account/remove.ts'
import { accountSetProfileCommand } from './account/set-profile.ts'
import { accountUnlockCommand } from './account/unlock.ts'
import type { Surroundings } from './surroundings.ts'

const more = `
These commands work beside a running portal and without one. Every change is recorded in the audit log, in the name of
*cli:<user of the operating system>: by the portal where one runs, else by the command itself.

Profiles:
  main-administrator     may do everything
  central-administrator  may read audit logs, and manage; not let anybody record the node's own codes
  user                   may do nothing here
  auditor                may read audit logs, and nothing else; off until "annals profile enable auditor"

"annals profile" makes others. For a SIEM an OAuth 2.0 client is better than any account: "annals client add siem".

Examples:
  annals account add siem --profile central-administrator --generate
  annals account list
  annals account passwd admin`

/** Makes the command. */
export function accountCommand(surroundings: Surroundings): Command {
  const command = new Command('account')
    .summary('manage local accounts')
    .description('Manages the local accounts of a portal.')
    .addHelpText('after', more)
  for (const make of [
    accountAddCommand,
    accountListCommand,
    accountPasswdCommand,
    accountUnlockCommand,
    accountSetProfileCommand,
    accountRemoveCommand,
  ]) {
    command.addCommand(make(surroundings))
  }
  return command
}
