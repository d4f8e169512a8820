// `annals client list`.

import { Command } from 'commander'
import type { Micros } from '../../entry/event.ts'
import { formatMicros } from '../../entry/time.ts'
import type { Client } from '../../identity/client.ts'
import { boundsText } from '../../identity/client-events.ts'
import { systemClock } from '../../ops/clock.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { addClientOptions, isJson, openClients } from './open.ts'

/** Makes the command. */
export function clientListCommand(surroundings: Surroundings): Command {
  const command = new Command('list')
    .summary('list the clients')
    .description('Lists the OAuth 2.0 clients. Times are in UTC. Secrets cannot be shown.')
    .addHelpText(
      'after',
      '\nExamples:\n  annals client list\n  annals client list --json | jq -r .[].client_id',
    )
    .action(async () => {
      await using open = await openClients(command, surroundings)
      const clients = await open.clients.list()
      const now = systemClock().wallMicros()
      if (isJson(command)) printJson(surroundings, clients.map(toJson))
      else
        print(
          surroundings,
          ...table(
            heading,
            clients.map((client) => toRow(client, now)),
          ),
        )
    })
  return addClientOptions(command)
}

const heading = ['NAME', 'CLIENT ID', 'STATE', 'SCOPES', 'LAST USED', 'EXPIRES', 'SECRETS', 'MADE BY', 'FOR']

function toRow(client: Client, now: Micros): string[] {
  const { name, clientId, scopes, lastUsedAt, expiresAt, secrets, createdBy, owner, description } = client
  return [
    name,
    clientId,
    stateOf(client, now),
    scopes.join(' '),
    minute(lastUsedAt, 'never'),
    minute(expiresAt, 'never'),
    String(secrets.length),
    owner ?? createdBy,
    description,
  ]
}

function stateOf({ isEnabled, expiresAt }: Client, now: Micros): string {
  if (!isEnabled) return 'off'
  return (expiresAt ?? Infinity) <= now ? 'expired' : 'on'
}

function minute(micros: Micros | undefined, none: string): string {
  return micros === undefined ? none : formatMicros(micros).slice(0, 16).replace('T', ' ')
}

function toJson(client: Client): object {
  const { clientId, recordBounds, secrets, expiresAt, createdAt, createdBy, owner, lastUsedAt } = client
  return {
    client_id: clientId,
    name: client.name,
    description: client.description,
    scope: client.scopes.join(' '),
    records: recordBounds === undefined ? null : boundsText(recordBounds),
    enabled: client.isEnabled,
    expiresAt: timeOrNull(expiresAt),
    createdAt: formatMicros(createdAt),
    createdBy,
    owner: owner ?? null,
    lastUsedAt: timeOrNull(lastUsedAt),
    secrets: secrets.map((secret) => ({
      createdAt: formatMicros(secret.createdAt),
      expiresAt: timeOrNull(secret.expiresAt),
    })),
  }
}

function timeOrNull(micros: Micros | undefined): string | null {
  return micros === undefined ? null : formatMicros(micros)
}
