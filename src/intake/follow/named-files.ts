// The files that are there under the followed patterns, as one look finds them. What is not there, or cannot be looked at,
// is said once.

import { opendir } from 'node:fs/promises'
import { followLooks, followPaths } from '../../limits.ts'
import { errorCode } from '../../store/disk.ts'
import type { FollowLogger } from './followed-file.ts'
import { isWithin } from './open-file.ts'
import { directoryOf, pathsNamed } from './patterns.ts'
import { findFile, type FoundFile, isCompressed } from './rotated.ts'

/** What a look has found. */
export interface NamedLook {
  /** Each once, in the order of the patterns. */
  readonly files: readonly FoundFile[]
  /** True where there are more paths than are looked at. */
  readonly isCut: boolean
}

/** Looks for files. */
export class NamedFiles {
  readonly #patterns: readonly string[]
  readonly #except: string
  readonly #logger: FollowLogger
  readonly #said = new Set<string>()
  readonly #told = new Set<string>()
  readonly #most: number

  /** `patterns` are absolute. What lies in the directory `except` is not there. At most so many paths are looked at. */
  constructor(patterns: readonly string[], except: string, logger: FollowLogger, most = followPaths) {
    this.#patterns = patterns
    this.#except = except
    this.#logger = logger
    this.#most = most
  }

  /** How many paths cannot be looked at, as far as is known. */
  get problems(): number {
    return this.#said.size
  }

  /** Looks. Throws what the system throws where it is about no single path. */
  async look(): Promise<NamedLook> {
    const seen = new Set<string>()
    const files: FoundFile[] = []
    for (const pattern of this.#patterns) {
      const isWanted = (path: string) =>
        !seen.has(path) && !isCompressed(path) && !isWithin(this.#except, path)
      // What is not wanted takes no place: rotated files that are compressed may be many more than the others.
      const paths = await pathsNamed(pattern, this.#most - seen.size, isWanted)
      for (const path of paths) seen.add(path)
      const found = await this.#find(paths)
      if (found.length === 0) await this.#sayNone(pattern)
      else this.#told.add(pattern)
      files.push(...found)
    }
    // What is not there any more is no problem any more.
    for (const path of this.#said) if (!seen.has(path)) this.#said.delete(path)
    return { files, isCut: seen.size >= this.#most }
  }

  async #find(paths: readonly string[]): Promise<FoundFile[]> {
    const files: FoundFile[] = []
    for (let k = 0; k < paths.length; k += followLooks) {
      const found = await Promise.all(paths.slice(k, k + followLooks).map((path) => this.#findOne(path)))
      files.push(...found.filter((file) => file !== undefined))
    }
    return files
  }

  async #findOne(path: string): Promise<FoundFile | undefined> {
    try {
      const found = await findFile(path)
      if (found === undefined && path.includes('\uFFFD'))
        this.#say(path, {}, 'a name that is no UTF-8 cannot be followed')
      else this.#said.delete(path)
      return found
    } catch (error) {
      if (errorCode(error) === undefined) throw error
      this.#say(path, { err: error }, 'a followed file cannot be looked at; trying on')
      return undefined
    }
  }

  #say(path: string, fields: object, message: string): void {
    if (!this.#said.has(path)) this.#logger.warn({ ...fields, file: path }, message)
    this.#said.add(path)
  }

  // Once, and not where there has been a file: it may be about to be rotated.
  async #sayNone(pattern: string): Promise<void> {
    if (this.#told.has(pattern)) return
    this.#told.add(pattern)
    const directory = directoryOf(pattern)
    const problem = await problemOf(directory)
    if (problem === undefined) this.#logger.warn({ pattern }, 'what is to be followed names no file yet')
    else
      this.#logger.warn(
        { pattern, directory, problem },
        'the directory of what is to be followed cannot be read; trying on',
      )
  }
}

async function problemOf(directory: string): Promise<string | undefined> {
  try {
    await (await opendir(directory)).close()
    return undefined
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return code
  }
}
