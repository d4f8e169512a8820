// Events on disk: appended to files, made durable by fsync, read when they can be sent, and deleted when the server has
// them. Nothing but the events is remembered: after a crash a file is sent again from its beginning, and the server knows
// by the ids what it has.
//
//   <directory>/<process>/owner                     whose it is (spool-owner.ts)
//   <directory>/<process>/<time>-<random>.spool     events, none of which can have been recorded
//   <directory>/<process>/<time>-<random>.sent      events, some of which may have been
//
// A file is written until it is full or wanted by the sender, and never after. It gets its second name before a byte of it
// leaves the process, and its first one back where nothing has come of that. Whatever has not a name of these forms is
// somebody else's, and is neither moved nor deleted. Files with damaged lines end there too, as <name>.damaged.

import { randomBytes } from 'node:crypto'
import type { Dirent } from 'node:fs'
import {
  type FileHandle,
  mkdir,
  type open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AuditTrailError } from './errors.ts'
import type { EncodedEvent } from './event.ts'
import { refusedPauseMs, spoolBeatMs, spoolFileBytes } from './limits.ts'
import { disown, isLeft, own, stillOwn } from './spool-owner.ts'
import { readSpoolLines, type SpooledEvent, spoolLine } from './spool-line.ts'

/** What a spool needs. */
export interface SpoolParts {
  readonly directory: string
  readonly maxBytes: number
  /** Opens files and directories, as `open` of `node:fs/promises`. */
  readonly openFile: typeof open
  readonly monotonicMs: () => number
  /** Called when there is something to send that was not there before. */
  readonly filled: () => void
  /** Told of what is wrong beside any call. */
  readonly failed: (error: AuditTrailError) => void
}

/** A file's events, to be sent. */
export interface SpoolFile {
  readonly events: readonly SpooledEvent[]
  /** Whether some of them may have been recorded before. */
  readonly wasSent: boolean
  /** Says durably that this may be so from now on. Throws SPOOL_FAILED; then nothing of it may be sent. */
  mark(): Promise<void>
  /** Says that it is not so, where it was not before `mark`. */
  unmark(): Promise<void>
  /** Deletes it: all its events are settled. What cannot be read of it is kept aside. */
  done(): Promise<void>
  /** Keeps those of its events that are left, to be taken again after a while. Throws SPOOL_FAILED. */
  keep(left: readonly SpoolableEvent[]): Promise<void>
}

/** An event as far as its line needs it. */
export type SpoolableEvent = Pick<EncodedEvent, 'line' | 'hasOwnId'>

interface Waiting {
  readonly line: string
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: AuditTrailError) => void
}

interface Stored {
  path: string
  bytes: number
  /** Whether some of its events may have been recorded by whoever had it before. */
  readonly wasSent: boolean
  /** Whether its name says durably that this may be so. */
  isMarked: boolean
  isDamaged: boolean
  /** Until when it is kept. */
  restsUntilMs: number
}

/** The part of a spool that is this process's. */
export class Spool {
  readonly #parts: SpoolParts
  #own = ''
  // The uppermost directory that was made and is not durable yet.
  #made: string | undefined
  #ready: Promise<void>
  #files: Stored[] = []
  #active: (Stored & { readonly handle: FileHandle }) | undefined
  #bytes = 0
  #waiting: Waiting[] = []
  #unwritten = { events: 0, bytes: 0 }
  // One thing at a time is done to the files.
  #work: Promise<unknown> = Promise.resolve()
  #isWriting = false
  #isClosed = false
  readonly #beat: NodeJS.Timeout

  /** Opens at once; what goes wrong is told to whoever appends, and tried again for whoever is next. */
  constructor(parts: SpoolParts) {
    // Seen from where the process runs now, wherever it goes. What `mkdir` says that it has made is a part of it, too.
    this.#parts = { ...parts, directory: resolve(parts.directory) }
    this.#ready = this.#inTurn(() => this.#open())
    this.#ready.catch(() => undefined)
    this.#beat = setInterval(
      () => void this.#inTurn(() => this.#tick()).catch(() => undefined),
      spoolBeatMs,
    ).unref()
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Events that wait in memory until they are durable, and their bytes. */
  get unwritten(): { readonly events: number; readonly bytes: number } {
    return this.#unwritten
  }

  /** Whether there is anything to send now, and not only what is kept for later. */
  get isReady(): boolean {
    return this.#active !== undefined || this.#isWriting || this.#next !== undefined
  }

