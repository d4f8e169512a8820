// `annals engines reconnect ENGINE`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addEnginesOptions, changeEngine } from './open.ts'

/** Makes the command. */
export function enginesReconnectCommand(surroundings: Surroundings): Command {
  const command = new Command('reconnect')
    .summary('take an engine in again')
    .description(
      'Takes an engine in again that was disconnected. The portal calls it, as it was when it joined; ' +
        'it is CONNECTED once it has answered.',
    )
    .argument('<ENGINE>', 'its host name, long or short')
    .addHelpText('after', '\nExample:\n  annals engines reconnect engine-01')
    .action((name: string) =>
      changeEngine(
        command,
        surroundings,
        (registry, by) => registry.reconnect(name, by),
        (engine) => ({
          done: `The engine ${engine} is to be connected again: the portal calls it.`,
          already: `The engine ${engine} is not disconnected.`,
        }),
      ),
    )
  return addEnginesOptions(command)
}
