// Whether an open file is the one that a place is in: by its inode, by when it was made, and by the bytes at its beginning
// and before the place.

import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { identityOf, type Mark, markOf, mayBeSame, type Place } from './place.ts'

/** The bytes by which it is known. */
export interface Recognised {
  readonly beginning: Buffer
  readonly before: Buffer
}

/** The bytes, where it is the one; undefined where it is another, or has begun again. */
export async function recognise(
  handle: FileHandle,
  stats: BigIntStats,
  place: Place,
): Promise<Recognised | undefined> {
  const identity = identityOf(stats)
  // A device may have another number after a restart of the machine; then the bytes must tell.
  const isOnDevice = identity.device === place.identity.device || place.offset > 0
  if (!isOnDevice || !mayBeSame(identity, place.identity) || stats.size < BigInt(place.offset))
    return undefined
  const beginning = await readMarked(handle, place.head, 0)
  const before = await readMarked(handle, place.tail, place.offset - place.tail.bytes)
  return beginning === undefined || before === undefined ? undefined : { beginning, before }
}

async function readMarked(handle: FileHandle, mark: Mark, offset: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(mark.bytes)
  const { bytesRead } = await handle.read(bytes, 0, mark.bytes, offset)
  return markOf(bytes.subarray(0, bytesRead)).sha256 === mark.sha256 ? bytes : undefined
}