  /** Whether there is nothing to send. */
  get isEmpty(): boolean {
    return this.#files.length === 0 && this.#active === undefined && !this.#isWriting
  }

  /** Resolves once what earlier processes left behind is taken over. Never rejects. */
  async opened(): Promise<void> {
    await this.#ready.catch(() => undefined)
  }

  /** Puts an event on disk. It is durable when this resolves. Throws SPOOL_FULL, SPOOL_FAILED or CLOSED. */
  append(event: SpoolableEvent): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AuditTrailError('CLOSED', 'the spool is closed'))
    const line = spoolLine(event)
    const bytes = Buffer.byteLength(line)
    if (this.#bytes + bytes > this.#parts.maxBytes)
      return Promise.reject(new AuditTrailError('SPOOL_FULL', 'the spool has no room for another event'))
    // Room is taken before anything is written, so that many at once do not exceed it.
    this.#bytes += bytes
    this.#count(1, bytes)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, bytes, resolve, reject })
      if (this.#isWriting) return
      this.#isWriting = true
      void this.#inTurn(() => this.#writeAll())
    })
  }

  /**
   * Takes the oldest file. Undefined where nothing is there, or only what is kept for later. Throws SPOOL_FAILED; the file
   * stays, behind the others.
   */
  async take(): Promise<SpoolFile | undefined> {
    return await this.#inTurn(() => this.#take())
  }

  /** Ends writing. What is not sent yet stays for whoever opens the spool next, or has it open. */
  async close(): Promise<void> {
    clearInterval(this.#beat)
    this.#isClosed = true
    await this.#inTurn(async () => {
      await this.#seal()
      if (this.#own === '') return
      if (this.#files.length > 0 || !(await removeEmptied(this.#own))) await disown(this.#own)
    }).catch(() => undefined)
  }

  async #open(): Promise<void> {
    try {
      const made = await mkdir(this.#parts.directory, { recursive: true, mode: 0o700 })
      this.#made ??= made
      if (this.#made !== undefined) await this.#syncAbove(this.#made)
      this.#made = undefined
      await this.#begin()
      await this.#takeOver()
    } catch (cause) {
      throw spoolFailed('it cannot be opened', cause)
    }
  }

  // The names of the directories that were made, from the spool's own up to that one.
  async #syncAbove(made: string): Promise<void> {
    for (let directory = this.#parts.directory; ; directory = dirname(directory)) {
      await this.#sync(dirname(directory))
      if (directory === made) return
    }
  }

  // What could not be opened is tried again by whoever needs it next: disks come back.
  async #demandOpen(): Promise<void> {
    await this.#ready.catch(async () => {
      this.#ready = this.#open()
      await this.#ready
    })
  }

  async #begin(): Promise<void> {
    const directory = join(this.#parts.directory, uniqueName())
    await mkdir(directory, { mode: 0o700 })
    try {
      await own(directory)
      await this.#sync(this.#parts.directory)
    } catch (error) {
      await removeEmptied(directory).catch(() => undefined)
      throw error
    }
    this.#own = directory
  }

  // A process that stood still for long may find that its part was taken over: then it begins another one.
  async #tick(): Promise<void> {
    await this.#demandOpen()
    await this.#keep()
    await this.#takeOver()
  }

  async #keep(): Promise<void> {
    try {
      await stillOwn(this.#own)
    } catch (error) {
      // A disk that fails for a moment takes nothing away; nor does one that is away, where no other part can begin.
      if (!isMissing(error)) throw error
      await this.#seal().catch(() => undefined)
      await this.#begin()
      for (const { bytes } of this.#files) this.#bytes -= bytes
      this.#files = []
    }
  }

  async #takeOver(): Promise<void> {
    for (const entry of await readdir(this.#parts.directory, { withFileTypes: true })) {
      const { name } = entry
      const directory = join(this.#parts.directory, name)
      if (!isPart(entry) || directory === this.#own || !(await isLeft(directory))) continue
      // Of two that want it, one gets it.
      const mine = join(this.#own, name)
      if (await isDone(rename(directory, mine))) await this.#adopt()
    }
  }

  // Also what a process had taken over and not looked through before it ended, which is a directory in a directory.
  async #adopt(): Promise<void> {
    await this.#adoptFrom(this.#own)
    this.#files.sort((one, other) => (basename(one.path) < basename(other.path) ? -1 : 1))
    await this.#sync(this.#own)
    this.#parts.filled()
  }

  async #adoptFrom(directory: string): Promise<void> {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isFile() && fileName.test(entry.name)) await this.#adoptFile(path)
      else if (isPart(entry)) await this.#adoptFrom(path)
    }
    if (directory === this.#own || (await removeEmptied(directory))) return
    // Something of somebody else's is in it: it stays, but is no deeper down for each process that takes it over.
    if (dirname(directory) !== this.#own) await rename(directory, join(this.#own, basename(directory)))
  }

  async #adoptFile(from: string): Promise<void> {
    if ([...this.#files, this.#active].some((file) => file?.path === from)) return
    const path = join(this.#own, basename(from))
    if (from !== path) await rename(from, path)
    const { size } = await stat(path)
    this.#files.push(storedAt(path, size))
    this.#bytes += size
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup()
      const bytes = group.reduce((sum, { bytes }) => sum + bytes, 0)
      try {
        await this.#append(group, bytes)
        this.#count(-group.length, -bytes)
        for (const { resolve } of group) resolve()
        this.#parts.filled()
      } catch (cause) {
        this.#count(-group.length, -bytes)
        this.#bytes -= bytes
        await this.#seal().catch(() => undefined)
        const error = cause instanceof AuditTrailError ? cause : spoolFailed('it cannot be written', cause)
        for (const { reject } of group) reject(error)
        // Its file is there, with what is whole in it: who waits for all to be sent must not wait for the next event.
        if (this.#files.length > 0) this.#parts.filled()
      }
    }
    this.#isWriting = false
  }

  // What waits, as far as it fits into a file.
  #nextGroup(): readonly Waiting[] {
    let bytes = this.#active?.bytes ?? 0
    const fits = this.#waiting.findIndex((waiting, k) => (bytes += waiting.bytes) > spoolFileBytes && k > 0)
    return this.#waiting.splice(0, fits === -1 ? this.#waiting.length : fits)
  }

  #count(events: number, bytes: number): void {
    this.#unwritten = { events: this.#unwritten.events + events, bytes: this.#unwritten.bytes + bytes }
  }

  async #append(group: readonly Waiting[], bytes: number): Promise<void> {
    await this.#demandOpen()
    await this.#keep()
    const file = (this.#active ??= await this.#create())
    const text = group.map(({ line }) => line).join('')
    await file.handle.appendFile(text)
    await file.handle.datasync()
    file.bytes += bytes
    if (file.bytes >= spoolFileBytes) await this.#seal()
  }

  async #create(): Promise<Stored & { readonly handle: FileHandle }> {
    const path = join(this.#own, `${uniqueName()}.spool`)
    const handle = await this.#parts.openFile(path, 'ax', 0o600)
    try {
      await this.#sync(this.#own)
    } catch (error) {
      await handle.close().catch(() => undefined)
      await rm(path, { force: true }).catch(() => undefined)
      throw error
    }
    return { ...storedAt(path, 0), handle }
  }

  // Ends the file that is written. A file whose writing failed is ended too: what is whole in it is sent.
  async #seal(): Promise<void> {
    const active = this.#active
    if (active === undefined) return
    this.#active = undefined
    const { handle, ...file } = active
    this.#files.push(file)
    await handle.close()
  }

  get #next(): Stored | undefined {
    const nowMs = this.#parts.monotonicMs()
    return this.#files.find(({ restsUntilMs }) => restsUntilMs <= nowMs)
  }

  async #take(): Promise<SpoolFile | undefined> {
    await this.#demandOpen()
    if (this.#next === undefined) await this.#seal()
    const file = this.#next
    if (file === undefined) return undefined
    try {
      const { events, badBytes } = readSpoolLines(await readFile(file.path))
      file.isDamaged = badBytes > 0
      if (file.isDamaged) this.#parts.failed(damaged(badBytes))
      return {
        events,
        wasSent: file.wasSent || file.isMarked,
        mark: () => this.#inTurn(() => this.#mark(file)),
        unmark: () => this.#inTurn(() => this.#unmark(file)),
        done: () => this.#inTurn(() => this.#delete(file)),
        keep: (left) => this.#inTurn(() => this.#keepLeft(file, left, left.length < events.length)),
      }
    } catch (cause) {
      this.#putBehind(file)
      throw spoolFailed('it cannot be read', cause)
    }
  }

  // A crash between the renaming and the sync leaves either name, and nothing was sent.
  async #mark(file: Stored): Promise<void> {
    if (file.isMarked) return
    try {
      await this.#rename(file, '.sent')
      await this.#sync(dirname(file.path))
      file.isMarked = true
    } catch (cause) {
      this.#putBehind(file)
      throw spoolFailed('a file cannot be marked', cause)
    }
  }

  // A crash that leaves the other name costs its events nothing but another id.
  async #unmark(file: Stored): Promise<void> {
    if (file.wasSent || file.path.endsWith('.spool')) return
    file.isMarked = false
    await this.#rename(file, '.spool')
    await this.#sync(dirname(file.path))
  }

  async #rename(file: Stored, ending: '.spool' | '.sent'): Promise<void> {
    const path = file.path.replace(/\.[a-z]+$/, ending)
    if (path === file.path) return
    await rename(file.path, path)
    file.path = path
  }

  // The others do not wait for it.
  #putBehind(file: Stored): void {
    if (this.#files.includes(file)) this.#files = [...this.#files.filter((other) => other !== file), file]
  }

  // All of it stays as it is; else what is left is written anew. A crash between that and the end of the file leaves both,
  // and the server knows what it has.
  async #keepLeft(file: Stored, left: readonly SpoolableEvent[], isLess: boolean): Promise<void> {
    if (!this.#files.includes(file)) return
    file.restsUntilMs = this.#parts.monotonicMs() + refusedPauseMs
    if (!isLess && !file.isDamaged) return
    try {
      const rest = await this.#write(left)
      this.#files.push({ ...rest, restsUntilMs: file.restsUntilMs })
      this.#bytes += rest.bytes
    } catch (cause) {
      throw spoolFailed('it cannot be written', cause)
    }
    await this.#delete(file)
  }

  async #write(events: readonly SpoolableEvent[]): Promise<Stored> {
    const text = events.map(spoolLine).join('')
    const { handle, ...file } = await this.#create()
    try {
      await handle.appendFile(text)
      await handle.datasync()
    } catch (error) {
      await rm(file.path, { force: true }).catch(() => undefined)
      throw error
    } finally {
      await handle.close()
    }
    return { ...file, bytes: Buffer.byteLength(text) }
  }

  async #delete(file: Stored): Promise<void> {
    if (!this.#files.includes(file)) return
    try {
      if (file.isDamaged) await rename(file.path, this.#asideOf(file))
      else await rm(file.path, { force: true })
    } catch (cause) {
      throw spoolFailed('a file cannot be removed', cause)
    }
    this.#files = this.#files.filter((other) => other !== file)
    this.#bytes -= file.bytes
  }

  // Out of every part, and under a name that no spool takes for its own.
  #asideOf({ path }: Stored): string {
    return join(this.#parts.directory, `${basename(path)}.damaged`)
  }

  // A name is durable when its directory is. Where a directory cannot be opened, as on Windows, the system sees to it.
  async #sync(directory: string): Promise<void> {
    if (process.platform === 'win32') return
    const handle = await this.#parts.openFile(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#work.then(work)
    this.#work = turn.catch(() => undefined)
    return await turn
  }
}

