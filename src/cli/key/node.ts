// What the commands for keys share: whose they are, and where.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { AnnalsError } from '../../errors.ts'
import type { TlsPlace } from '../../federation/tls-identity.ts'
import { type LogDescription, readDescription } from '../../log/description.ts'
import { dataLayout } from '../../log/layout.ts'
import { portalComponent } from '../../server/portal-component.ts'
import { realDisk } from '../../store/disk.ts'
import { addConfigurationOptions, configurationOf } from '../configuration-options.ts'
import type { Surroundings } from '../surroundings.ts'

/** The node whose data directory was given. */
export interface KeyedNode {
  readonly data: string
  readonly description: LogDescription
  readonly tls: TlsPlace
  /** Where the node's witness keeps its keys. */
  readonly witness: string
  /** Where a portal's control database is; an engine has none. */
  readonly database: string
}

/** Gives a command the flags that say where the data is. */
export function addKeyOptions(command: Command): Command {
  return addConfigurationOptions(command, ['data']).option('--json', 'print JSON, for programs')
}

/** Finds that node. Throws LOG_MISSING where the directory holds no log. */
export async function findNode(command: Command, surroundings: Surroundings): Promise<KeyedNode> {
  const { data } = configurationOf(command, surroundings)
  const { log, tls, database, witness } = dataLayout(data)
  const description = await readDescription(realDisk, log)
  if (description === undefined) {
    throw new AnnalsError(
      'LOG_MISSING',
      `${data} is no data directory of Annals: say with --data where that of a portal or of an engine is`,
    )
  }
  // The log keeps the name that it began with, whatever this machine is called.
  const place = { disk: realDisk, directory: tls, hostName: description.hostName }
  return { data, description, tls: place, witness, database }
}

/** The name in the header of the entries of its log's own. */
export function componentOf({ database, description }: Pick<KeyedNode, 'database' | 'description'>): string {
  // A portal has a database; an engine names itself.
  return existsSync(database) ? portalComponent : description.hostName
}
