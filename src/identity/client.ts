// An OAuth 2.0 client: what is told about it, its name, its id and its secret. An id and a secret have only characters that
// every client library sends unchanged, encoded or not (RFC 6749 section 2.3.1).

import { createHash } from 'node:crypto'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { clientDescriptionCharacters, clientNameCharacters } from '../limits.ts'
import type { Random } from './password.ts'
import type { RecordBounds } from './rights.ts'

/** A client, as it is listed. Nothing of its secrets is in it. */
export interface Client {
  readonly clientId: string
  readonly name: string
  readonly description: string
  readonly scopes: readonly string[]
  /** What it may record; undefined where nothing. */
  readonly recordBounds: RecordBounds | undefined
  readonly isEnabled: boolean
  readonly expiresAt: Micros | undefined
  readonly createdAt: Micros
  /** The actor that made it. */
  readonly createdBy: string
  /** The account in whose name it was made. */
  readonly owner: string | undefined
  readonly lastUsedAt: Micros | undefined
  /** Those that are valid: one, or two while one is being replaced. */
  readonly secrets: readonly { readonly createdAt: Micros; readonly expiresAt: Micros | undefined }[]
}

/** A name for a new client. Throws INVALID_INPUT, saying what is expected. */
export function parseClientName(text: string): string {
  const name = text.normalize('NFC')
  if (pattern.test(name) && Array.from(name).length <= clientNameCharacters) return name
  throw new AnnalsError(
    'INVALID_INPUT',
    `the name of a client has 1 to ${clientNameCharacters} letters, digits, ".", "_", "-" or single blanks within, and begins with a letter or digit`,
  )
}

/** A description. Throws INVALID_INPUT, saying what is expected. */
export function parseDescription(text: string): string {
  const description = text.normalize('NFC')
  if (!/\p{Cc}/u.test(description) && Array.from(description).length <= clientDescriptionCharacters)
    return description
  throw new AnnalsError(
    'INVALID_INPUT',
    `a description is one line of at most ${clientDescriptionCharacters} characters`,
  )
}

/** A new id: readable, and never that of another client. */
export function newClientId(name: string, random: Random): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, slugCharacters)
  const digits = Array.from(random(idCharacters), (byte) => base32[byte & 31]).join('')
  return `${slug === '' ? 'client' : slug}-${digits}`
}

/** A new secret: 256 random bits. */
export function newSecret(random: Random): string {
  return Buffer.from(random(secretBytes)).toString('base64url')
}

/** What is stored of a secret. It needs no slow hash: it cannot be guessed. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

const pattern = /^[\p{L}\p{Nd}](?: ?[\p{L}\p{M}\p{Nd}._-])*$/u
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'
const slugCharacters = 24
const idCharacters = 10
const secretBytes = 32
