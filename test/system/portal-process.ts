// A portal as a process of its own, started through the launcher as an operator starts it, and the commands beside
// it. Whatever a test does, nothing is left running: each process is killed when its test is over.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Credentials, type Server } from '../conformance/wire.ts'

/** The launcher. */
export const launcher = join(import.meta.dirname, '../../bin/annals.mjs')

/** The name that the tests' portals go by. */
export const hostName = 'portal-01'

/** The first administrator of the tests' portals. */
export const administrator: Credentials = { name: 'admin', password: 'Correct-horse-7' }

/** What became of a command. */
export interface Outcome {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined
  readonly output: string
  readonly errors: string
}

/** A command under way. */
export interface Command {
  readonly process: ChildProcess
  /** What it has printed so far. */
  readonly output: () => string
  /** The same of its standard error: a node's log for its operator. */
  readonly errors: () => string
  readonly ended: Promise<Outcome>
}

/** A node that is ready. */
export interface PortalProcess extends Server, Command {
  readonly pid: number
  /** Ends it as a supervisor does. */
  stop(): Promise<Outcome>
  /** Ends it as a power cut does, as far as a process can tell. */
  kill(): Promise<void>
}

/** How to start a portal. */
export interface PortalOptions {
  readonly data: string
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** The certificate to trust, where the portal speaks TLS. */
  readonly ca?: string
}

/** A directory of the test's own. */
export function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-system-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** How a command is started. */
export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** All that it finds on its standard input. */
  readonly input?: string
  /** What to put before it, such as what starts it in a network namespace. */
  readonly prefix?: readonly string[]
}

/** Starts a command. */
export function startAnnals(
  context: TestContext,
  args: readonly string[],
  { environment = {}, input = '', prefix = [] }: StartOptions = {},
): Command {
  // A clean environment: what the machine has set must not become a setting of the portal.
  const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...environment }
  const [program = '', ...rest] = [...prefix, process.execPath, launcher, ...args]
  const child = spawn(program, rest, { env })
  context.after(() => child.kill('SIGKILL'))
  let [output, errors] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  // A command that has ended before it read its input is judged by its exit code.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const { promise: ended, resolve } = Promise.withResolvers<Outcome>()
  child.on('close', (code) => resolve({ exitCode: code ?? undefined, output, errors }))
  return { process: child, output: () => output, errors: () => errors, ended }
}

/** Runs a command to its end. */
export async function runAnnals(
  context: TestContext,
  args: readonly string[],
  input?: string,
): Promise<Outcome> {
  return await startAnnals(context, args, input === undefined ? {} : { input }).ended
}

/** Runs a command that must succeed, and returns what it printed. */
export async function annals(context: TestContext, args: readonly string[], input?: string): Promise<string> {
  const { exitCode, output, errors } = await runAnnals(context, args, input)
  if (exitCode === 0) return output
  throw new Error(`annals ${args.join(' ')} ended with ${exitCode}: ${errors}`)
}

/** Starts `annals serve` at a free port of loopback. */
export function startServe(
  context: TestContext,
  { data, args = [], environment = {} }: PortalOptions,
): Command {
  const passwordFile = join(temporaryDirectory(context), 'password')
  writeFileSync(passwordFile, `${administrator.password}\n`, { mode: 0o600 })
  const fixed = ['--data', data, '--host-name', hostName, '--listen', '127.0.0.1:0']
  return startAnnals(context, ['serve', ...fixed, ...args], {
    environment: { ANNALS_ADMIN_PASSWORD_FILE: passwordFile, ...environment },
  })
}

/** Starts a portal, and waits until it is ready. */
export async function startPortal(context: TestContext, options: PortalOptions): Promise<PortalProcess> {
  return await whenReady(startServe(context, options), options.ca)
}

/** Waits until a node that was started is ready. */
export async function whenReady(command: Command, ca?: string): Promise<PortalProcess> {
  const { process: child, ended } = command
  const baseUrl = await addressOf(command)
  const server = { baseUrl, ...(ca === undefined ? {} : { ca }) }
  while ((await ask(server, '/readyz')).status !== 200) await sleep(20)
  const endedBy = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<Outcome> => {
    child.kill(signal)
    return await ended
  }
  return {
    ...command,
    ...server,
    pid: child.pid ?? 0,
    stop: () => endedBy('SIGTERM'),
    kill: async () => void (await endedBy('SIGKILL')),
  }
}

// The port that the system chose stands in what the portal prints.
async function addressOf({ output, process: child, ended }: Command): Promise<string> {
  let outcome: Outcome | undefined
  void ended.then((it) => (outcome = it))
  for (;;) {
    const address = /^ {2}address +(\S+?),?(?: |$)/m.exec(output())?.[1]
    // A certificate is for a name; the tests' is for localhost.
    if (address !== undefined) return address
    if (outcome !== undefined) throw new Error(`the node (${child.pid}) ended: ${JSON.stringify(outcome)}`)
    await sleep(10)
  }
}

/** The lines of a log at rest, as `cat` shows them. */
export function storedLines(data: string): string[] {
  const directory = join(data, 'log', 'segments')
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

/** Makes an account, with its password. */
export async function addAccount(
  context: TestContext,
  data: string,
  { name, password }: Credentials,
  profile: string,
): Promise<void> {
  const flags = ['--profile', profile, '--password-file', '-', '--data', data]
  await annals(context, ['account', 'add', name, ...flags], `${password}\n`)
}

/** Waits until something is so. Bounded by the test's own time limit alone. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}
