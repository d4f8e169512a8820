// A file as the place for a log. The bytes go to FILE.part, and what they are the beginning of is noted beside it in
// FILE.part.json, so that another run of the same command goes on where this one ended, kill -9 included. FILE itself
// appears only when it is whole, synced, by a rename. What an earlier run left was not synced: that its bytes are those
// that came relies on a file system that never shows a length before the bytes (ext4, XFS, Btrfs).
//
// Nothing is ever cut off or written over: who starts over makes a new file. So of two fetches to one FILE at the same
// time neither can damage what the other has finished; the slower one finds at its end that its file is gone.

import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import { fetchPartNoteBytes, fetchReadBytes } from '../../limits.ts'
import { absent, errorCode, isFull, realDisk } from '../../store/disk.ts'
import { readWhole, replaceFile } from '../../store/durable-file.ts'
import { parseJson } from './answer-text.ts'
import type { Source } from './beginning.ts'
import { countLines, type Destination, shareOf } from './destination.ts'

/** Which file, and what is to be in it. */
export interface PartFileOptions {
  readonly file: string
  /** What is fetched: what was begun for another URL is not gone on with. */
  readonly url: string
  /** Whether a file that is there already is replaced. */
  readonly isForced: boolean
  /** Whether what was begun without asking for its proof is not gone on with. */
  readonly isProved?: boolean
}

/** The file as a destination, with what an earlier run left. Throws where it cannot be written. */
export async function openPartFile(options: PartFileOptions): Promise<Destination> {
  return await guarded(options.file, async () => {
    await demandFree(options)
    const destination = new PartFile(options)
    await destination.takeUp()
    return destination
  })
}

class PartFile implements Destination {
  readonly #options: PartFileOptions
  readonly #part: string
  readonly #note: string
  #handle: FileHandle | undefined
  #source: Source | undefined
  #bytes = 0
  #lines = 0

  constructor(options: PartFileOptions) {
    this.#options = options
    this.#part = `${options.file}.part`
    this.#note = `${this.#part}.json`
  }

  get bytes(): number {
    return this.#bytes
  }

  get source(): Source | undefined {
    return this.#source
  }

  get lines(): number {
    return this.#lines
  }

  /** Goes on with what an earlier run left, where that is a beginning of the same. */
  async takeUp(): Promise<void> {
    const source = await readNote(this.#note, this.#options.url)
    if (source === undefined || (this.#options.isProved === true && source.proof === undefined)) return
    // Not through a link: in a directory of many, it may be somebody else's and lead anywhere.
    const flags = constants.O_RDWR | constants.O_NOFOLLOW
    const handle = await open(this.#part, flags).catch(absent(undefined))
    if (handle === undefined) return
    this.#handle = handle
    const { size } = await handle.stat()
    if (source.length !== undefined && size > source.length) return
    this.#lines = await linesOf(handle, size)
    this.#bytes = size
    this.#source = source
  }

  startOver(source: Source): Promise<void> {
    return guarded(this.#options.file, async () => {
      await this.#handle?.close()
      this.#handle = undefined
      this.#bytes = 0
      this.#lines = 0
      this.#source = source
      // A crash between any two of these leaves at most a beginning without its note, which is not gone on with.
      await realDisk.remove(this.#note)
      await realDisk.remove(this.#part)
      this.#handle = await open(this.#part, 'wx', 0o600)
      if (source.etag === undefined) return
      const { etag, length = null, proof } = source
      const note = { url: this.#options.url, etag, length, ...(proof === undefined ? {} : { proof }) }
      await replaceFile(realDisk, this.#note, Buffer.from(`${JSON.stringify(note)}\n`))
    })
  }

  write(bytes: Buffer): Promise<void> {
    return guarded(this.#options.file, async () => {
      let done = 0
      while (done < bytes.length) {
        const rest = bytes.length - done
        const { bytesWritten } = await this.#open.write(bytes, done, rest, this.#bytes + done)
        done += bytesWritten
      }
      this.#lines += countLines(bytes)
      this.#bytes += bytes.length
    })
  }

  finish(): Promise<void> {
    return guarded(this.#options.file, async () => {
      await this.#open.sync()
      await this.#demandOwn()
      await demandFree(this.#options)
      await rename(this.#part, this.#options.file)
      await realDisk.remove(this.#note)
      await realDisk.syncDirectory(dirname(this.#part))
    })
  }

  rest(): string {
    const there = `${shareOf(this.#bytes, this.#source)} are in ${this.#part}`
    return this.#source?.etag === undefined
      ? `${there}; the server's answer cannot be gone on with, so the same command starts again`
      : `${there}; the same command goes on from there`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close()
  }

  get #open(): FileHandle {
    if (this.#handle !== undefined) return this.#handle
    throw new AnnalsError('INTERNAL', 'bytes of a download come before its beginning')
  }

  // Its length and its place: both differ where somebody else has started over, or finished, meanwhile.
  async #demandOwn(): Promise<void> {
    const own = await this.#open.stat()
    const there = await lstat(this.#part).catch(absent(undefined))
    if (own.size === this.#bytes && there?.ino === own.ino && there.dev === own.dev) return
    throw new AnnalsError(
      'LOG_LOCKED',
      `another process has changed ${this.#part}: is the same fetch running twice?`,
    )
  }
}

async function demandFree({ file, isForced }: PartFileOptions): Promise<void> {
  const there = await lstat(file).catch(absent(undefined))
  if (there === undefined) return
  if (!there.isFile())
    throw new AnnalsError('INVALID_INPUT', `${file} is there already, and is no regular file`)
  if (!isForced) throw new AnnalsError('LOG_EXISTS', `${file} is there already: --force replaces it`)
}

async function readNote(path: string, url: string): Promise<Source | undefined> {
  const bytes = await readWhole(realDisk, path)
  if (bytes === undefined || bytes.length > fetchPartNoteBytes) return undefined
  const note = parseJson(bytes.toString()) as Partial<Record<string, unknown>> | null | undefined
  const { url: notedUrl, etag, length, proof } = note ?? {}
  if (notedUrl !== url || typeof etag !== 'string') return undefined
  if (length !== null && !(Number.isSafeInteger(length) && Number(length) >= 0)) return undefined
  return { etag, length: length === null ? undefined : Number(length), proof: proofIn(proof) }
}

function proofIn(value: unknown): Source['proof'] {
  const { url, nonce } = (value ?? {}) as { readonly url?: unknown; readonly nonce?: unknown }
  return typeof url === 'string' && typeof nonce === 'string' ? { url, nonce } : undefined
}

async function linesOf(handle: FileHandle, size: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(size, fetchReadBytes))
  let [lines, at] = [0, 0]
  while (at < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at)
    if (bytesRead === 0) break
    lines += countLines(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  return lines
}

// What the file system refuses, in words of the command.
async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = errorCode(error)
    if (error instanceof AnnalsError || code === undefined) throw error
    const message = `${file} cannot be written: ${error instanceof Error ? error.message : code}`
    if (isFull(error)) throw new AnnalsError('STORAGE_FULL', message, { cause: error })
    const isMistake = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'].includes(
      code,
    )
    throw new AnnalsError(isMistake ? 'INVALID_INPUT' : 'STORAGE_FAILED', message, { cause: error })
  }
}
