// What the commands for profiles and roles share: those of a data directory, and what happens after a change.

import type { Command } from 'commander'
import { type ProfileChange, Profiles } from '../../identity/profiles.ts'
import { systemClock } from '../../ops/clock.ts'
import { authorOf } from '../account/open.ts'
import { addConfigurationOptions } from '../configuration-options.ts'
import { settleOutbox } from '../outbox.ts'
import { openPortalDatabase, type PortalDatabase } from '../portal-database.ts'
import { note, print, printJson, type Surroundings } from '../surroundings.ts'

/** The profiles of a portal's data directory, opened. */
export interface OpenProfiles extends PortalDatabase {
  readonly profiles: Profiles
}

/** Gives a command the flags that say where the data is. */
export function addProfileOptions(command: Command): Command {
  return addConfigurationOptions(command, ['data', 'hostName']).option('--json', 'print JSON, for programs')
}

/** Opens the profiles of a portal's data directory. Throws LOG_MISSING where the directory is none. */
export async function openProfiles(command: Command, surroundings: Surroundings): Promise<OpenProfiles> {
  const open = await openPortalDatabase(command, surroundings)
  const { database, hostName } = open
  return { ...open, profiles: new Profiles({ database, clock: systemClock(), hostName }) }
}

/** Makes a change, tells the person, and sees to it that it is recorded. */
export async function changeProfile(
  command: Command,
  surroundings: Surroundings,
  change: (profiles: Profiles, by: { readonly actor: string }) => Promise<ProfileChange>,
  tell: { readonly done: string; readonly already?: string },
): Promise<void> {
  await using open = await openProfiles(command, surroundings)
  const { name, isChanged, eventIds } = await change(open.profiles, authorOf(surroundings))
  const { done, already = done } = tell
  if (isJson(command)) printJson(surroundings, { name, changed: isChanged })
  else print(surroundings, isChanged ? done : already)
  const waiting = await settleOutbox(open, eventIds)
  if (waiting !== undefined) note(surroundings, `the change is made; its record still waits: ${waiting}`)
}

/** Whether `--json` was given. */
export function isJson(command: Command): boolean {
  return command.opts<{ json?: boolean }>().json === true
}
