// Segments as plain text files in one directory, for `cat`, `grep` and `sha256sum`:
//
//   segments/00000000000000000000.log    the text: one entry a line
//   segments/00000000000000000000.seal   its seal record, put when it will never be written again
//   head                                 the signed checkpoint
//   witnessed, contradicted              what others signed of the log (`NoteName`)
//   tile/…, index/…                      derived: may be deleted while the node is stopped
//   cut/…                                what recovery cut off
//
// Only this file and `durable-file.ts` know what a crash leaves behind on a disk.

import { dirname, join } from 'node:path'
import type { Position } from '../entry/event.ts'
import { absent, type Disk, type DiskFile, isFull } from './disk.ts'
import { readWhole, replaceFile, temporarySuffix } from './durable-file.ts'
import type { AppendOutcome, NoteName, SegmentReader, SegmentStore, StoredSegment } from './segment-store.ts'

const copyBytes = 1024 * 1024

/** Where a file store keeps its things. */
export interface FileStorePlaces {
  /** The log's directory; made where it is not there. */
  readonly directory: string
  /** Where `setAside` puts what was cut. */
  readonly cutDirectory: string
}

/** Opens the file store of a log. The caller holds the lock of the data directory (I5). */
export async function openFileSegmentStore(disk: Disk, places: FileStorePlaces): Promise<SegmentStore> {
  await disk.makeDirectory(join(places.directory, 'segments'))
  return new FileSegmentStore(disk, places)
}

class FileSegmentStore implements SegmentStore {
  readonly #disk: Disk
  readonly #places: FileStorePlaces
  readonly #segments: string
  // The one file that is open for writing.
  #active: { first: Position; file: DiskFile } | undefined

  constructor(disk: Disk, places: FileStorePlaces) {
    this.#disk = disk
    this.#places = places
    this.#segments = join(places.directory, 'segments')
  }

