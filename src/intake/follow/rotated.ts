// Finds files that were rotated away: under which name a file is now, and which files were at a path for so short a time
// that nobody looked.

import { type BigIntStats, readdirSync, statSync } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { followNames } from '../../limits.ts'
import { errorCode } from '../../store/disk.ts'
import { openFile } from './open-file.ts'
import {
  type FileIdentity,
  type Former,
  birthOf,
  formerOf,
  identityOf,
  isInDoubt,
  keyOf,
  type Mark,
  markLength,
  markOf,
  isOne,
  type Place,
  unread,
} from './place.ts'

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

/** True where the directory of a path is not there or cannot be read, so that nobody can say what has become of its file. */
export function isAway(path: string): boolean {
  return namesIn(dirname(path)) === undefined
}

/**
 * The files in the directory of a followed path, and in those beneath it, that have another name. Undefined where that
 * directory is away.
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
  /** Files that are known. */
  readonly isKnown: (file: FoundFile) => Promise<boolean>
  /** Where files that were at the path have been read to, the earliest first. */
  readonly earlier: readonly [Place, ...Place[]]
  /** What lies in here is never read. */
  readonly except: string
}

/** A file that was missed. */
export interface MissedFile {
  readonly file: FoundFile
  /** Where it is a copy of a generation that has ended: that one, as far as the copy need not be read. */
  readonly copied: Former | undefined
}

/** The files that were at a path since it is followed and that nobody has seen there, in their order. */
export async function missedFiles(options: MissedOptions): Promise<MissedFile[]> {
  const { path, earlier, isKnown } = options
  const beside = (await filesBeside(path)) ?? []
  const missed: MissedFile[] = []
  for (const file of beside) {
    if ((await isKnown(file)) || !isRotatedName(path, file.path) || file.stats.size === 0n) continue
    if (!isSince(file, earlier[0])) continue
    const copied = await copiedBy(file, beside, options)
    if (copied !== 'present') missed.push({ file, copied })
  }
  return missed.toSorted((a, b) => Number(orderOf(a.file) - orderOf(b.file)))
}

/** True where a file still has what was read of it. */
export async function isStill({ path, identity }: FoundFile, place: Place, except: string): Promise<boolean> {
  if (place.offset === 0) return !isInDoubt(identity, place.identity)
  const opened = await openFile(path, except)
  if (opened === undefined) return false
  await using handle = opened.handle
  return (await isMarked(handle, place.head, 0)) && (await hasTail(handle, place))
}

// Made after the first one, and written to since that is followed: what was rotated away before is history.
function isSince({ identity, stats }: FoundFile, first: Place): boolean {
  if (stats.mtimeNs < BigInt(first.since) * 1_000n) return false
  const [born, firstBorn] = [birthOf(identity), birthOf(first.identity)]
  return born === undefined || firstBorn === undefined || born > firstBorn
}

function orderOf({ identity, stats }: FoundFile): bigint {
  return birthOf(identity) ?? stats.mtimeNs
}

// Somebody has copied a log: the copy begins with the same bytes as what it was copied from, and ends as that has it there.
// Where that is gone, the copy has the same where it was read last. Logs that only begin alike, with a banner, are no copies.
// `present`: what it was copied from is there, and is read itself.
async function copiedBy(
  file: FoundFile,
  beside: readonly FoundFile[],
  { path, earlier, except }: MissedOptions,
): Promise<Former | 'present' | undefined> {
  const opened = await openFile(file.path, except).catch(() => undefined)
  if (opened === undefined) return undefined
  await using handle = opened.handle
  const { size } = opened.stats
  let likely: Former | undefined
  for (const place of earlier) {
    for (const read of [place, ...place.former]) {
      if (read.offset === 0 || !(await isMarked(handle, read.head, 0))) continue
      const original = read === place ? await originalOf(place, path, beside, except) : undefined
      if (original !== undefined && (await endsAlike(handle, Number(size), original, except)))
        return 'present'
      // Unless it has begun again meanwhile, it tells that this is no copy.
      if (original !== undefined && (await isStill(original, place, except))) continue
      // Copied before it was read so far.
      if (size < BigInt(read.offset)) likely ??= unread(read)
      else if (await hasTail(handle, read)) return formerOf(read)
    }
  }
  return likely
}

async function originalOf(
  place: Place,
  path: string,
  beside: readonly FoundFile[],
  except: string,
): Promise<FoundFile | undefined> {
  const atPath = await findFile(path)
  const files = atPath === undefined ? beside : [atPath, ...beside]
  const original = files.find(({ identity }) => isOne(identity, place.identity))
  return original !== undefined && (await isStill(original, place, except)) ? original : undefined
}

// True where the last bytes of the one are what the other has there.
async function endsAlike(
  handle: FileHandle,
  size: number,
  other: FoundFile,
  except: string,
): Promise<boolean> {
  const opened = await openFile(other.path, except)
  if (opened === undefined) return false
  await using original = opened.handle
  const bytes = Buffer.alloc(markLength(size))
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, size - bytes.length)
  return await isMarked(original, markOf(bytes.subarray(0, bytesRead)), size - bytes.length)
}

function hasTail(file: FileHandle, { tail, offset }: Former): Promise<boolean> {
  return isMarked(file, tail, offset - tail.bytes)
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
