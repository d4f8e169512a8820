// `annals key rotate tokens`.

import { Command } from 'commander'
import { TokenKeys } from '../../identity/token-keys.ts'
import { systemClock } from '../../ops/clock.ts'
import { authorOf } from '../account/open.ts'
import { addConfigurationOptions } from '../configuration-options.ts'
import { settleOutbox } from '../outbox.ts'
import { openPortalDatabase } from '../portal-database.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

const more = `
The next key has been published for long, so nothing is interrupted: tokens that were signed with the old one are verified
until they expire. A portal does this by itself (--token-key-days).

After a theft: --stolen replaces every key, and every access token ends at once. Clients get new ones by themselves.

Examples:
  annals key rotate tokens
  annals key rotate tokens --stolen`

/** Makes the command. */
export function keyRotateTokensCommand(surroundings: Surroundings): Command {
  const command = new Command('tokens')
    .summary('replace the key that access tokens are signed with')
    .description('Replaces the key that a portal signs access tokens with.')
    .option('--stolen', 'replace every key, and end every token that was issued so far')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', more)
    .action(async ({ stolen = false, json = false }: { stolen?: boolean; json?: boolean }) => {
      await using open = await openPortalDatabase(command, surroundings)
      const keys = new TokenKeys({ ...open, clock: systemClock() })
      const { kid, eventIds } = await keys.rotate(authorOf(surroundings), stolen ? 'stolen' : 'command')
      if (json) printJson(surroundings, { kid, tokensEnded: stolen })
      else
        print(
          surroundings,
          `Access tokens are signed with the key ${kid} from now on.`,
          ...(stolen ? ['Every token of before has ended.'] : []),
        )
      const waiting = await settleOutbox(open, eventIds)
      if (waiting !== undefined) note(surroundings, `the change is made; its record still waits: ${waiting}`)
    })
  return addConfigurationOptions(command, ['data', 'hostName'])
}
