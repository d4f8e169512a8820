// `annals key …`: the keys of a node: its log's, the one that it speaks TLS with to its peers, and those that a portal
// signs access tokens with.

import { Command } from 'commander'
import { keyRotateLogCommand } from './key/rotate-log.ts'
import { keyRotateTlsCommand } from './key/rotate-tls.ts'
import { keyRotateTokensCommand } from './key/rotate-tokens.ts'
import { keyShowCommand } from './key/show.ts'
import { keyRevokeCommand } from './log/renew.ts'
import type { Surroundings } from './surroundings.ts'

const more = `
These commands work on the data directory of a portal or of an engine, beside a running node and without one. Run them
as the user that the node runs as: it must be able to read what they write.

Examples:
  annals key show
  annals key rotate tls --data ./annals-engine-data`

/** Makes the command. */
export function keyCommand(surroundings: Surroundings): Command {
  return new Command('key')
    .summary('show and replace the keys of a node')
    .description('Shows and replaces the keys of a node.')
    .addHelpText('after', more)
    .addCommand(keyShowCommand(surroundings))
    .addCommand(
      new Command('rotate')
        .summary('replace a key of a node')
        .description('Replaces a key of a node.')
        .addHelpText(
          'after',
          '\nExamples:\n  annals key rotate log\n  annals key rotate tls\n  annals key rotate tokens',
        )
        .addCommand(keyRotateLogCommand(surroundings))
        .addCommand(keyRotateTlsCommand(surroundings))
        .addCommand(keyRotateTokensCommand(surroundings)),
    )
    .addCommand(keyRevokeCommand(surroundings))
}
