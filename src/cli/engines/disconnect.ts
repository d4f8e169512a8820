// `annals engines disconnect ENGINE`.

import { Command } from 'commander'
import type { Surroundings } from '../surroundings.ts'
import { addEnginesOptions, changeEngine } from './open.ts'

/** Makes the command. */
export function enginesDisconnectCommand(surroundings: Surroundings): Command {
  const command = new Command('disconnect')
    .summary('take an engine out')
    .description(
      'Takes an engine out: it is neither called nor read any more, also by answers that are under way. ' +
        'It goes on recording, and can be connected again.',
    )
    .argument('<ENGINE>', 'its host name, long or short')
    .addHelpText('after', '\nExample:\n  annals engines disconnect engine-01')
    .action((name: string) =>
      changeEngine(
        command,
        surroundings,
        (registry, by) => registry.disconnect(name, by),
        (engine) => ({
          done: `The engine ${engine} is disconnected.`,
          already: `The engine ${engine} is disconnected already.`,
        }),
      ),
    )
  return addEnginesOptions(command)
}
