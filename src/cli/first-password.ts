// How the first administrator's password reaches a person: from a file that they wrote, shown once on their terminal,
// or in a file that only they can read.

import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Configuration } from '../config/configuration.ts'
import { AnnalsError } from '../errors.ts'
import { checkPassword, randomPassword } from '../identity/password.ts'
import { administratorName } from '../server/portal.ts'
import { readPasswordFile } from './password-source.ts'
import { print, type Surroundings } from './surroundings.ts'

/**
 * Gets the first administrator's password, and resolves once it is where it can be found again. There is no account
 * yet: what an interrupted first start left behind is worth nothing, and is overwritten.
 */
export async function firstPassword(
  surroundings: Surroundings,
  { data, adminPasswordFile }: Configuration,
): Promise<string> {
  if (adminPasswordFile !== undefined) return await givenPassword(adminPasswordFile)
  const password = randomPassword(randomBytes)
  if (surroundings.output.isTTY === true) {
    print(
      surroundings,
      `The administrator's account is "${administratorName}", with this password, which is shown only now:`,
      '',
      `  ${password}`,
      '',
    )
    return password
  }
  const file = passwordFileOf(data)
  await writePrivateFile(file, `${password}\n`)
  print(
    surroundings,
    `The administrator's account is "${administratorName}". Its password is in ${file}: delete that file once you have it.`,
  )
  return password
}

/** Where the random password is of a portal that has nobody to show it to. */
export function passwordFileOf(data: string): string {
  return join(data, 'admin-password')
}

async function givenPassword(file: string): Promise<string> {
  const password = await readPasswordFile(file)
  try {
    checkPassword(password)
  } catch (cause) {
    if (!(cause instanceof AnnalsError)) throw cause
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `the password in ${file} cannot be used: ${cause.message}`,
      { cause },
    )
  }
  return password
}

// Exclusive, so that the file is ours and its mode is 0600 from the beginning; durable, because the account is made
// on the strength of it.
async function writePrivateFile(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
  await using directory = await open(join(path, '..'), 'r')
  await directory.sync()
}
