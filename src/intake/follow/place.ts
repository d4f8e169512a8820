// How far the reading of a file has got, and by what the file is known again: after a restart, under another name, and
// where its inode was given to another file meanwhile.
//
// A file's lines are identified by its `id`, which is made at random when its first byte is about to be read, and kept
// before that. It survives renames and restarts. A file that begins again (truncated, or replaced in place) gets a new
// one, so that its new lines are not taken for old ones that stood at the same offsets.

import { hash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { Micros } from '../../entry/event.ts'
import { followFormer, followMarkBytes } from '../../limits.ts'

/** Bytes by which a file is known again. */
export interface Mark {
  readonly bytes: number
  readonly sha256: string
}

/** What tells a file from others, besides its bytes. */
export interface FileIdentity {
  readonly device: string
  readonly inode: string
  /** When it was made, in nanoseconds; undefined where the file system does not say. */
  readonly born: string | undefined
  /** True where it was changed last at that moment: it is new, or the system says the one for the other. */
  readonly isFresh?: boolean
}

/** How far a generation of a file that has ended was read. */
export type Former = Pick<Place, 'id' | 'offset' | 'isWithin' | 'head' | 'tail'>

/** A place in a file. Changed only by whoever reads the file, and only after the lines before it are durable. */
export interface Place {
  /** UUID of the file in its present generation. */
  id: string
  /** The path that it was first seen at. */
  readonly path: string
  identity: FileIdentity
  /** When it was seen first, and last. */
  readonly since: Micros
  seen: Micros
  /** What stands before it is durable. */
  offset: number
  /** True where it lies within a line that comes in pieces. */
  isWithin: boolean
  /** Lines recorded, of all generations. */
  lines: number
  /** The file's size when it was last looked at. */
  size: number
  /** Its first bytes, and those before the place. */
  head: Mark
  tail: Mark
  /** How often it began again. */
  restarts: number
  /** Its last generations that ended so, the latest last: copies of them may lie beside it. */
  former: readonly Former[]
  /** True where it was rotated away and everything of it is recorded. */
  isSettled: boolean
  /**
   * When its file was changed last, in nanoseconds, where that was let go at its own path because nothing came for long, or
   * zero where its directory was away for long; undefined where it is followed.
   */
  quietSince: string | undefined
}

/** The mark of bytes. */
export function markOf(bytes: Uint8Array): Mark {
  return { bytes: bytes.length, sha256: hash('sha256', bytes) }
}

const nothing = markOf(new Uint8Array())

/** How far a generation has been read by now. */
export function formerOf({ id, offset, isWithin, head, tail }: Former): Former {
  return { id, offset, isWithin, head, tail }
}

/** Puts a place to the beginning of what is another file now, under a new id. */
export function toStart(place: Place, id: string, identity: FileIdentity): void {
  if (place.offset > 0) place.former = [...place.former, formerOf(place)].slice(-followFormer)
  place.id = id
  place.identity = identity
  place.offset = 0
  place.size = 0
  place.isWithin = false
  place.head = nothing
  place.tail = nothing
  place.restarts += 1
  place.isSettled = false
  place.quietSince = undefined
}

/** A place at the beginning of a file. */
export function placeAtStart(id: string, path: string, identity: FileIdentity, now: Micros): Place {
  return {
    id,
    path,
    identity,
    since: now,
    seen: now,
    offset: 0,
    isWithin: false,
    lines: 0,
    size: 0,
    head: nothing,
    tail: nothing,
    restarts: 0,
    former: [],
    isSettled: false,
    quietSince: undefined,
  }
}

/** The place in a copy of a generation that has ended: what was recorded of that is recorded of the copy. */
export function placeInCopy(copied: Former, path: string, identity: FileIdentity, now: Micros): Place {
  const { id, ...read } = copied
  // As a generation that followed another one it may begin with a hole.
  return { ...placeAtStart(id, path, identity, now), ...read, size: read.offset, restarts: 1 }
}

/** The same generation, of which nothing is taken to be recorded: its lines are recognised by their ids. */
export function unread({ id }: Former): Former {
  return { id, offset: 0, isWithin: false, head: nothing, tail: nothing }
}

/** True where nothing has come in a file since all of it was recorded and it was let go. */
export function isRead(place: Place, { size, mtimeNs }: BigIntStats): boolean {
  if (BigInt(place.offset) !== size) return false
  return place.quietSince === undefined ? place.isSettled : place.quietSince === String(mtimeNs)
}

/** What a file's status says of its identity. */
export function identityOf({ dev, ino, birthtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  const born = birthtimeNs > 0n ? String(birthtimeNs) : undefined
  return { device: String(dev), inode: String(ino), born, isFresh: birthtimeNs === ctimeNs }
}

/** When a file was made, in nanoseconds; undefined where that is not certain. */
export function birthOf({ born, isFresh }: FileIdentity): bigint | undefined {
  return born === undefined || isFresh === true ? undefined : BigInt(born)
}

/** The identity in one word: of two files that are there at the same time it differs. */
export function keyOf({ device, inode }: FileIdentity): string {
  return `${device}:${inode}`
}

/** False where two files were made at different moments, and so are two. */
export function mayBeSame(one: FileIdentity, other: FileIdentity): boolean {
  if (one.inode !== other.inode) return false
  return (
    one.born === undefined || other.born === undefined || one.born === other.born || isInDoubt(one, other)
  )
}

/** True where two looks saw two new files, or one on a system that does not know when it was made: its bytes must tell. */
export function isInDoubt(one: FileIdentity, other: FileIdentity): boolean {
  return one.isFresh === true && other.isFresh === true && one.born !== other.born
}

/** As `mayBeSame`, on a device that has kept its number: an inode is given to another file as soon as it is free. */
export function isOne(one: FileIdentity, other: FileIdentity): boolean {
  return one.device === other.device && mayBeSame(one, other)
}

/** How many bytes a file of so many is marked by at its beginning, and before a place in it. */
export function markLength(offset: number): number {
  return Math.min(offset, followMarkBytes)
}

/**
 * The id of a line: a UUID of version 8 (RFC 9562) from the file's id, the line's offset and its bytes. The same line
 * of the same file always gets the same, so that it is recorded once however often it is read (I4).
 */
export function lineId(fileId: string, offset: number, line: Uint8Array): string {
  const digits = hash('sha256', Buffer.concat([Buffer.from(`${fileId} ${offset} `), line]))
  return uuidOf(digits)
}

/** The id of something that is said once about a file in its present generation. */
export function noticeId(fileId: string, what: string): string {
  return uuidOf(hash('sha256', `${fileId} ${what}`))
}

function uuidOf(digits: string): string {
  const parts = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
  ]
  return `${parts.join('-')}-${digits.slice(20, 32)}`
}
