// What the commands for accounts share: the flags that say where the data is, the accounts themselves, and what
// happens after a change.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { type Database, openDatabase } from '../../database/database.ts'
import { AnnalsError } from '../../errors.ts'
import { type AccountChange, Accounts } from '../../identity/accounts.ts'
import { accountStates } from '../../identity/account-state.ts'
import { Hasher } from '../../identity/hasher.ts'
import { readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { systemClock } from '../../ops/clock.ts'
import { realDisk } from '../../store/disk.ts'
import { addConfigurationOptions, configurationOf } from '../configuration-options.ts'
import { settleOutbox } from '../outbox.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

/** The accounts of a data directory, opened. */
export interface OpenAccounts extends AsyncDisposable {
  readonly accounts: Accounts
  readonly database: Database
  readonly data: string
  readonly hostName: string
}

/** Who changes something, in the audit log. */
export function authorOf({ user }: Surroundings): { readonly actor: string } {
  return { actor: `*cli:${user}` }
}

/** Gives a command the flags for that. */
export function addAccountOptions(command: Command): Command {
  return addConfigurationOptions(command, ['data', 'hostName']).option('--json', 'print JSON, for programs')
}

/** Opens the accounts of a data directory that is one. Throws LOG_MISSING where it is none. */
export async function openAccounts(command: Command, surroundings: Surroundings): Promise<OpenAccounts> {
  const configuration = configurationOf(command, surroundings)
  const { data } = configuration
  const { database: file, log } = dataLayout(data)
  const description = await readDescription(realDisk, log)
  if (description === undefined && !existsSync(file)) {
    throw new AnnalsError(
      'LOG_MISSING',
      `${data} is no data directory of Annals: say where it is with --data, or make it with "annals serve"`,
    )
  }
  // The log keeps the name that it began with, whatever this machine is called.
  const hostName = description?.hostName ?? configuration.hostName
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await openDatabase(file))
  const hasher = parts.use(new Hasher())
  const readState = accountStates(database)
  const accounts = new Accounts({ database, readState, hasher, clock: systemClock(), hostName })
  const all = parts.move()
  return {
    accounts,
    database,
    data,
    hostName,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** What a change is told as. */
export interface Told {
  /** What was done, and what is so already, in a sentence. */
  readonly done: string
  readonly already?: string
  /** What `--json` says beyond the account's name. */
  readonly fields?: Readonly<Record<string, string>>
  /** Shown once. */
  readonly generatedPassword: string | undefined
}

/** Makes a change, sees to it that it is recorded, and tells the person. */
export async function changeAccount(
  command: Command,
  surroundings: Surroundings,
  change: (accounts: Accounts, by: { readonly actor: string }) => Promise<AccountChange>,
  tell: (change: AccountChange) => Told,
): Promise<void> {
  await using open = await openAccounts(command, surroundings)
  const changed = await change(open.accounts, authorOf(surroundings))
  const told = tell(changed)
  // Before anything that can fail: the change is made, and this password is nowhere else.
  sayChange(surroundings, changed, told, command.opts<{ json?: boolean }>().json === true)
  const waiting = await settleOutbox(open, changed.eventIds)
  if (waiting !== undefined) note(surroundings, `the change is made; its record still waits: ${waiting}`)
}

function sayChange(surroundings: Surroundings, change: AccountChange, told: Told, isJson: boolean): void {
  const { done, already, fields, generatedPassword: password } = told
  if (isJson) {
    const { name, isChanged: changed } = change
    return printJson(surroundings, {
      name,
      ...fields,
      changed,
      ...(password === undefined ? {} : { password }),
    })
  }
  print(surroundings, change.isChanged ? done : (already ?? done))
  if (password !== undefined) print(surroundings, `Its password, which is shown only now: ${password}`)
}
