// The authorization servers of others that a portal accepts tokens of: from their file to what verifies their tokens,
// at the start and again at SIGHUP.

import type { Configuration } from '../config/configuration.ts'
import { readIssuersFile } from '../config/issuers-file.ts'
import type { AuditEvent } from '../entry/event.ts'
import { isUnrecordable } from '../errors.ts'
import type { Clock } from '../identity/clock.ts'
import { issuerChanged } from '../identity/issuer-events.ts'
import { ExternalIssuers } from '../identity/issuers.ts'
import { issuerPath } from '../identity/oauth-paths.ts'
import type { Logger } from '../ops/logger.ts'
import { warnUnrecorded } from './node.ts'

/** What they need of a portal. */
export interface ExternalIssuersNode {
  readonly configuration: Pick<Configuration, 'issuersFile' | 'hostName'>
  readonly clock: Clock
  readonly logger: Logger
  readonly record: (event: AuditEvent) => Promise<void>
  /** Where the portal is reached, as far as that is known: its own issuer cannot be one of others. */
  readonly publicUrl: () => string
}

/** What verifies the tokens of others, and what reads their file again; `reload` is undefined where there is none. */
export interface ServedIssuers extends AsyncDisposable {
  readonly issuers: ExternalIssuers
  /** Throws INVALID_CONFIGURATION where the file is wrong: then everything stays as it was. */
  readonly reload: (() => Promise<void>) | undefined
}

/** Reads the file, where the configuration names one, and records whom it lists. */
export async function openExternalIssuers(node: ExternalIssuersNode): Promise<ServedIssuers> {
  const { configuration, clock, logger } = node
  const { issuersFile: file } = configuration
  const read = (path: string) => readIssuersFile(path, `${node.publicUrl()}${issuerPath}`)
  const issuers = new ExternalIssuers({ issuers: file === undefined ? [] : read(file), clock })
  for (const { issuer } of issuers.list) await recordChange(node, issuer, 'configured')
  const reload = async (path: string): Promise<void> => {
    const changes = await issuers.replace(read(path))
    for (const { issuer, change } of changes) await recordChange(node, issuer, change)
    logger.info({ changes }, 'the authorization servers of others were read again')
  }
  return {
    issuers,
    reload: file === undefined ? undefined : () => reload(file),
    [Symbol.asyncDispose]: () => issuers[Symbol.asyncDispose](),
  }
}

// As with the phases of a node's life: where there is no room to record, it goes on (I9).
async function recordChange(
  { configuration: { hostName }, record, logger }: ExternalIssuersNode,
  ...[issuer, change]: [issuer: string, change: Parameters<typeof issuerChanged>[2]]
): Promise<void> {
  await record(issuerChanged(hostName, issuer, change)).catch((error: unknown) => {
    if (!isUnrecordable(error)) throw error
    warnUnrecorded(logger, error)
  })
}
