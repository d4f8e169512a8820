// Whose part of a spool a directory is. Each process has a directory of its own below the spool's; what a process leaves
// behind is taken over by another. Whether the owner lives is a question to the system where it can be asked: the same
// boot, the same namespace of process numbers, and a process with that number that began at that time. Elsewhere, as with
// containers that share a volume, the owner says so by touching its file, and has left when it has not for a minute.

import { readFileSync, readlinkSync } from 'node:fs'
import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spoolLeftMs } from './limits.ts'

/** What tells a process from all others. */
export interface Owner {
  readonly pid: number
  /** The boot and the namespace of process numbers: only within it can the system be asked. Empty where there is none. */
  readonly place: string
  /** When the process began, in the system's own measure. */
  readonly began: string
}

const ownerFile = 'owner'

/** Says that a directory is this process's. */
export async function own(directory: string): Promise<void> {
  await writeFile(join(directory, ownerFile), JSON.stringify(thisProcess()), { mode: 0o600 })
}

/** Says that a directory is nobody's any more, wherever the question is asked. */
export async function disown(directory: string): Promise<void> {
  const file = join(directory, ownerFile)
  await writeFile(file, JSON.stringify({ ...thisProcess(), place: '' }))
  await utimes(file, 0, 0)
}

/** Says it again. Throws where the directory was taken over, which can only happen to a process that stood still. */
export async function stillOwn(directory: string): Promise<void> {
  const now = new Date()
  await utimes(join(directory, ownerFile), now, now)
}

/** Whether the process that owns a directory has ended. */
export async function isLeft(directory: string, nowMs = Date.now()): Promise<boolean> {
  const file = join(directory, ownerFile)
  try {
    const owner = parseOwner(await readFile(file, 'utf8'))
    const { place } = thisProcess()
    if (owner !== undefined && place !== '' && owner.place === place)
      return beganOf(owner.pid) !== owner.began
    return nowMs - (await stat(file)).mtimeMs > spoolLeftMs
  } catch {
    return await isOld(directory, nowMs)
  }
}

// A directory without an owner was being made when its process ended, or is being made now.
async function isOld(directory: string, nowMs: number): Promise<boolean> {
  const { mtimeMs } = await stat(directory).catch(() => ({ mtimeMs: nowMs }))
  return nowMs - mtimeMs > spoolLeftMs
}

function thisProcess(): Owner {
  return { pid: process.pid, place: placeOf(), began: beganOf(process.pid) ?? '' }
}

function placeOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

// The 22nd field of proc_pid_stat(5); the second one, in parentheses, may hold anything.
function beganOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // A process that has ended and whose parent has not asked for it yet.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function parseOwner(text: string): Owner | undefined {
  const value = JSON.parse(text) as Partial<Owner> | null
  const isOwner = typeof value?.pid === 'number' && typeof value.place === 'string'
  return isOwner && typeof value.began === 'string' ? (value as Owner) : undefined
}
