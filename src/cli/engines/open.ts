// What the commands for engines share: the flags that say where the portal's data is, the registry itself, and what
// happens after a change.

import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { type EngineChange, Registry } from '../../federation/registry.ts'
import { systemClock } from '../../ops/clock.ts'
import { authorOf } from '../account/open.ts'
import { addConfigurationOptions } from '../configuration-options.ts'
import { settleOutbox } from '../outbox.ts'
import { openPortalDatabase, type PortalDatabase } from '../portal-database.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

/** The registry of a portal's data directory, opened. */
export interface OpenRegistry extends PortalDatabase {
  readonly registry: Registry
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
  const open = await openPortalDatabase(command, surroundings)
  const { database, hostName } = open
  return {
    ...open,
    registry: new Registry({ database, clock: systemClock(), hostName, random: randomBytes }),
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
