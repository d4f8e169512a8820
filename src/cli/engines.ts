// `annals engines …`: the engines of a portal.

import { Command } from 'commander'
import { enginesDisconnectCommand } from './engines/disconnect.ts'
import { enginesListCommand } from './engines/list.ts'
import { enginesReconnectCommand } from './engines/reconnect.ts'
import { enginesShowCommand } from './engines/show.ts'
import { enginesTokenCommand } from './engines/token.ts'
import type { Surroundings } from './surroundings.ts'

const more = `
These commands work beside a running portal and without one, on the portal's data directory. Every change is recorded
in the audit log, in the name of *cli:<user of the operating system>: by the portal where one runs, else by the command
itself.

States of an engine:
  CONNECTING    it has joined, or is to be connected again, and the portal has not reached it since
  CONNECTED     the portal has reached it
  UNREACHABLE   it is one of the two, and does not answer: reads of it are refused until it does
  DISCONNECTED  an administrator took it out: it is neither called nor read

Examples:
  annals engines token
  annals engines list
  annals engines disconnect engine-01`

/** Makes the command. */
export function enginesCommand(surroundings: Surroundings): Command {
  const command = new Command('engines')
    .summary('connect and manage engines')
    .description('Connects and manages the engines of a portal.')
    .addHelpText('after', more)
  for (const make of [
    enginesTokenCommand,
    enginesListCommand,
    enginesShowCommand,
    enginesDisconnectCommand,
    enginesReconnectCommand,
  ]) {
    command.addCommand(make(surroundings))
  }
  return command
}
