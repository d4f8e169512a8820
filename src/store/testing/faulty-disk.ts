// A disk in memory that does to its users what disks do: it loses at a power cut what was not synced, keeps any of
// it instead, fails to sync and then shows what it does not hold, fills up, and stops for a while.

import { dirname } from 'node:path'
import type { Disk, DiskFile } from '../disk.ts'

const pageBytes = 4096

/** What happens when something is synced: nothing special, an error, or a wait. */
export type SyncFault = (path: string) => 'fail' | Promise<void> | undefined

/** Chooses between 0 and 1, like `Math.random`; given, so that a failing run can be repeated. */
export type Chance = () => number

class Inode {
  visible: Buffer = Buffer.alloc(0)
  durable: Buffer = Buffer.alloc(0)
  // Pages that were written since they were last synced. A failed sync forgets them: the next one lies.
  readonly dirty = new Set<number>()

  touch(from: number, to: number): void {
    for (let page = Math.floor(from / pageBytes); page * pageBytes < to; page++) this.dirty.add(page)
  }
}

/** See the head of this file. */
export class FaultyDisk implements Disk {
  readonly #names = new Map<string, Inode>()
  readonly #durableNames = new Map<string, Inode>()
  readonly #directories = new Set<string>(['/'])
  // Renames of directories that no sync has made durable.
  readonly #moved: { readonly from: string; readonly to: string }[] = []
  /** Consulted by every sync of a file. */
  onSync: SyncFault = () => undefined
  /** How many bytes all files may hold. */
  capacity = Number.POSITIVE_INFINITY
  /** How many syncs there were. */
  syncs = 0

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const known = this.#names.get(path)
    if (mode === 'create') {
      if (known !== undefined) throw systemError('EEXIST', path)
      if (!this.#directories.has(dirname(path))) throw systemError('ENOENT', path)
      const inode = new Inode()
      this.#names.set(path, inode)
      return this.#file(path, inode)
    }
    if (known === undefined) throw systemError('ENOENT', path)
    return this.#file(path, known)
  }