function storedAt(path: string, bytes: number): Stored {
  const wasSent = path.endsWith('.sent')
  return { path, bytes, wasSent, isMarked: false, isDamaged: false, restsUntilMs: 0 }
}

// In the order of their making, also among processes.
function uniqueName(): string {
  return `${Date.now().toString().padStart(15, '0')}-${randomBytes(8).toString('hex')}`
}

const partName = /^\d{15}-[0-9a-f]{16}$/
const fileName = /^\d{15}-[0-9a-f]{16}\.(spool|sent)$/

// Whether it is a directory that a spool has made.
function isPart(entry: Dirent): boolean {
  return entry.isDirectory() && partName.test(entry.name)
}

// Deletes a part in which nothing but its owner's file is left. Says whether it did.
async function removeEmptied(directory: string): Promise<boolean> {
  if ((await readdir(directory)).some((name) => name !== 'owner')) return false
  await rm(join(directory, 'owner'), { force: true })
  await rmdir(directory)
  return true
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function isDone(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch {
    return false
  }
}

function damaged(bytes: number): AuditTrailError {
  return new AuditTrailError(
    'SPOOL_DAMAGED',
    `${bytes} bytes of the spool cannot be read; its file is kept as *.damaged`,
  )
}

function spoolFailed(what: string, cause: unknown): AuditTrailError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
  return new AuditTrailError('SPOOL_FAILED', `the spool fails: ${what} (${code})`, { cause })
}
