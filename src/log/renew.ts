// A log ends and another one begins in its place: after a theft of its keys, and where it is not what it was, restored
// from a backup or rolled back. What was signed is never contradicted (I10): the old log is closed at its last checkpoint,
// nothing is signed with its keys any more, and the new one says in its first entry what it continues.
//
//   log.renewed/     the new log: its keys and its description. Nothing names it yet
//   renewal.json     the intent: from here on the old log is closed, whatever happens
//   log/key*.pem     removed
//   log/             becomes logs/<old id>/
//   portal.json      goes there too: an engine has to join again, with its new log
//   log.renewed/     becomes log/
//   renewal.json     becomes logs/<old id>/closed.json
//
// A crash before the intent is durable leaves the old log; behind it, whoever opens the log or renews it again goes on
// with the next step. The caller holds the lock of the data directory (I5).

import { join } from 'node:path'
import type { LogId, Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { absent } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { emptyRoot } from '../tree/hash.ts'
import { type ClosingReason, type Continues, formatContinues, parseContinues } from './continues.ts'
import {
  createDescription,
  type LogDescription,
  noteKeysOf,
  originOf,
  readDescription,
} from './description.ts'
import { parseJsonObject } from './json-object.ts'
import { dataLayout } from './layout.ts'
import { readStoredHead, type StoredHead } from './stored-head.ts'

/** What was closed, and what goes on. */
export interface Renewal {
  readonly continues: Continues
  readonly next: LogId
}

/** How to renew a log. */
export interface RenewOptions {
  readonly disk: Disk
  readonly data: string
  readonly reason: ClosingReason
  readonly actor: string
  readonly now: Micros
}

/**
 * Closes the log of a data directory and puts a new one in its place, which is begun when it is opened. One renewal that was
 * interrupted is ended, and no other begun. Throws LOG_MISSING, and LOG_DAMAGED where nothing says how far the log goes.
 */
export async function renewLog(options: RenewOptions): Promise<Renewal> {
  const { disk, data, now, reason, actor } = options
  const interrupted = await finishRenewal(disk, data)
  if (interrupted !== undefined) return interrupted
  const { log } = dataLayout(data)
  const description = await readDescription(disk, log)
  if (description === undefined) throw new AnnalsError('LOG_MISSING', `there is no audit log in ${data}`)
  const { id, hostName, continues: before } = description
  const { closing, head } = await closingOf(disk, log, description, reason)
  // It has not begun: a renewal has just ended, and whoever ordered it was not told.
  if (before !== undefined && head === undefined) return { continues: before, next: id }
  const { size, root } = closing ?? { size: 0, root: emptyRoot }
  const isWitnessed = closing !== undefined && closing !== head
  const unproved = Math.max(0, (head?.size ?? 0) - size)
  const continues = { log: id, size, root, unproved, isWitnessed, reason, actor, at: now }
  const next = await createDescription(disk, nextDirectory(data), { hostName, created: now, continues })
  const renewal = { continues, next: next.id }
  await replaceFile(disk, dataLayout(data).renewal, formatIntent(renewal))
  await disk.syncDirectory(data)
  return (await finishRenewal(disk, data)) ?? renewal
}

/**
 * Ends a renewal that was interrupted, or was just begun; undefined where there is none. Whoever opens a log calls it
 * first.
 */
export async function finishRenewal(disk: Disk, data: string): Promise<Renewal | undefined> {
  const bytes = await readWhole(disk, dataLayout(data).renewal)
  if (bytes === undefined) return undefined
  const renewal = parseIntent(bytes.toString())
  if (renewal === undefined) throw damaged(`${dataLayout(data).renewal} is not readable`)
  const { log, logs } = dataLayout(data)
  const closed = join(logs, renewal.continues.log)
  if ((await readDescription(disk, log))?.id === renewal.continues.log) {
    await destroyKeys(disk, log)
    await disk.makeDirectory(logs)
    await move(disk, log, closed)
  }
  await move(disk, join(data, 'portal.json'), join(closed, 'portal.json'))
  await move(disk, nextDirectory(data), log)
  await move(disk, dataLayout(data).renewal, join(closed, 'closed.json'))
  return renewal
}

interface Closing {
  readonly closing: StoredHead | undefined
  readonly head: StoredHead | undefined
}

// A thief can have signed whatever no witness has seen: then the last checkpoint that one has seen counts, where there is
// such. Otherwise the last one counts.
async function closingOf(
  disk: Disk,
  directory: string,
  description: LogDescription,
  reason: ClosingReason,
): Promise<Closing> {
  const head = await storedCheckpoint(disk, join(directory, 'head'), description)
  const witnessed = await storedCheckpoint(disk, join(directory, 'witnessed'), description)
  if (typeof witnessed === 'object' && (reason === 'revoked' || typeof head === 'string'))
    return { closing: witnessed, head: typeof head === 'string' ? undefined : head }
  if (typeof head === 'string') throw damaged(head)
  return { closing: head, head }
}

async function storedCheckpoint(
  disk: Disk,
  file: string,
  description: LogDescription,
): Promise<StoredHead | string | undefined> {
  const bytes = await readWhole(disk, file)
  return bytes && readStoredHead(bytes.toString(), originOf(description), noteKeysOf(description))
}

async function destroyKeys(disk: Disk, directory: string): Promise<void> {
  for (const name of await disk.list(directory))
    if (/^key.*\.pem(\.tmp)?$/.test(name)) await disk.remove(join(directory, name))
  await disk.syncDirectory(directory)
}

// What is not there any more was moved before.
async function move(disk: Disk, from: string, to: string): Promise<void> {
  const isThere = await disk.rename(from, to).then(() => true, absent(false))
  if (!isThere) return
  await disk.syncDirectory(join(to, '..'))
  await disk.syncDirectory(join(from, '..'))
}

function nextDirectory(data: string): string {
  return `${dataLayout(data).log}.renewed`
}

function formatIntent({ continues, next }: Renewal): Buffer {
  const text = { format, closed: formatContinues(continues), next }
  return Buffer.from(`${JSON.stringify(text, undefined, 2)}\n`)
}

function parseIntent(text: string): Renewal | undefined {
  const value = parseJsonObject(text)
  if (value === undefined) return undefined
  const { format: written, closed, next } = value
  const continues = parseContinues(closed)
  if (written !== format || continues === undefined || typeof next !== 'string') return undefined
  return { continues, next: next as LogId }
}

const format = 'annals renewal v1'

function damaged(detail: string): AnnalsError {
  return new AnnalsError('LOG_DAMAGED', `the audit log is damaged and is not renewed: ${detail}`, { detail })
}
