// A page of the documentation, as a person follows it: its blocks, and a shell in which its commands run.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { launcher, type Outcome } from './portal-process.ts'

/** A block of code. */
export interface Block {
  /** What stands behind the fence: `sh`, `http`, `python`. */
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page, such as `docs/verify/README.md`, in order. */
export function blocksOf(page: string): Block[] {
  const markdown = readFileSync(join(import.meta.dirname, '../..', page), 'utf8')
  const fenced = /^( *)```([a-z]+)\n([\s\S]*?)^\1```$/gm
  return [...markdown.matchAll(fenced)].map(([, , language = '', block = '']) => ({ language, text: block }))
}

/** Makes the directory `bin`, which `runShell` has in its path, with `annals` in it, and `npx` for that. */
export function programsIn(directory: string): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const script = `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`
  writeFileSync(join(bin, 'annals'), script, { mode: 0o755 })
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
  return bin
}

/** Runs commands in a directory. */
export async function runShell(
  context: TestContext,
  directory: string,
  commands: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const path = `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`
  const child = spawn('bash', ['-c', commands], {
    cwd: directory,
    env: { ...process.env, PATH: path, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  context.after(() => child.kill('SIGKILL'))
  const closed = once(child, 'close') as Promise<[number | null]>
  const [output, errors, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { exitCode: exitCode ?? undefined, output, errors }
}
