// The portal of the soak: it is killed without warning, again and again, and started again at the same address as
// a supervisor would.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { administrator, portalName, program } from '../annals.ts'
import { answers, freePort } from '../command.ts'
import { residentBytes } from '../process-figures.ts'

/** What a server held of the machine's memory, and when. */
export interface MemorySample {
  /** Since the first start. */
  readonly seconds: number
  /** How many lives it had had before. */
  readonly life: number
  readonly megabytes: number
}

/** A portal that can be killed, and where it is reached. */
export class KilledServer implements AsyncDisposable {
  readonly url: string
  readonly syslogPort: number
  readonly data: string
  readonly samples: MemorySample[] = []
  kills = 0
  readonly #args: readonly string[]
  readonly #passwordFile: string
  readonly #began = performance.now()
  readonly #sampling: NodeJS.Timeout
  #child: ChildProcess
  #said = ''

  private constructor(data: string, ports: { http: number; syslog: number }, passwordFile: string) {
    this.data = data
    this.url = `http://127.0.0.1:${ports.http}`
    this.syslogPort = ports.syslog
    this.#passwordFile = passwordFile
    const addresses = ['--listen', `127.0.0.1:${ports.http}`, '--syslog-tcp', `127.0.0.1:${ports.syslog}`]
    const fixed = ['serve', '--data', data, '--host-name', portalName, '--access-token-seconds', '86400']
    this.#args = [...fixed, ...addresses]
    this.#child = this.#spawn()
    this.#sampling = setInterval(() => this.#sample(), 1_000)
  }

  /** Starts a portal with a new log, and waits until it is ready. */
  static async start(data: string): Promise<KilledServer> {
    await mkdir(data, { recursive: true, mode: 0o700 })
    const passwordFile = join(data, '..', 'password')
    await writeFile(passwordFile, administrator.slice(administrator.indexOf(':') + 1), { mode: 0o600 })
    const server = new KilledServer(data, { http: await freePort(), syslog: await freePort() }, passwordFile)
    await server.untilReady()
    return server
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Ends it with SIGKILL, and starts it again at once. */
  async kill(): Promise<void> {
    this.#throwIfEnded()
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    this.kills += 1
    this.#child = this.#spawn()
  }

  /** Waits until it answers. Throws where it has ended, or takes too long. */
  async untilReady(): Promise<void> {
    for (const begin = Date.now(); !(await answers(`${this.url}/readyz`)); await sleep(50)) {
      this.#throwIfEnded()
      if (Date.now() - begin > patienceMs) throw new Error(`the server does not become ready: ${this.#said}`)
    }
  }

  /** Ends it as a supervisor does. Throws where it does not end well. */
  async stop(): Promise<void> {
    clearInterval(this.#sampling)
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    if (code !== 0) throw new Error(`the server ended with ${code}: ${this.#said}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sampling)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #spawn(): ChildProcess {
    const env = { ...process.env, ANNALS_ADMIN_PASSWORD_FILE: this.#passwordFile }
    const child = spawn(process.execPath, [program, ...this.#args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-keptCharacters)
    })
    const kill = () => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    return child
  }

  #throwIfEnded(): void {
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) return
    throw new Error(`the server ended by itself with ${exitCode ?? signalCode}: ${this.#said}`)
  }

  #sample(): void {
    const bytes = residentBytes(this.pid)
    if (bytes === undefined) return
    const seconds = Math.round((performance.now() - this.#began) / 1000)
    this.samples.push({ seconds, life: this.kills, megabytes: bytes / 1e6 })
  }
}

const patienceMs = 60_000
const keptCharacters = 4_000
