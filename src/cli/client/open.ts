// What the commands for clients share: the clients of a data directory, and what happens after a change.

import { randomBytes } from 'node:crypto'
import { type FileHandle, open as openFile, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import { accountPermission } from '../../identity/account-permission.ts'
import { accountStates } from '../../identity/account-state.ts'
import { type ClientChange, Clients, type ClientWithSecret } from '../../identity/clients.ts'
import { systemClock } from '../../ops/clock.ts'
import { authorOf } from '../account/open.ts'
import { addConfigurationOptions } from '../configuration-options.ts'
import { settleOutbox } from '../outbox.ts'
import { openPortalDatabase, type PortalDatabase } from '../portal-database.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

/** The clients of a portal's data directory, opened. */
export interface OpenClients extends PortalDatabase {
  readonly clients: Clients
}

/** Who makes changes here. */
export type CommandAuthor = ReturnType<typeof authorOf>

/** Gives a command the flags that say where the data is. */
export function addClientOptions(command: Command): Command {
  return addConfigurationOptions(command, ['data', 'hostName']).option('--json', 'print JSON, for programs')
}

/** Gives a command the flag for where a new secret goes. */
export function addSecretFileOption(command: Command): Command {
  return command.option(
    '--secret-file <FILE>',
    'write the secret into a new file (0600) instead of printing it',
  )
}

/** Opens the clients of a portal's data directory. Throws LOG_MISSING where the directory is none. */
export async function openClients(command: Command, surroundings: Surroundings): Promise<OpenClients> {
  const open = await openPortalDatabase(command, surroundings)
  const { database, hostName } = open
  const accountMay = accountPermission(accountStates(database))
  const clients = new Clients({ database, clock: systemClock(), hostName, random: randomBytes, accountMay })
  return { ...open, clients }
}

/** Makes a change, tells the person, and sees to it that it is recorded. */
export async function changeClient(
  command: Command,
  surroundings: Surroundings,
  change: (clients: Clients, by: CommandAuthor) => Promise<ClientChange>,
  tell: (name: string) => { readonly done: string; readonly already?: string },
): Promise<void> {
  await using open = await openClients(command, surroundings)
  const { clientId, name, isChanged, eventIds } = await change(open.clients, authorOf(surroundings))
  const { done, already = done } = tell(name)
  if (isJson(command)) printJson(surroundings, { client_id: clientId, name, changed: isChanged })
  else print(surroundings, isChanged ? done : already)
  await settle(open, surroundings, eventIds)
}

/** Makes a change that makes a secret, and hands that out, once. */
export async function changeSecret(
  command: Command,
  surroundings: Surroundings,
  change: (clients: Clients, by: CommandAuthor) => Promise<ClientWithSecret>,
  tell: (name: string) => readonly string[],
): Promise<void> {
  await using open = await openClients(command, surroundings)
  const { secretFile } = command.opts<{ secretFile?: string }>()
  const path = secretFile === undefined ? undefined : resolve(surroundings.directory, secretFile)
  const made = await withFile(path, () => change(open.clients, authorOf(surroundings)))
  // Before anything that can fail: the secret is nowhere else.
  if (isJson(command)) printJson(surroundings, toJson(made, path))
  else print(surroundings, ...toLines(made, path, tell(made.name)))
  await settle(open, surroundings, made.eventIds)
}

function toJson({ clientId, name, clientSecret }: ClientWithSecret, path: string | undefined): object {
  const secret = path === undefined ? { client_secret: clientSecret } : { client_secret_file: path }
  return { client_id: clientId, name, ...secret }
}

function toLines(
  { clientId, clientSecret }: ClientWithSecret,
  path: string | undefined,
  told: readonly string[],
): string[] {
  return [
    ...told,
    '',
    `  client id      ${clientId}`,
    `  client secret  ${path === undefined ? clientSecret : `in ${path}`}`,
    ...(path === undefined ? ['', 'The secret is shown only now.'] : []),
  ]
}

// The file is made first, so that no secret is made that then has no place. It never takes that of another file.
async function withFile(
  path: string | undefined,
  make: () => Promise<ClientWithSecret>,
): Promise<ClientWithSecret> {
  if (path === undefined) return await make()
  await using file = await newFile(path)
  try {
    const made = await make()
    await file.writeFile(`${made.clientSecret}\n`)
    await file.sync()
    return made
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function newFile(path: string): Promise<FileHandle> {
  return await openFile(path, 'wx', 0o600).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_INPUT', `the secret's file cannot be made: ${why}`, { cause })
  })
}

async function settle(
  open: OpenClients,
  surroundings: Surroundings,
  eventIds: readonly string[],
): Promise<void> {
  const waiting = await settleOutbox(open, eventIds)
  if (waiting !== undefined) note(surroundings, `the change is made; its record still waits: ${waiting}`)
}

/** Whether `--json` was given. */
export function isJson(command: Command): boolean {
  return command.opts<{ json?: boolean }>().json === true
}
