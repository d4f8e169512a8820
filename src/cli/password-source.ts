// Where a command gets a secret from: a file, the person at the terminal, or, for a new password, a generator. Never an
// argument or a variable, which other users of the machine can read.

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { AnnalsError } from '../errors.ts'
import { passwordFileBytes } from '../limits.ts'
import { promptNewPassword, promptSecret } from './prompt.ts'
import { randomPassword } from '../identity/password.ts'
import type { Surroundings } from './surroundings.ts'

/** What the flags below say. */
export interface PasswordOptions {
  readonly passwordFile?: string
  readonly generate?: boolean
}

/** A password, and whether the person has yet to be told. */
export interface NewPassword {
  readonly password: string
  readonly isGenerated: boolean
}

/** Gives a command the flags that say where the password comes from. */
export function addPasswordOptions(command: Command): Command {
  return command
    .option('--password-file <FILE>', "take the password from the file's first line (- is standard input)")
    .option('--generate', 'make a random password and print it, once')
}

/** Gets the password. Throws INVALID_INPUT where there is nothing to get it from. */
export async function newPassword(
  surroundings: Surroundings,
  account: string,
  { passwordFile, generate = false }: PasswordOptions,
): Promise<NewPassword> {
  if (generate && passwordFile !== undefined) {
    throw new AnnalsError('INVALID_INPUT', 'give --password-file or --generate, and not both')
  }
  if (generate) return { password: randomPassword(randomBytes), isGenerated: true }
  if (passwordFile === '-') return typed(firstLine(await readInput(surroundings), 'standard input'))
  if (passwordFile !== undefined)
    return typed(await readPasswordFile(resolve(surroundings.directory, passwordFile)))
  if (surroundings.input.isTTY === true) return typed(await promptNewPassword(surroundings, account))
  throw new AnnalsError(
    'INVALID_INPUT',
    'there is no terminal to ask for the password: give --password-file FILE, --password-file - or --generate',
  )
}

/** The password in a file: its first line. Throws INVALID_INPUT. */
export async function readPasswordFile(path: string): Promise<string> {
  return await readSecretFile(path, 'password')
}

/** How to get a secret that somebody else gave out. */
export interface SecretSource {
  /** What it is, such as `client secret`. */
  readonly what: string
  /** The file that was named, - for standard input, or none. */
  readonly file: string | undefined
  /** The flag that names it. */
  readonly flag: string
  /** What the person at the terminal is asked where there is no file. */
  readonly question: string
}

/** Gets such a secret. Throws INVALID_INPUT where there is nothing to get it from. */
export async function knownSecret(
  surroundings: Surroundings,
  { what, file, flag, question }: SecretSource,
): Promise<string> {
  if (file === '-') return firstLine(await readInput(surroundings), 'standard input', what)
  if (file !== undefined) return await readSecretFile(resolve(surroundings.directory, file), what)
  if (surroundings.input.isTTY === true) return await promptSecret(surroundings, question)
  throw new AnnalsError(
    'INVALID_INPUT',
    `there is no terminal to ask for the ${what}: give ${flag} FILE, or ${flag} - for standard input`,
  )
}

/** A secret in a file: its first line. Throws INVALID_INPUT. */
export async function readSecretFile(path: string, what: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AnnalsError('INVALID_INPUT', `the ${what} file cannot be read: ${why}`, { cause })
  })
  return firstLine(bytes, path, what)
}

function firstLine(bytes: Buffer, name: string, what = 'password'): string {
  if (bytes.length > passwordFileBytes) {
    throw new AnnalsError(
      'INVALID_INPUT',
      `${name} is too long for a ${what}: more than ${passwordFileBytes} bytes`,
    )
  }
  const line = bytes.toString().split(/\r?\n/, 1)[0] ?? ''
  if (line === '') throw new AnnalsError('INVALID_INPUT', `there is no ${what} in the first line of ${name}`)
  return line
}

async function readInput({ input }: Surroundings): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer)
    chunks.push(bytes)
    length += bytes.length
    if (length > passwordFileBytes) break
  }
  return Buffer.concat(chunks)
}

function typed(password: string): NewPassword {
  return { password, isGenerated: false }
}
