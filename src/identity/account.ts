// An account: its name, and what is told about it. Names are chosen so that they can stand in the header of a
// line (L4), in HTTP Basic, and in a shell, and can be taken neither for the node itself (`*system`) nor for an
// external account, whose names have an `@` (S3).

import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { accountNameCharacters } from '../limits.ts'
import type { Profile } from './profile.ts'

/** A local account, as it is listed. Nothing of its password is in it. */
export interface Account {
  readonly name: string
  readonly profile: Profile
  readonly createdAt: Micros
  readonly passwordChangedAt: Micros
  /** Failed logins since the last that succeeded. */
  readonly failures: number
  readonly lastFailedAt: Micros | undefined
  /** Until when it is locked; undefined where it is not. */
  readonly lockedUntil: Micros | undefined
}

/** One form for names that look the same: Unicode's NFC. */
export function normalizeName(text: string): string {
  return text.normalize('NFC')
}

/** A name for a new account, normalised. Throws INVALID_INPUT, saying what is expected. */
export function parseName(text: string): string {
  const name = normalizeName(text)
  if (isExternalName(name)) {
    throw new AnnalsError(
      'INVALID_INPUT',
      'the name of a local account cannot contain "@": that is for external ones',
    )
  }
  if (pattern.test(name) && Array.from(name).length <= accountNameCharacters) return name
  throw new AnnalsError(
    'INVALID_INPUT',
    `the name of an account has 1 to ${accountNameCharacters} letters, digits, ".", "_" or "-", and begins with a letter or digit`,
  )
}

/** Whether a login name belongs to an external (SSO) account (S3). */
export function isExternalName(name: string): boolean {
  return name.includes('@')
}

const pattern = /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]*$/u
