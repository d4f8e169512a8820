// Other programs: run to their end, or kept running as a service for as long as a benchmark needs them.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { PeerMissing } from './benchmark.ts'

/** How a program is started. */
export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Another user to run as; only root can. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** What it reads from its standard input. */
  readonly input?: string
}

/** A program that runs until it is disposed of. */
export interface Service extends AsyncDisposable {
  readonly pid: number
}

// What a service that does not start has said is of interest only at its end.
const keptOutputCharacters = 4_000
// How long a service may take to be ready, and to end, before the benchmark gives up on it.
const patienceMs = 60_000

/** Runs a program to its end and returns its standard output. Throws where it fails, with what it said. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = start(command, args, options)
  // A program that ends without reading its input has said why in its exit code.
  child.stdin?.on('error', () => {}).end(options.input ?? '')
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = (await Promise.race([once(child, 'close'), failure(child, command)])) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors.trim()}`)
  return output
}

/** Starts a service and returns once `isReady` says so. It is stopped by `signal` when it is disposed of. */
export async function startService(
  command: string,
  args: readonly string[],
  options: CommandOptions & { readonly signal?: NodeJS.Signals; readonly isReady: () => Promise<boolean> },
): Promise<Service> {
  const child = start(command, args, options)
  child.stdin?.end()
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream
      ?.setEncoding('utf8')
      .on('data', (text: string) => (said = (said + text).slice(-keptOutputCharacters)))
  }
  const signal = options.signal ?? 'SIGTERM'
  // A benchmark that breaks off must not leave its servers behind.
  const stopAtExit = () => void child.kill(signal)
  process.once('exit', stopAtExit)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = () => stopChild(child, ended, signal).finally(() => process.off('exit', stopAtExit))
  try {
    await Promise.race([untilReady(child, options.isReady), failure(child, command)])
  } catch (cause) {
    await stop()
    throw new Error(`${command} did not start: ${said.trim()}`, { cause })
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: stop }
}

/** A port of the loopback interface that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** True once `url` answers with a status below 400. `caFile` is the certificate to trust, where it is of HTTPS. */
export async function answers(url: string, caFile?: string): Promise<boolean> {
  if (caFile !== undefined) {
    const asked = ['--silent', '--fail', '--output', '/dev/null', '--cacert', caFile, url]
    return runCommand('curl', asked).then(
      () => true,
      () => false,
    )
  }
  return await fetch(url).then(
    async (response) => {
      await response.body?.cancel()
      return response.ok
    },
    () => false,
  )
}

function start(
  command: string,
  args: readonly string[],
  { environment, user }: CommandOptions,
): ChildProcess {
  return spawn(command, args, { env: { ...process.env, ...environment }, stdio: 'pipe', ...user })
}

async function failure(child: ChildProcess, command: string): Promise<never> {
  // `once` would reject by itself on 'error', whichever event it waits for.
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve))
  throw error.code === 'ENOENT' ? new PeerMissing(`${command} is not installed`, { cause: error }) : error
}

async function untilReady(child: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
  for (const start = Date.now(); !(await isReady()); await pause(50)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it has ended')
    if (Date.now() - start > patienceMs) throw new Error(`it is not ready after ${patienceMs / 1000} seconds`)
  }
}

async function stopChild(
  child: ChildProcess,
  ended: Promise<unknown>,
  signal: NodeJS.Signals,
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await ended.finally(() => clearTimeout(timer))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
