// `annals client …`: the OAuth 2.0 clients of a portal.

import { Command } from 'commander'
import { clientAddCommand } from './client/add.ts'
import { clientListCommand } from './client/list.ts'
import { clientRemoveCommand } from './client/remove.ts'
import { clientRotateCommand } from './client/rotate.ts'
import { clientSetCommand } from './client/set.ts'
import type { Surroundings } from './surroundings.ts'

const more = `
A client gets access tokens at PORTAL/oauth2/default/v1/token with its id and its secret (OAuth 2.0 client credentials),
and opens with them what its scopes name. These commands work beside a running portal and without one; every change is
recorded in the audit log, in the name of *cli:<user of the operating system>.

Examples:
  annals client add siem
  annals client list
  annals client rotate siem`

/** Makes the command. */
export function clientCommand(surroundings: Surroundings): Command {
  const command = new Command('client')
    .summary('manage OAuth 2.0 clients')
    .description('Manages the OAuth 2.0 clients of a portal.')
    .addHelpText('after', more)
  for (const make of [
    clientAddCommand,
    clientListCommand,
    clientSetCommand,
    clientRotateCommand,
    clientRemoveCommand,
  ]) {
    command.addCommand(make(surroundings))
  }
  return command
}
