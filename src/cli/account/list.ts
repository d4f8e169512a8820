// `annals account list`.

import { Command } from 'commander'
import { formatMicros } from '../../entry/time.ts'
import type { Account } from '../../identity/account.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { addAccountOptions, openAccounts } from './open.ts'

/** Makes the command. */
export function accountListCommand(surroundings: Surroundings): Command {
  const command = new Command('list')
    .summary('list the accounts')
    .description('Lists the local accounts. Times are in UTC.')
    .addHelpText('after', '\nExamples:\n  annals account list\n  annals account list --json | jq -r .[].name')
    .action(async ({ json = false }: { json?: boolean }) => {
      await using open = await openAccounts(command, surroundings)
      const accounts = await open.accounts.list()
      if (json) printJson(surroundings, accounts.map(toJson))
      else
        print(
          surroundings,
          ...table(['NAME', 'PROFILE', 'STATE', 'PASSWORD OF', 'MADE'], accounts.map(toRow)),
        )
    })
  return addAccountOptions(command)
}

function toJson(account: Account): object {
  const { name, profile, createdAt, passwordChangedAt, failures, lastFailedAt, lockedUntil } = account
  return {
    name,
    profile,
    createdAt: formatMicros(createdAt),
    passwordChangedAt: formatMicros(passwordChangedAt),
    failures,
    lastFailedAt: lastFailedAt === undefined ? null : formatMicros(lastFailedAt),
    lockedUntil: lockedUntil === undefined ? null : formatMicros(lockedUntil),
  }
}

function toRow(account: Account): string[] {
  const { name, profile, createdAt, passwordChangedAt } = account
  return [name, profile, stateOf(account), minute(passwordChangedAt), minute(createdAt)]
}

function stateOf({ failures, lockedUntil }: Account): string {
  if (lockedUntil !== undefined) return `locked until ${minute(lockedUntil)}`
  return failures === 0 ? 'open' : `open, ${failures} failed`
}

function minute(micros: number): string {
  return formatMicros(micros).slice(0, 16).replace('T', ' ')
}
