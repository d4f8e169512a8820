// Whole small files, written so that a crash leaves either the old bytes or the new ones, and the new ones
// stay once the call has returned: temporary file, fsync, rename, fsync of the directory.

import { dirname } from 'node:path'
import { absent, type Disk } from './disk.ts'

/** The ending of files that are not finished; what is found with it at start may be removed. */
export const temporarySuffix = '.tmp'

/** Replaces a file's bytes, or makes the file. Durable when it returns. One caller at a time for each path. */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + temporarySuffix
  // A crash before the rename leaves the old file, and at most a temporary one that the next call removes.
  await disk.remove(temporary)
  const file = await disk.open(temporary, 'create')
  try {
    await file.write(bytes, 0)
    await file.datasync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
  // A crash here may bring the old file back; nobody has been told of the new one yet.
  await disk.syncDirectory(dirname(path))
}

/** A file's bytes; undefined where there is no such file. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  const file = await disk.open(path, 'read').catch(absent(undefined))
  if (file === undefined) return undefined
  try {
    const bytes = Buffer.alloc(await file.size())
    let done = 0
    while (done < bytes.length) {
      const read = await file.read(bytes.subarray(done), done)
      if (read === 0) break
      done += read
    }
    return bytes.subarray(0, done)
  } finally {
    await file.close()
  }
}
