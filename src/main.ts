// The process: arguments in, exit code out.

import { hostname, userInfo } from 'node:os'
import type { Surroundings } from './cli/surroundings.ts'
import { quietWarnings } from './ops/warnings.ts'

quietWarnings(process)
// Whoever reads us may leave (`annals account list | head`). What cannot be written otherwise must not look done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`annals: standard output cannot be written: ${error.message}\n`)
  process.exitCode = 1
})
// Imported only now: it loads `node:sqlite`, which warns.
const { run } = await import('./cli/run.ts')
const exitCode = await run(process.argv.slice(2), surroundings())
// What a command says of its failure is more than that something could not be written.
process.exitCode = exitCode === 0 ? (process.exitCode ?? 0) : exitCode

function surroundings(): Surroundings {
  return {
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    machineName: hostname(),
    user: userName(),
    onSignal(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      for (const signal of signals) process.on(signal, listener)
      return { [Symbol.dispose]: () => signals.forEach((signal) => process.off(signal, listener)) }
    },
    onReload(listener) {
      process.on('SIGHUP', listener)
      return { [Symbol.dispose]: () => process.off('SIGHUP', listener) }
    },
    exit: (code) => process.exit(code),
  }
}

// In a container the user need not have a name.
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
