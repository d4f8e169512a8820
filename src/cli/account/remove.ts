// `annals account remove NAME`.

import { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import type { Surroundings } from '../surroundings.ts'
import { addAccountOptions, changeAccount } from './open.ts'

const more = `
Where clients were made in its name ("annals client add --owner"), say what is to become of them.

Examples:
  annals account remove anna
  annals account remove anna --keep-clients`

interface ClientsOptions {
  readonly keepClients?: boolean
  readonly removeClients?: boolean
}

/** Makes the command. */
export function accountRemoveCommand(surroundings: Surroundings): Command {
  const command = new Command('remove')
    .summary('remove an account')
    .description('Removes an account, and logs it out. The last main administrator cannot be removed.')
    .argument('<NAME>', 'its login name')
    .option('--keep-clients', 'keep the OAuth 2.0 clients that were made in its name')
    .option('--remove-clients', 'remove them too, and end their tokens')
    .addHelpText('after', more)
    .action((name: string, options: ClientsOptions) =>
      changeAccount(
        command,
        surroundings,
        (accounts, by) => accounts.remove(name, by, clientsOf(options)),
        (change) => ({ done: `The account "${change.name}" is removed.`, generatedPassword: undefined }),
      ),
    )
  return addAccountOptions(command)
}

function clientsOf({
  keepClients = false,
  removeClients = false,
}: ClientsOptions): 'keep' | 'remove' | undefined {
  if (keepClients && removeClients)
    throw new AnnalsError('INVALID_INPUT', 'give --keep-clients or --remove-clients, and not both')
  if (keepClients) return 'keep'
  return removeClients ? 'remove' : undefined
}
