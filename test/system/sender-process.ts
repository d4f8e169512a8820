// Programs of others that send syslog, as processes of their own. What a machine lacks of them is loud: where it checks
// changes (CI) it fails, elsewhere the test is skipped and says so.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'

/** A daemon that runs. */
export interface Daemon {
  readonly process: ChildProcess
  /** What it said so far. */
  readonly output: () => string
}

/** Where a program is; undefined, and the test skipped, where it is not. Fails where changes are checked. */
export function findProgram(
  context: TestContext,
  name: string,
  directories: readonly string[] = [],
): string | undefined {
  const places = [...directories, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  const found = places.map((directory) => join(directory, name)).find((path) => existsSync(path))
  if (found === undefined) missing(context, `${name} is not installed`)
  return found
}

/** Something that a test needs is not there. */
export function missing(context: TestContext, what: string): void {
  if (process.env['CI'] !== undefined) throw new Error(what)
  context.skip(what)
}

/** Starts a daemon that is killed when the test is over. */
export function startDaemon(
  context: TestContext,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Daemon {
  const child = spawn(program, args, { env: { PATH: process.env['PATH'] ?? '', ...environment } })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  context.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return { process: child, output: () => output }
}

/** Runs a program to its end, which must be a good one. */
export function run(
  program: string,
  args: readonly string[],
  { input = '', environment = {} }: { input?: string; environment?: Readonly<Record<string, string>> } = {},
): string {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, env })
  if (status === 0) return stdout.toString()
  throw new Error(`${program} ${args.join(' ').slice(0, 500)} ended with ${status}: ${stderr?.toString()}`, {
    cause: error,
  })
}
