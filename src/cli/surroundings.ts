// What a command finds around it: the terminal, the environment, the machine. Given by argument, so that tests can
// be a terminal too.

import type { Readable, Writable } from 'node:stream'

/** Standard input; a terminal where `isTTY` is true. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown }

/** Standard output or standard error. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Everything that a command takes from outside. */
export interface Surroundings {
  readonly input: Input
  readonly output: Output
  readonly errors: Output
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  readonly directory: string
  /** The machine's host name. */
  readonly machineName: string
  /** Who runs the command, as the operating system calls them. */
  readonly user: string
  /** Calls back at SIGTERM and SIGINT, until the result is disposed of. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): Disposable
  /** Calls back at SIGHUP, until the result is disposed of; where nobody listens, SIGHUP ends the process. */
  onReload(listener: () => void): Disposable
  /** Ends the process at once. */
  exit(code: number): never
}

/** Prints lines for whoever reads the command's result. */
export function print({ output }: Surroundings, ...lines: readonly string[]): void {
  output.write(lines.map((line) => `${line}\n`).join(''))
}

/** Prints a value as JSON, for programs. */
export function printJson({ output }: Surroundings, value: unknown): void {
  output.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Tells the person at the terminal something that is not the command's result. */
export function note({ errors }: Surroundings, message: string): void {
  errors.write(`annals: ${message}\n`)
}
