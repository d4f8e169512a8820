// `annals client add NAME`.

import { Command } from 'commander'
import { readScope } from '../../identity/scope.ts'
import type { Surroundings } from '../surroundings.ts'
import { addClientOptions, addSecretFileOption, changeSecret } from './open.ts'
import { addSettingsOptions, boundsOf, type ClientOptions, expiryOf } from './settings.ts'

const more = `
Scopes:
  service:audit-trail                 reads all logs (the default)
  service:audit-trail:engine:HOST     reads the log of this engine, and no other
  service:audit-trail:record          records events, within --record-components and --record-codes

With --owner the client is made in the name of an account, whose profile must allow it: an administrator's, and a main
administrator's for --record-own-codes. Without, in the name of whoever administers this machine.

Examples:
  annals client add siem
  annals client add siem --expires 2027-01-01 --secret-file siem.secret
  annals client add branch-office --scope service:audit-trail:engine:engine-01
  annals client add shop --scope service:audit-trail:record --record-components Shop --record-codes 40000-40999`

/** Makes the command. */
export function clientAddCommand(surroundings: Surroundings): Command {
  const command = new Command('add')
    .summary('make a client')
    .description('Makes an OAuth 2.0 client, and its secret, which is shown once.')
    .argument('<NAME>', 'what it is called')
    .option('--owner <ACCOUNT>', 'the account in whose name it is made')
    .addHelpText('after', more)
    .action(async (name: string, options: ClientOptions & { owner?: string }) => {
      const { description, scope: scopes = [readScope], owner } = options
      const settings = { name, description, scopes, owner }
      const [recordBounds, expiresAt] = [boundsOf(options), expiryOf(options) ?? undefined]
      await changeSecret(
        command,
        surroundings,
        (clients, by) => clients.add({ ...settings, recordBounds, expiresAt }, by),
        (made) => [`The client "${made}" is made (${scopes.join(' ')}).`],
      )
    })
  return addClientOptions(addSecretFileOption(addSettingsOptions(command)))
}
