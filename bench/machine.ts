// The machine that a figure was measured on, in one line: without it a figure means nothing to anybody else.

import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { runCommand } from './command.ts'

/** Cores, memory, kernel, file system of `directory`, Node, and how busy the machine was. */
export async function describeMachine(directory: string): Promise<string> {
  const fileSystem = (await runCommand('df', ['--output=fstype', directory])).trim().split('\n').at(-1)
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}`,
    fileSystem,
    `Node ${process.version.slice(1)}`,
    `load ${loadavg()[0]?.toFixed(2)} at the start`,
  ].join(', ')
}
