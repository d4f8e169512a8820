// Opens what may be followed. Whoever can write in a followed directory can put a link, or a pipe, in the place of a file at
// any moment: so what counts is not what a path led to when somebody looked, but what has been opened.

import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { identityOf, keyOf } from './place.ts'

/** A file that is open, and what it was when it was opened. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly stats: BigIntStats
}

/**
 * Opens a file for reading; undefined where a path leads to something else, into the directory `except`, or to what
 * the system says of processes. Throws what the system throws.
 */
export async function openFile(path: string, except: string): Promise<OpenFile | undefined> {
  // Opening a pipe would wait until somebody writes into it.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let isGood = false
  try {
    const stats = await handle.stat({ bigint: true })
    const real = stats.isFile() ? await realPathOfOpen(handle, path, stats) : undefined
    isGood = real !== undefined && !(await liesWithin(except, real))
    return isGood ? { handle, stats } : undefined
  } finally {
    if (!isGood) await handle.close()
  }
}

/** True where a path leads, at the moment, to what `openFile` does not open because of where it lies. */
export async function isBarred(except: string, path: string): Promise<boolean> {
  const real = await realPathOf(path)
  return real !== undefined && (await liesWithin(except, real))
}

/** True for a path in a directory, however deep. */
export function isWithin(directory: string, path: string): boolean {
  return resolve(path).startsWith(resolve(directory) + sep)
}

// The environment and the memory of this process are files too.
async function liesWithin(except: string, real: string): Promise<boolean> {
  return isWithin('/proc', real) || isWithin((await realPathOf(except)) ?? except, real)
}

async function realPathOfOpen(
  handle: FileHandle,
  path: string,
  stats: BigIntStats,
): Promise<string | undefined> {
  const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined)
  if (opened !== undefined) return opened
  // Where the system does not say it, the path must still lead to what was opened.
  const real = await realpath(path)
  const there = identityOf(await stat(real, { bigint: true }))
  return keyOf(there) === keyOf(identityOf(stats)) ? real : undefined
}

function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined)
}
