// What the kernel knows of a process: the time it has used, and the memory it once held (proc(5)).

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** The CPU seconds that a process has used up to now, in user and kernel mode, all its threads together. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The command's name may hold blanks and brackets; what follows its last bracket is fields 3, 4, …
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) / ticksPerSecond()
}

/** The memory that is resident just now, in bytes; undefined where there is no such process. */
export function residentBytes(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]
    // A process that has ended and was not yet waited for has no memory.
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ESRCH'
    )
      return undefined
    throw error
  }
}

/** The most memory that was resident since the process began, or since `forgetPeakMemory`, in bytes. */
export function peakMemoryBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1024
}

/** Lets the peak begin anew at what is resident now. */
export function forgetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function ticksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }))
}
