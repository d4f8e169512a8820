// The few operations of a file system that the file store needs, as a port: the tests put a disk under it that
// loses what was not synced, fails, fills up or stops (`testing/faulty-disk.ts`).

import fs from 'node:fs'
import { dirname } from 'node:path'
import { fastSyncMs, fastSyncsInARow } from '../limits.ts'

/** An open file. Offsets and lengths are in bytes. */
export interface DiskFile {
  /** Writes all of `bytes` at `offset`. Not durable before `datasync`. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** Reads at `offset` into the start of `target`: how many bytes, 0 at the end of the file. */
  read(target: Uint8Array, offset: number): Promise<number>
  /** Returns once everything written so far, and the length, is on the disk. */
  datasync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/** A file system. Errors are Node's own, with their `code` (`ENOENT`, `ENOSPC`, `EIO`, …). */
export interface Disk {
  /** `create` demands that the file is not there yet and gives it to its owner alone. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>
  /** The names in a directory, in no order; none where there is no such directory. */
  list(directory: string): Promise<string[]>
  /** Makes a directory and those above it, durably. */
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>
  /** Returns once the names in a directory are on the disk. */
  syncDirectory(path: string): Promise<void>
  /** The space that is left for us on the file system of a directory. */
  freeBytes(directory: string): number
}

// A write of this size goes to the page cache in less time than a hop to the thread pool takes.
const synchronousWriteBytes = 64 * 1024

class RealFile implements DiskFile {
  readonly #fd: number
  readonly #pace = new SyncPace()
  #unsyncedBytes = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#unsyncedBytes += bytes.length
    let done = 0
    while (done < bytes.length) {
      const rest = bytes.length - done
      done +=
        rest <= synchronousWriteBytes
          ? fs.writeSync(this.#fd, bytes, done, rest, offset + done)
          : await new Promise<number>((resolve, reject) => {
              fs.write(this.#fd, bytes, done, rest, offset + done, (error, written) =>
                error === null ? resolve(written) : reject(error),
              )
            })
    }
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, 0, target.length, offset, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      )
    })
  }

  async datasync(): Promise<void> {
    const isSmall = this.#unsyncedBytes <= synchronousWriteBytes
    this.#unsyncedBytes = 0
    const began = performance.now()
    if (isSmall && this.#pace.isFast) fs.fdatasyncSync(this.#fd)
    else await this.#syncInPool()
    this.#pace.took(performance.now() - began)
  }

  #syncInPool(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, length, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  async size(): Promise<number> {
    return fs.fstatSync(this.#fd).size
  }

  async close(): Promise<void> {
    fs.closeSync(this.#fd)
  }
}

/**
 * Whether a disk syncs so fast that waiting for it costs less than the hop to the thread pool and back, some 0.1 ms.
 * One slow sync, and the event loop does not wait for this disk again until many in a row were fast: a disk that
 * stalls holds everybody up once, and not again and again.
 */
export class SyncPace {
  #fastInARow = 0

  get isFast(): boolean {
    return this.#fastInARow >= fastSyncsInARow
  }

  /** A sync has taken so long. */
  took(ms: number): void {
    this.#fastInARow = ms <= fastSyncMs ? this.#fastInARow + 1 : 0
  }
}

const flags = { read: 'r', write: 'r+', create: 'wx+' }

/** The file system of this machine. */
export const realDisk: Disk = {
  open: (path, mode) =>
    new Promise((resolve, reject) => {
      fs.open(path, flags[mode], 0o600, (error, fd) =>
        error === null ? resolve(new RealFile(fd)) : reject(error),
      )
    }),

  async list(directory) {
    return await fs.promises.readdir(directory).catch(absent<string[]>([]))
  },

  async makeDirectory(path) {
    const first = await fs.promises.mkdir(path, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    // Each new directory is a name in the one above it, up to the one that was there before.
    for (let at = path; at.length >= first.length; at = dirname(at)) await this.syncDirectory(dirname(at))
  },

  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path).catch(absent(undefined)),

  async syncDirectory(path) {
    await using directory = await fs.promises.open(path, 'r')
    await directory.sync()
  },

  freeBytes(directory) {
    const { bavail, bsize } = fs.statfsSync(directory)
    return bavail * bsize
  },
}

/** Turns "no such file" into a value, and passes every other error on. */
export function absent<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (errorCode(error) === 'ENOENT') return value
    throw error
  }
}

/** Node's code of a system error, `ENOENT` and the like. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** True where an error says that the disk, or our share of it, is full. */
export function isFull(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}
