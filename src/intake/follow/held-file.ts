// A followed file as the file system has it: opened under whatever name it has now, and held open, so that it can be read
// to its end when it is renamed or removed.

import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { openFile } from './open-file.ts'
import { identityOf, isInDoubt, isOne, type Place } from './place.ts'
import { type Recognised, recognise } from './recognise.ts'
import { filesBeside, findFile } from './rotated.ts'

/** A file that is open. */
export interface OpenedFile {
  readonly handle: FileHandle
  /** By what it was known again, where it has just been opened; `other` where it has begun again. */
  readonly known: Recognised | 'other' | undefined
}

/** Opens and closes one file. */
export class HeldFile {
  readonly #place: Place
  readonly #open: { count: number }
  readonly #except: string
  #at: string
  #handle: FileHandle | undefined

  /**
   * `open` counts what is held open; `at` is the path that the file has now, as far as is known. What lies in the directory
   * `except` is not there for it.
   */
  constructor(place: Place, open: { count: number }, at: string, except: string) {
    this.#place = place
    this.#open = open
    this.#at = at
    this.#except = except
  }

  /** The path that it was last seen at. */
  get at(): string {
    return this.#at
  }

  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** Says that the file has been seen at a path. */
  seenAt(path: string): void {
    if (this.#handle === undefined) this.#at = path
  }

  /**
   * Opens it, wherever it is, unless it is open. `gone`: it is not where it would be; `away`: nor is its directory.
   * Throws what the system throws.
   */
  async open(): Promise<OpenedFile | 'away' | 'gone'> {
    if (this.#handle !== undefined) return { handle: this.#handle, known: undefined }
    const { identity, path, isSettled } = this.#place
    // One that was rotated away does not begin again.
    const opened = (await findFile(this.#at)) && (await this.#openAt(this.#at, !isSettled))
    if (opened !== undefined) return opened
    const beside = await filesBeside(path)
    for (const file of beside ?? []) {
      const opened = file.identity.inode === identity.inode ? await this.#openAt(file.path, false) : undefined
      if (opened !== undefined) return opened
    }
    return beside === undefined ? 'away' : 'gone'
  }

  /** Its status at the path where it was seen last; undefined where it is not there. */
  async look(): Promise<BigIntStats | undefined> {
    const found = await findFile(this.#at)
    const isIt = found !== undefined && isOne(found.identity, this.#place.identity)
    return isIt ? found.stats : undefined
  }

  async close(): Promise<void> {
    const handle = this.#handle
    if (handle === undefined) return
    this.#handle = undefined
    this.#open.count -= 1
    await handle.close()
  }

  // Where it is certain that it is this file, and its bytes are others, it has begun again, if it can.
  async #openAt(path: string, canBegin: boolean): Promise<OpenedFile | undefined> {
    const opened = await openFile(path, this.#except)
    if (opened === undefined) return undefined
    const { handle, stats } = opened
    const identity = identityOf(stats)
    const isSure = !isInDoubt(identity, this.#place.identity)
    // What has been opened may not be what was there at a look.
    const isIt = canBegin && (isSure || path === this.#place.path) && isOne(identity, this.#place.identity)
    let known: Recognised | 'other' | undefined
    try {
      const isTold = isIt || this.#place.offset > 0 || isSure
      known = isTold ? await recognise(handle, stats, this.#place) : undefined
      if (isIt) known ??= 'other'
      if (known === undefined) return undefined
      if (known !== 'other') this.#place.identity = identity
      this.#at = path
      this.#handle = handle
      this.#open.count += 1
      return { handle, known }
    } finally {
      if (known === undefined) await handle.close()
    }
  }
}
