// The program in `test/go`, which verifies with libraries that others wrote, built and run as its reader would.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { temporaryDirectory } from './portal-process.ts'

// Where Debian puts the sources of Go's libraries (golang-golang-x-mod-dev).
const goPath = '/usr/share/gocode'

/** What it said. */
export interface Verdict {
  readonly exitCode: number
  readonly output: string
  readonly errors: string
}

/** Runs the program with these arguments. */
export type GoVerifier = (...args: string[]) => Promise<Verdict>

/** Why the program cannot be built here; in CI it must be. */
export function skipWithoutGo(): string | false {
  if (process.env['CI'] !== undefined || existsSync(join(goPath, 'src/golang.org/x/mod/sumdb/tlog')))
    return false
  return 'NOT VERIFIED BY GO: install golang-go and golang-golang-x-mod-dev'
}

/** Builds the program. */
export function buildGoVerifier(context: TestContext): GoVerifier {
  const program = join(temporaryDirectory(context), 'verify-log')
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: join(import.meta.dirname, '../go'),
    env: { ...process.env, GO111MODULE: 'off', GOPATH: goPath },
  })
  return async (...args) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    context.after(() => child.kill('SIGKILL'))
    const closed = once(child, 'close') as Promise<[number]>
    const [output, errors, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
    return { exitCode, output, errors }
  }
}
