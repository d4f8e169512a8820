// One writer for a data directory (I5). The lock is an exclusive transaction that SQLite holds open on `DATA/lock`:
// a POSIX record lock of this process, which the kernel frees however the process ends, kill -9 included, and which
// a child does not inherit. Local file systems only.
//
// Such a lock ends, too, when this process closes *any* descriptor of the file. So nothing but SQLite may ever open
// `DATA/lock`; who holds it is said in a file of its own, `DATA/lock.holder`, which is a help for people and no lock.

import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { AnnalsError } from '../errors.ts'
import { dataLayout } from './layout.ts'

/** What is told to whoever finds the directory locked. */
export interface Holder {
  readonly pid: number
  /** Such as `annals serve`. */
  readonly command: string
  /** When it took the lock, ISO 8601. */
  readonly since: string
  readonly machine: string
}

/**
 * Takes the lock of a data directory, which must be there, for `command`. Dispose of it to let go.
 * Throws LOG_LOCKED, naming who holds it, where somebody does.
 */
export function lockData(directory: string, command: string): Disposable {
  const { lock } = dataLayout(directory)
  const database = openDatabase(lock)
  try {
    // No row is ever written, so a journal would only be a file that a crash leaves behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw isBusy(error) ? lockedBy(readHolder(directory), error) : unusable(error)
  }
  chmodSync(lock, 0o600)
  writeHolder(directory, command)
  let isHeld = true
  return {
    [Symbol.dispose]() {
      if (!isHeld) return
      isHeld = false
      // First, while it is certainly ours.
      rmSync(holderFile(directory), { force: true })
      database.close()
    },
  }
}

function openDatabase(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 })
  } catch (error) {
    throw unusable(error)
  }
}

/** Who said last that it holds the lock, where that may still be so. */
export function readHolder(directory: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(holderFile(directory), 'utf8')) as Holder
    return holder.machine === hostname() && !isAlive(holder.pid) ? undefined : holder
  } catch {
    // Between taking the lock and saying so, or a file that is no help.
    return undefined
  }
}

function writeHolder(directory: string, command: string): void {
  const holder: Holder = { pid: process.pid, command, since: new Date().toISOString(), machine: hostname() }
  const temporary = `${holderFile(directory)}.tmp`
  writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
  renameSync(temporary, holderFile(directory))
}

function holderFile(directory: string): string {
  return `${dataLayout(directory).lock}.holder`
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

function lockedBy(holder: Holder | undefined, cause: unknown): AnnalsError {
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} (${holder.command}) since ${holder.since}` +
        (holder.machine === hostname() ? '' : ` on ${holder.machine}`)
  return new AnnalsError('LOG_LOCKED', `this data directory is in use by ${who}: a log has one writer`, {
    cause,
  })
}

function unusable(cause: unknown): AnnalsError {
  return new AnnalsError('STORAGE_FAILED', 'the data directory cannot be locked', {
    detail: String(cause),
    cause,
  })
}