  async list(): Promise<readonly StoredSegment[]> {
    const names = new Set(await this.#disk.list(this.#segments))
    const segments: StoredSegment[] = []
    for (const name of [...names].sort()) {
      const first = segmentOf(name)
      if (first === undefined) continue
      const sealName = sealOf(first)
      segments.push({
        first,
        bytes: await this.#size(name),
        seal: names.has(sealName)
          ? String(await readWhole(this.#disk, join(this.#segments, sealName)))
          : undefined,
      })
    }
    return segments
  }

  async begin(first: Position): Promise<void> {
    await this.#closeActive()
    const path = this.#path(first)
    // An empty file of that name is what a call left that could not make it durable.
    await this.#removeEmpty(path)
    this.#active = { first, file: await this.#disk.open(path, 'create') }
    // A crash here may leave an empty file or none: both are a log that ends where the segment before it ends.
    await this.#disk.syncDirectory(this.#segments)
  }

  async append(first: Position, offset: number, bytes: Uint8Array): Promise<AppendOutcome> {
    let file: DiskFile | undefined
    try {
      file = await this.#openActive(first)
      // A crash here leaves any part of the bytes, its pages in any order: recovery keeps the valid prefix.
      await file.write(bytes, offset)
      await file.datasync()
      return { outcome: 'durable' }
    } catch (cause) {
      if (file === undefined || !isFull(cause)) return { outcome: 'unknown', cause }
      return await this.#takeBack(file, offset, cause)
    }
  }

  async #takeBack(file: DiskFile, offset: number, cause: unknown): Promise<AppendOutcome> {
    try {
      await file.truncate(offset)
      await file.datasync()
      return { outcome: 'full', cause }
    } catch (error) {
      return {
        outcome: 'unknown',
        cause: new AggregateError([cause, error], 'no room, and cutting back failed'),
      }
    }
  }

  async renew(first: Position, bytes: number): Promise<void> {
    await this.#closeActive()
    const path = this.#path(first)
    const temporary = path + temporarySuffix
    await this.#disk.remove(temporary)
    const copy = await this.#disk.open(temporary, 'create')
    try {
      await this.#copy(path, 0, bytes, copy)
      await copy.datasync()
    } finally {
      await copy.close()
    }
    // A crash before or after the rename leaves one whole file of that name, whose durable prefix is the same.
    await this.#disk.rename(temporary, path)
    await this.#disk.syncDirectory(this.#segments)
  }

  async setAside(first: Position, offset: number): Promise<string> {
    await this.#disk.makeDirectory(this.#places.cutDirectory)
    const taken = await this.#disk.list(this.#places.cutDirectory)
    const name = nameOf(first, `-${offset}-${taken.length}.cut`)
    const file = await this.#disk.open(join(this.#places.cutDirectory, name), 'create')
    try {
      await this.#copy(this.#path(first), offset, Number.POSITIVE_INFINITY, file)
      await file.datasync()
    } finally {
      await file.close()
    }
    await this.#disk.syncDirectory(this.#places.cutDirectory)
    return name
  }

  async seal(first: Position, record: string): Promise<void> {
    await replaceFile(this.#disk, join(this.#segments, sealOf(first)), Buffer.from(record))
  }

  async open(first: Position): Promise<SegmentReader> {
    const file = await this.#disk.open(this.#path(first), 'read')
    return {
      read: (target, offset) => file.read(target, offset),
      [Symbol.asyncDispose]: () => file.close(),
    }
  }

  getDerived(name: string): Promise<Buffer | undefined> {
    return readWhole(this.#disk, join(this.#places.directory, name))
  }

  async putDerived(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#places.directory, name)
    await this.#disk.makeDirectory(dirname(path))
    await replaceFile(this.#disk, path, bytes)
  }

  async dropDerived(name: string): Promise<void> {
    await this.#disk.remove(join(this.#places.directory, name))
  }

  async getHead(): Promise<string | undefined> {
    const bytes = await readWhole(this.#disk, join(this.#places.directory, 'head'))
    return bytes?.toString()
  }

  async putHead(head: string): Promise<void> {
    await replaceFile(this.#disk, join(this.#places.directory, 'head'), Buffer.from(head))
  }

  async getNote(name: NoteName): Promise<string | undefined> {
    return (await readWhole(this.#disk, join(this.#places.directory, name)))?.toString()
  }

  async putNote(name: NoteName, note: string): Promise<void> {
    await replaceFile(this.#disk, join(this.#places.directory, name), Buffer.from(note))
  }

  freeBytes(): number {
    return this.#disk.freeBytes(this.#places.directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeActive()
  }

  async #openActive(first: Position): Promise<DiskFile> {
    if (this.#active?.first !== first) {
      await this.#closeActive()
      this.#active = { first, file: await this.#disk.open(this.#path(first), 'write') }
    }
    return this.#active.file
  }

  async #closeActive(): Promise<void> {
    const active = this.#active
    this.#active = undefined
    await active?.file.close()
  }

  async #removeEmpty(path: string): Promise<void> {
    const file = await this.#disk.open(path, 'read').catch(absent(undefined))
    if (file === undefined) return
    const bytes = await file.size()
    await file.close()
    if (bytes === 0) await this.#disk.remove(path)
  }

  async #copy(from: string, offset: number, bytes: number, to: DiskFile): Promise<void> {
    const source = await this.#disk.open(from, 'read')
    try {
      const buffer = Buffer.allocUnsafe(copyBytes)
      for (let done = 0; done < bytes;) {
        const read = await source.read(buffer.subarray(0, Math.min(copyBytes, bytes - done)), offset + done)
        if (read === 0) {
          if (bytes === Number.POSITIVE_INFINITY) return
          throw new Error(`${from} ends at ${offset + done}, ${bytes - done} bytes short`)
        }
        await to.write(buffer.subarray(0, read), done)
        done += read
      }
    } finally {
      await source.close()
    }
  }

  async #size(name: string): Promise<number> {
    const file = await this.#disk.open(join(this.#segments, name), 'read')
    try {
      return await file.size()
    } finally {
      await file.close()
    }
  }

  #path(first: Position): string {
    return join(this.#segments, nameOf(first, '.log'))
  }
}

/** A segment's file name: twenty digits, so that names sort as positions do. */
function nameOf(first: Position, suffix: string): string {
  return String(first).padStart(20, '0') + suffix
}

function sealOf(first: Position): string {
  return nameOf(first, '.seal')
}

function segmentOf(name: string): Position | undefined {
  const digits = /^([0-9]{20})\.log$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
