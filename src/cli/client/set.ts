// `annals client set CLIENT`.

import { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import type { Surroundings } from '../surroundings.ts'
import { addClientOptions, changeClient } from './open.ts'
import { addSettingsOptions, boundsOf, type ClientOptions, expiryOf } from './settings.ts'

const more = `
What a client loses, the tokens that it has lose at once. A client that is switched off gets no tokens, and those that it
has open nothing until it is switched on again.

Examples:
  annals client set siem --disable
  annals client set siem --enable --expires never
  annals client set siem --scope service:audit-trail:engine:engine-01 service:audit-trail:engine:engine-02`

interface SetOptions extends ClientOptions {
  readonly enable?: boolean
  readonly disable?: boolean
}

/** Makes the command. */
export function clientSetCommand(surroundings: Surroundings): Command {
  const command = new Command('set')
    .summary('change what a client is and may')
    .description('Changes what a client is and may. What no flag names stays.')
    .argument('<CLIENT>', 'its name or its id')
    .option('--enable', 'switch it on')
    .option('--disable', 'switch it off')
    .addHelpText('after', more)
    .action(async (named: string, options: SetOptions) => {
      const { description, scope: scopes } = options
      const settings = { description, scopes, isEnabled: switchOf(options) }
      const [recordBounds, expiresAt] = [boundsOf(options), expiryOf(options)]
      await changeClient(
        command,
        surroundings,
        (clients, by) => clients.set(named, { ...settings, recordBounds, expiresAt }, by),
        (name) => ({
          done: `The client "${name}" is changed.`,
          already: `The client "${name}" is so already.`,
        }),
      )
    })
  return addClientOptions(addSettingsOptions(command))
}

function switchOf({ enable = false, disable = false }: SetOptions): boolean | undefined {
  if (enable && disable) throw new AnnalsError('INVALID_INPUT', 'give --enable or --disable, and not both')
  return enable || disable ? enable : undefined
}
