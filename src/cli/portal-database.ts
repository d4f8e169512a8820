// The control database of a portal's data directory, opened for a command beside a running portal or without one.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Configuration } from '../config/configuration.ts'
import { openDatabase } from '../database/database.ts'
import { AnnalsError } from '../errors.ts'
import { readDescription } from '../log/description.ts'
import { dataLayout } from '../log/layout.ts'
import { realDisk } from '../store/disk.ts'
import { configurationOf } from './configuration-options.ts'
import type { OutboxPlace } from './outbox.ts'
import type { Surroundings } from './surroundings.ts'

/** Such a database, and where its outbox belongs. */
export interface PortalDatabase extends OutboxPlace, AsyncDisposable {
  readonly configuration: Configuration
}

/** Opens it. Throws LOG_MISSING where the directory is none of a portal. */
export async function openPortalDatabase(
  command: Command,
  surroundings: Surroundings,
): Promise<PortalDatabase> {
  const configuration = configurationOf(command, surroundings)
  const { data } = configuration
  const { database: file, log } = dataLayout(data)
  // An engine has a log too, but no accounts, clients and engines.
  if (!existsSync(file)) {
    throw new AnnalsError(
      'LOG_MISSING',
      `${data} is no data directory of a portal: say where it is with --data, or make it with "annals serve"`,
    )
  }
  // The log keeps the name that it began with, whatever this machine is called.
  const hostName = (await readDescription(realDisk, log))?.hostName ?? configuration.hostName
  const database = await openDatabase(file)
  return { configuration, database, data, hostName, [Symbol.asyncDispose]: () => database.close() }
}
