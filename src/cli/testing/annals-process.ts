// Annals as a process of its own, started as a person starts it.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The launcher. */
export const launcher = fileURLToPath(new URL('../../../bin/annals.mjs', import.meta.url))

/** What became of a process. */
export interface Outcome {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined
  readonly output: string
  readonly errors: string
}

/** A process, and what it has said so far. */
export interface AnnalsProcess {
  readonly process: ChildProcessWithoutNullStreams
  output(): string
  errors(): string
  /** Resolves once it has said something, on standard output; throws where it ends before. */
  says(text: string): Promise<void>
  readonly ended: Promise<Outcome>
}

/** Starts `annals` with an environment in which nothing is set. It is killed when the test is over. */
export function startAnnals(
  context: TestContext,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): AnnalsProcess {
  return follow(
    context,
    spawn(process.execPath, [launcher, ...args], { env: { ...plain(), ...environment } }),
  )
}

/** The same in a terminal of its own (`script` of util-linux). What is written to the process is typed. */
export function startAnnalsInTerminal(context: TestContext, args: readonly string[]): AnnalsProcess {
  const words = [process.execPath, launcher, ...args].map((word) => `'${word}'`)
  return follow(context, spawn('script', ['-qfec', `exec ${words.join(' ')}`, '/dev/null'], { env: plain() }))
}

/** Runs `annals` to its end. */
export async function runAnnals(
  context: TestContext,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return await startAnnals(context, args, environment).ended
}

/** A directory of the test's own, away from everything. */
export function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'annals-cli-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function plain(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: tmpdir() }
}

function follow(context: TestContext, child: ChildProcessWithoutNullStreams): AnnalsProcess {
  context.after(() => child.kill('SIGKILL'))
  let [output, errors] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const ended = once(child, 'close').then(([code]): Outcome => {
    return { exitCode: typeof code === 'number' ? code : undefined, output, errors }
  })
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    ended,
    async says(text) {
      while (!output.includes(text)) {
        const outcome = await Promise.race([once(child.stdout, 'data'), ended])
        if (!Array.isArray(outcome))
          throw new Error(`ended without saying "${text}": ${JSON.stringify(outcome)}`)
      }
    },
  }
}
