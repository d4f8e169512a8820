// What the commands for engines share: the flags that say where the portal's data is, the registry itself, and what
// happens after a change.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Configuration } from '../../config/configuration.ts'
import { openDatabase } from '../../database/database.ts'
import { AnnalsError } from '../../errors.ts'
import { type EngineChange, Registry } from '../../federation/registry.ts'
import { readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { systemClock } from '../../ops/clock.ts'
import { realDisk } from '../../store/disk.ts'
import { authorOf } from '../account/open.ts'
import { addConfigurationOptions, configurationOf } from '../configuration-options.ts'
import { type OutboxPlace, settleOutbox } from '../outbox.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

/** The registry of a portal's data directory, opened. */
export interface OpenRegistry extends OutboxPlace, AsyncDisposable {
  readonly registry: Registry
  readonly configuration: Configuration
}

/** Gives a command the flags for that, and those for further settings. */
export function addEnginesOptions(command: Command, settings: readonly string[] = []): Command {
  return addConfigurationOptions(command, ['data', 'hostName', ...settings]).option(
    '--json',
    'print JSON, for programs',
  )
}

/** Opens the registry of a portal's data directory. Throws LOG_MISSING where the directory is none. */
export async function openRegistry(command: Command, surroundings: Surroundings): Promise<OpenRegistry> {
  const configuration = configurationOf(command, surroundings)
  const { data } = configuration
  const { database: file, log } = dataLayout(data)
  // An engine has a log too, but no accounts and no engines.
  if (!existsSync(file)) {
    throw new AnnalsError(
      'LOG_MISSING',
      `${data} is no data directory of a portal: say where it is with --data, or make it with "annals serve"`,
    )
  }
  // The log keeps the name that it began with, whatever this machine is called.
  const hostName = (await readDescription(realDisk, log))?.hostName ?? configuration.hostName
  const database = await openDatabase(file)
  const registry = new Registry({ database, clock: systemClock(), hostName, random: randomBytes })
  return {
    registry,
    configuration,
    database,
    data,
    hostName,
    [Symbol.asyncDispose]: () => database.close(),
  }
}

/** Makes a change, tells the person, and sees to it that it is recorded. */
export async function changeEngine(
  command: Command,
  surroundings: Surroundings,
  change: (registry: Registry, by: { readonly actor: string }) => Promise<EngineChange>,
  tell: (name: string) => { readonly done: string; readonly already: string },
): Promise<void> {
  await using open = await openRegistry(command, surroundings)
  const { name, isChanged, eventIds } = await change(open.registry, authorOf(surroundings))
  const { done, already } = tell(name)
  if (isJson(command)) printJson(surroundings, { hostName: name, changed: isChanged })
  else print(surroundings, isChanged ? done : already)
  await settle(open, surroundings, eventIds)
}

/** Sees to it that a change is recorded, and says so where that still waits. */
export async function settle(
  open: OpenRegistry,
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
