// The directory that holds everything of a node: made for its owner alone, and looked at when it is there already.

import { stat } from 'node:fs/promises'
import { AnnalsError } from '../errors.ts'

/**
 * Makes a data directory where there is none, by `make`, which gives it to its owner alone (0700) and is durable.
 * Returns what the operator should know of one that is there. Throws INVALID_CONFIGURATION where it cannot be made,
 * or where every user of the machine may write in it: whoever can, can put another log in the place of this one.
 */
export async function prepareDataDirectory(
  path: string,
  make: (path: string) => Promise<void>,
): Promise<readonly string[]> {
  try {
    await make(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_CONFIGURATION', `the data directory ${path} cannot be made: ${why}`, {
      cause,
    })
  }
  const { mode } = await stat(path)
  if ((mode & 0o002) !== 0) {
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `every user of this machine may write in the data directory ${path}: chmod 700 ${path}`,
    )
  }
  return (mode & 0o077) === 0
    ? []
    : [`other users of this machine can look into the data directory ${path}: chmod 700 ${path}`]
}
