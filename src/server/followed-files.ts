// The files that a node follows, as its configuration says.

import { join } from 'node:path'
import { readFollowMappingsFile } from '../config/follow-mappings-file.ts'
import { type FollowedFiles, followFiles } from '../intake/follow/follow-files.ts'
import type { Intake } from '../intake/intake.ts'
import { realDisk } from '../store/disk.ts'
import type { NodeBase, NodeOptions } from './node.ts'

/** Where in the data directory the places in followed files are kept. */
const directoryName = 'follow'

/**
 * Follows files until `parts` is disposed of; undefined where none is to be followed. Throws INVALID_CONFIGURATION where
 * the mappings cannot be used, and STORAGE_FAILED where the places cannot be read.
 */
export async function openFollowedFiles(
  parts: AsyncDisposableStack,
  { record }: Pick<NodeBase, 'record'>,
  { configuration, clock, logger }: NodeOptions,
  intake: Intake,
): Promise<FollowedFiles | undefined> {
  const { follow, followMappingFile, data, timeZone } = configuration
  const mappings = followMappingFile === undefined ? [] : readFollowMappingsFile(followMappingFile)
  if (follow.length === 0) return undefined
  return parts.use(
    await followFiles({
      patterns: follow,
      mappings,
      directory: join(data, directoryName),
      except: data,
      disk: realDisk,
      intake,
      timeZone,
      clock,
      logger,
      recordSelf: record,
    }),
  )
}