  async list(directory: string): Promise<string[]> {
    const below = `${directory}/`
    const names = [...this.#names.keys(), ...this.#directories].filter((path) => path.startsWith(below))
    return [...new Set(names.map((path) => path.slice(below.length).split('/')[0] ?? ''))]
  }

  async makeDirectory(path: string): Promise<void> {
    for (let at = path; at !== '/'; at = dirname(at)) this.#directories.add(at)
  }

  async rename(from: string, to: string): Promise<void> {
    if (!this.#directories.has(dirname(to))) throw systemError('ENOENT', to)
    if (this.#directories.has(from)) return this.#renameDirectory(from, to)
    const inode = this.#names.get(from)
    if (inode === undefined) throw systemError('ENOENT', from)
    this.#names.delete(from)
    this.#names.set(to, inode)
  }

  #renameDirectory(from: string, to: string): void {
    if (this.paths.some((path) => isIn(to, path))) throw systemError('ENOTEMPTY', to)
    for (const name of [...this.#directories].filter((name) => isIn(from, name))) {
      this.#directories.delete(name)
      this.#directories.add(to + name.slice(from.length))
    }
    moveNames(this.#names, { from, to })
    this.#moved.push({ from, to })
  }

  async remove(path: string): Promise<void> {
    this.#names.delete(path)
  }

  async syncDirectory(path: string): Promise<void> {
    // A rename is a whole: either of the two directories takes it to the disk.
    for (const move of this.#moved.splice(0)) {
      if (dirname(move.from) === path || dirname(move.to) === path) moveNames(this.#durableNames, move)
      else this.#moved.push(move)
    }
    for (const name of this.#durableNames.keys()) if (dirname(name) === path) this.#durableNames.delete(name)
    for (const [name, inode] of this.#names) if (dirname(name) === path) this.#durableNames.set(name, inode)
  }

  freeBytes(): number {
    return Math.max(0, this.capacity - this.used)
  }

  /** The bytes of all files. */
  get used(): number {
    let bytes = 0
    for (const inode of this.#names.values()) bytes += inode.visible.length
    return bytes
  }

  /** The bytes of a file as its readers see them; undefined where there is none. */
  bytesOf(path: string): Buffer | undefined {
    return this.#names.get(path)?.visible
  }

  /** Changes a file behind everybody's back, durably. */
  damage(path: string, change: (bytes: Buffer) => Buffer): void {
    const inode = this.#names.get(path)
    if (inode === undefined) throw systemError('ENOENT', path)
    inode.visible = Buffer.from(change(Buffer.from(inode.visible)))
    inode.durable = Buffer.from(inode.visible)
  }

  /** Removes a file behind everybody's back, durably. */
  lose(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  /** The names of all files. */
  get paths(): string[] {
    return [...this.#names.keys()]
  }

  /**
   * The disk as it is after the power was cut: without anything that was not synced, or, given a chance, with any
   * pages of it, any length in between, and any of the names.
   */
  powerLoss(chance?: Chance): FaultyDisk {
    const disk = new FaultyDisk()
    for (const directory of this.#directories) disk.#directories.add(directory)
    const directories = new Map<string, ReadonlyMap<string, Inode>>()
    for (const name of [...this.#names.keys(), ...this.#durableNames.keys()]) {
      const directory = dirname(name)
      if (directories.has(directory)) continue
      directories.set(directory, chance !== undefined && chance() < 0.5 ? this.#names : this.#durableNames)
    }
    for (const [directory, names] of directories) {
      for (const [name, inode] of names)
        if (dirname(name) === directory) disk.#put(name, afterLoss(inode, chance))
    }
    return disk
  }

  #put(name: string, bytes: Buffer): void {
    for (let at = dirname(name); at !== '/'; at = dirname(at)) this.#directories.add(at)
    const inode = new Inode()
    inode.visible = bytes
    inode.durable = Buffer.from(bytes)
    this.#names.set(name, inode)
    this.#durableNames.set(name, inode)
  }

  #file(path: string, inode: Inode): DiskFile {
    let isOpen = true
    const demandOpen = () => {
      if (!isOpen) throw systemError('EBADF', path)
    }
    return {
      write: async (bytes, offset) => {
        demandOpen()
        const grown = Math.max(inode.visible.length, offset + bytes.length)
        const room = this.capacity - this.used + inode.visible.length
        // A full disk takes what it can.
        const taken = grown <= room ? bytes : bytes.subarray(0, Math.max(0, room - offset))
        const next = Buffer.alloc(Math.max(inode.visible.length, offset + taken.length))
        inode.visible.copy(next)
        next.set(taken, offset)
        inode.visible = next
        inode.touch(offset, offset + taken.length)
        if (taken.length < bytes.length) throw systemError('ENOSPC', path)
      },
      read: async (target, offset) => {
        demandOpen()
        return inode.visible.copy(target, 0, offset, offset + target.length)
      },
      datasync: async () => {
        demandOpen()
        this.syncs += 1
        const fault = this.onSync(path)
        if (fault === 'fail') {
          inode.dirty.clear()
          throw systemError('EIO', path)
        }
        await fault
        const durable = Buffer.alloc(inode.visible.length)
        inode.durable.copy(durable)
        for (const page of inode.dirty) copyPage(inode.visible, durable, page)
        inode.durable = durable
        inode.dirty.clear()
      },
      truncate: async (length) => {
        demandOpen()
        inode.visible = Buffer.from(inode.visible.subarray(0, length))
        inode.touch(Math.max(0, length - 1), length)
      },
      size: async () => inode.visible.length,
      close: async () => {
        demandOpen()
        isOpen = false
      },
    }
  }
}

function isIn(directory: string, name: string): boolean {
  return name === directory || name.startsWith(`${directory}/`)
}

function moveNames(names: Map<string, Inode>, { from, to }: { from: string; to: string }): void {
  for (const [name, inode] of [...names].filter(([name]) => isIn(from, name))) {
    names.delete(name)
    names.set(to + name.slice(from.length), inode)
  }
}

function afterLoss(inode: Inode, chance: Chance | undefined): Buffer {
  if (chance === undefined) return Buffer.from(inode.durable)
  const [short, long] = [inode.durable.length, inode.visible.length].sort((a, b) => a - b)
  const length = (short ?? 0) + Math.floor(chance() * ((long ?? 0) - (short ?? 0) + 1))
  const bytes = Buffer.alloc(length)
  inode.durable.copy(bytes)
  for (const page of inode.dirty) if (chance() < 0.5) copyPage(inode.visible, bytes, page)
  return bytes
}

function copyPage(from: Buffer, to: Buffer, page: number): void {
  const start = page * pageBytes
  // A page that was cut off has nothing to copy.
  if (start < from.length) from.copy(to, start, start, start + pageBytes)
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
