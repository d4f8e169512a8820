// `annals client remove CLIENT`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addClientOptions, changeClient } from './open.ts'

/** Makes the command. */
export function clientRemoveCommand(surroundings: Surroundings): Command {
  const command = new Command('remove')
    .summary('remove a client')
    .description('Removes a client. Its tokens end at once.')
    .argument('<CLIENT>', 'its name or its id')
    .addHelpText('after', '\nExample:\n  annals client remove siem')
    .action((named: string) =>
      changeClient(
        command,
        surroundings,
        (clients, by) => clients.remove(named, by),
        (name) => ({ done: `The client "${name}" is removed.` }),
      ),
    )
  return addClientOptions(command)
}
