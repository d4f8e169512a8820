// `annals client rotate CLIENT`.

import { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import { secretGraceMostSeconds, secretGraceSeconds } from '../../limits.ts'
import type { Surroundings } from '../surroundings.ts'
import { addClientOptions, addSecretFileOption, changeSecret } from './open.ts'

const hourSeconds = 3600

const more = `
Both secrets are valid for the time of grace, so that the client can be given the new one without a gap. There are never
more than two: rotating again meanwhile ends the older one.

After a theft: --grace-hours 0 ends the old secret at once, --revoke-tokens every token that was issued so far.

Examples:
  annals client rotate siem
  annals client rotate siem --grace-hours 0 --revoke-tokens --secret-file siem.secret`

/** Makes the command. */
export function clientRotateCommand(surroundings: Surroundings): Command {
  const command = new Command('rotate')
    .summary('give a client a new secret')
    .description('Gives a client a new secret, which is shown once. The old one goes on for a while.')
    .argument('<CLIENT>', 'its name or its id')
    .option(
      '--grace-hours <HOURS>',
      'how long the old secret goes on; 0 ends it at once',
      String(secretGraceSeconds / hourSeconds),
    )
    .option('--revoke-tokens', 'end every token that was issued so far')
    .addHelpText('after', more)
    .action(async (named: string, options: { graceHours: string; revokeTokens?: boolean }) => {
      const graceSeconds = secondsOf(options.graceHours)
      const rotation = { graceSeconds, revokesTokens: options.revokeTokens ?? false }
      await changeSecret(
        command,
        surroundings,
        (clients, by) => clients.rotate(named, rotation, by),
        (name) => [
          `The client "${name}" has a new secret.`,
          graceSeconds === 0
            ? 'The old one is not valid any more.'
            : `The old one goes on for ${options.graceHours} hours.`,
        ],
      )
    })
  return addClientOptions(addSecretFileOption(command))
}

function secondsOf(hours: string): number {
  const most = secretGraceMostSeconds / hourSeconds
  if (/^\d{1,4}(\.\d{1,4})?$/.test(hours) && Number(hours) <= most)
    return Math.round(Number(hours) * hourSeconds)
  throw new AnnalsError(
    'INVALID_INPUT',
    `--grace-hours ${hours}: expected a number of hours from 0 to ${most}`,
  )
}
