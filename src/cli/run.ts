// From arguments to an exit code.

import { CommanderError } from 'commander'
import { Ended } from './ended.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'
import type { Surroundings } from './surroundings.ts'

/** Runs one command. `args` are those behind the program's name. Returns the exit code, and never throws. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    const program = await createProgram(surroundings, args[0])
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Ended) return error.exitCode
    return reportError(surroundings, error, args.includes('--verbose'))
  }
}
