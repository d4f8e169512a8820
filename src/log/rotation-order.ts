// An order to replace the keys of a log: a small file that a command puts where whoever holds the log finds it.

import { join } from 'node:path'
import type { Micros } from '../entry/event.ts'
import { formatMicros, parseStoredTime } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { parseJsonObject } from './json-object.ts'

/** Who ordered a rotation, and when. */
export interface RotationOrder {
  /** UUID, made with the order. */
  readonly id: string
  /** As in the audit log: `*cli:<user of the operating system>`. */
  readonly actor: string
  readonly at: Micros
}

/** Puts an order into the directory of orders. Durable when it returns. One caller at a time. */
export async function putRotationOrder(disk: Disk, directory: string, order: RotationOrder): Promise<void> {
  await disk.makeDirectory(directory)
  const { id, actor, at } = order
  const text = `${JSON.stringify({ id, actor, at: formatMicros(at) })}\n`
  // A crash before the end of this leaves no order, or one whose author was not told of it: it is carried out.
  await replaceFile(disk, join(directory, orderFile), Buffer.from(text))
}

/** The order that waits; undefined where there is none. Throws INVALID_CONFIGURATION where the file is no order. */
export async function readRotationOrder(disk: Disk, directory: string): Promise<RotationOrder | undefined> {
  const bytes = await readWhole(disk, join(directory, orderFile))
  if (bytes === undefined) return undefined
  const order = parseOrder(bytes.toString())
  if (order !== undefined) return order
  throw new AnnalsError('INVALID_CONFIGURATION', `${join(directory, orderFile)} is no order: remove it`)
}

/** Takes the order away, durably. */
export async function removeRotationOrder(disk: Disk, directory: string): Promise<void> {
  await disk.remove(join(directory, orderFile))
  await disk.syncDirectory(directory)
}

const orderFile = 'rotate-log-keys.json'

function parseOrder(text: string): RotationOrder | undefined {
  const value = parseJsonObject(text)
  if (value === undefined) return undefined
  const { id, actor, at } = value
  const time = parseStoredTime(String(at))
  if (typeof id !== 'string' || typeof actor !== 'string' || time === undefined) return undefined
  return { id, actor, at: time }
}
