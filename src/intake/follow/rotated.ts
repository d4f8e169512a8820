// Finds files that were rotated away: under which name a file is now, and which files were at a path for so short a time
// that nobody looked.

import { type BigIntStats, readdirSync, statSync } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Micros } from '../../entry/event.ts'
import { followNames } from '../../limits.ts'
import { errorCode } from '../../store/disk.ts'
import { openFile } from './open-file.ts'
import { type FileIdentity, identityOf, keyOf, type Mark, markOf, type Place } from './place.ts'

/** A file that is there. */
export interface FoundFile {
  readonly path: string
  readonly stats: BigIntStats
  readonly identity: FileIdentity
}

/** True for what rotation leaves compressed: that is no text any more, and was followed before. */
export function isCompressed(path: string): boolean {
  return /\.(?:gz|xz|zst|bz2|lz4|zip|Z)$/.test(path)
}

/** The file at a path; undefined where there is none, or something that is no file. Throws what the system throws. */
export async function findFile(path: string): Promise<FoundFile | undefined> {
  const stats = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isAbsent(error)) return undefined
    throw error
  })
  return stats?.isFile() === true ? { path, stats, identity: identityOf(stats) } : undefined
}

/**
 * The files in the directory of a followed path, and in those beneath it, that have another name. Undefined where that
 * directory is not there or cannot be read, so that nobody can say what has become of a file.
 */
export async function filesBeside(path: string): Promise<FoundFile[] | undefined> {
  const found = new Map<string, FoundFile>()
  // What is renamed while a directory is read may be left out. So it is read until nothing new is there.
  for (let looks = 0; looks < directoryLooks; looks++) {
    const known = found.size
    const hasVanished = await lookBeside(path, found)
    if (hasVanished === undefined) return undefined
    if (looks > 0 && found.size === known && !hasVanished) break
  }
  return [...found.values()].filter((file) => file.path !== path)
}

const directoryLooks = 6

// True where a name was there and its file was not any more.
async function lookBeside(path: string, found: Map<string, FoundFile>): Promise<boolean | undefined> {
  const directory = dirname(path)
  const names = namesIn(directory)
  if (names === undefined) return undefined
  let hasVanished = await addFiles(found, directory, names.files)
  for (const below of names.directories) {
    const inside = join(directory, below)
    hasVanished = (await addFiles(found, inside, namesIn(inside)?.files ?? [])) || hasVanished
  }
  return hasVanished
}

// Without giving way to anything else, so that little can be renamed meanwhile.
const namesAtOnce = 500

async function addFiles(
  found: Map<string, FoundFile>,
  directory: string,
  names: readonly string[],
): Promise<boolean> {
  let hasVanished = false
  for (const [k, name] of names.entries()) {
    if (k % namesAtOnce === namesAtOnce - 1) await setImmediate()
    const path = join(directory, name)
    const stats = statusOf(path)
    if (stats === undefined) hasVanished = true
    else if (stats.isFile()) found.set(keyOf(identityOf(stats)), { path, stats, identity: identityOf(stats) })
  }
  return hasVanished
}

// One that cannot be looked at is none that we could read.
function statusOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return undefined
  }
}

function namesIn(directory: string): { files: string[]; directories: string[] } | undefined {
  try {
    const entries = readdirSync(directory, { withFileTypes: true }).slice(0, followNames)
    return {
      files: entries.filter((entry) => entry.isFile()).map(({ name }) => name),
      directories: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return undefined
  }
}

/** True for a name that rotation gives to a file of that path: `audit.log.1`, `audit.log-20251210`, `audit-20251210.log`. */
export function isRotatedName(path: string, other: string): boolean {
  const name = basename(path)
  const candidate = basename(other)
  if (isCompressed(candidate)) return false
  if (candidate.startsWith(name)) return /^[-._~]/.test(candidate.slice(name.length))
  const extension = extname(name)
  const stem = name.slice(0, name.length - extension.length)
  if (extension === '' || !candidate.startsWith(stem) || !candidate.endsWith(extension)) return false
  return /^[-._]?[0-9][-._:0-9TZ]*$/.test(candidate.slice(stem.length, candidate.length - extension.length))
}

/** What must be known to tell which files were missed. */
export interface MissedOptions {
  /** The followed path. */
  readonly path: string
  /** The first file that is known to have been there, and since when it was followed. */
  readonly first: FileIdentity
  readonly since: Micros
  /** Files that are known, and by what their copies are. */
  readonly isKnown: (file: FoundFile) => boolean
  readonly originals: readonly Original[]
  /** What lies in here is never read. */
  readonly except: string
}

/** By what a copy of a file is known: the marks of its beginning and of what was read last. */
export type Original = Pick<Place, 'head' | 'tail' | 'offset'>

/** The files that were at a path since it is followed and that nobody has seen there, in their order. */
export async function missedFiles(options: MissedOptions): Promise<FoundFile[]> {
  const { path, first, since, isKnown, originals, except } = options
  const missed: FoundFile[] = []
  for (const file of (await filesBeside(path)) ?? []) {
    if (isKnown(file) || !isRotatedName(path, file.path) || file.stats.size === 0n) continue
    if (isSince(file, first, since) && !(await isCopy(file, originals, except))) missed.push(file)
  }
  return missed.toSorted((a, b) => Number(orderOf(a) - orderOf(b)))
}

// Made after the first one, and written to since that is followed: what was rotated away before is history.
function isSince({ identity, stats }: FoundFile, first: FileIdentity, since: Micros): boolean {
  if (stats.mtimeNs < BigInt(since) * 1_000n) return false
  return first.born === undefined || identity.born === undefined || BigInt(identity.born) > BigInt(first.born)
}

function orderOf({ identity, stats }: FoundFile): bigint {
  return identity.born === undefined ? stats.mtimeNs : BigInt(identity.born)
}

// Somebody has copied a log: the copy begins with the same bytes as what it was copied from, and has the same where that was
// read last. Logs that only begin alike, with a banner, are no copies.
async function isCopy({ path }: FoundFile, originals: readonly Original[], except: string): Promise<boolean> {
  const opened = await openFile(path, except).catch(() => undefined)
  if (opened === undefined) return false
  await using file = opened.handle
  for (const { head, tail, offset } of originals) {
    if (head.bytes === 0 || tail.bytes === 0) continue
    if ((await isMarked(file, head, 0)) && (await isMarked(file, tail, offset - tail.bytes))) return true
  }
  return false
}

async function isMarked(file: FileHandle, mark: Mark, at: number): Promise<boolean> {
  const buffer = Buffer.alloc(mark.bytes)
  const { bytesRead } = await file.read(buffer, 0, mark.bytes, at)
  return bytesRead === mark.bytes && markOf(buffer).sha256 === mark.sha256
}

/** True where an error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
