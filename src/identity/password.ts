// Passwords: the rules for new ones, and the string that is stored of one. It is the PHC string format
// (https://github.com/P-H-C/phc-string-format): `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. The hashing
// itself takes tens of milliseconds and is done elsewhere (`hasher.ts`).

import { AnnalsError } from '../errors.ts'
import { passwordMaxCharacters, passwordMinCharacters } from '../limits.ts'

/** What hashing costs: memory in KiB, passes over it, lanes (RFC 9106). */
export interface HashParameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

/** A stored password, parsed. */
export interface PasswordHash {
  readonly parameters: HashParameters
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** Gives that many random bytes. */
export type Random = (bytes: number) => Uint8Array

/** What new hashes cost: OWASP's choice for argon2id, some 40 ms. */
export const hashParameters: HashParameters = { memory: 19_456, passes: 2, parallelism: 1 }
/** Bytes of a new salt, and of a new hash. */
export const saltBytes = 16
export const hashBytes = 32

/** One form for passwords that look the same, however a keyboard composed them: Unicode's NFC, in UTF-8. */
export function passwordBytes(password: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(password.normalize('NFC'))
}

/**
 * Lets a new password pass that has at least 8 characters of 3 of 4 classes: upper case, lower case, digits,
 * and special ones, which is all the rest (S4). Throws INVALID_INPUT, saying what is missing.
 */
export function checkPassword(password: string): void {
  const text = password.normalize('NFC')
  const { length } = Array.from(text)
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    refuse('a password cannot contain control characters: HTTP Basic cannot carry them')
  }
  if (length > passwordMaxCharacters) refuse(`a password has at most ${passwordMaxCharacters} characters`)
  const classes = classPatterns.filter((pattern) => pattern.test(text)).length
  if (length < passwordMinCharacters || classes < 3) {
    refuse(
      `a password needs at least ${passwordMinCharacters} characters of 3 of these 4 classes: upper case, lower case, digits, special characters`,
    )
  }
}

/** A password that keeps the rules and can be typed and copied: some 116 bits, no characters that look alike. */
export function randomPassword(random: Random): string {
  for (;;) {
    const groups = Array.from({ length: 4 }, () => randomCharacters(random, 5))
    // The dash is its special character. One in some twenty lacks a digit, and is thrown away.
    const password = groups.join('-')
    if (classPatterns.every((pattern) => pattern.test(password))) return password
  }
}

/** Parses a stored password. Throws INTERNAL where it is none: the database was written by somebody else. */
export function parseHash(text: string): PasswordHash {
  const [, memory, passes, parallelism, salt, hash] = phc.exec(text) ?? []
  if (salt === undefined || hash === undefined) throw malformed()
  const parameters = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  if (!isBearable(parameters)) throw malformed()
  return { parameters, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** The string that is stored. */
export function formatHash({ parameters, salt, hash }: PasswordHash): string {
  const { memory, passes, parallelism } = parameters
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
}

/** Whether a hash with these parameters was cheaper to try out than one with those of today. */
export function isWeaker(parameters: HashParameters, today: HashParameters): boolean {
  return parameters.memory * parameters.passes < today.memory * today.passes
}

/**
 * What stands in for the stored password of an account that does not exist: it costs as much to verify, and no
 * password is known that matches it (S6).
 */
export function unmatchableHash(random: Random, parameters: HashParameters): string {
  return formatHash({ parameters, salt: random(saltBytes), hash: random(hashBytes) })
}

const classPatterns = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u]

// Without 0 and O, 1 and l and I.
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

function randomCharacters(random: Random, count: number): string {
  // Bytes past the last whole multiple of the alphabet are left out: else its first letters came more often.
  const even = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < count) {
    const [byte = 0] = random(1)
    if (byte < even) text += alphabet[byte % alphabet.length]
  }
  return text
}

const phc =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,4}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** What is stored must not be able to take all memory, or a minute. */
function isBearable({ memory, passes, parallelism }: HashParameters): boolean {
  return memory >= 8 * parallelism && memory <= 1024 * 1024 && passes <= 64 && parallelism <= 16
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

function malformed(): AnnalsError {
  return new AnnalsError('INTERNAL', 'a stored password cannot be read', {
    detail: 'a password_hash of the account database is not a PHC string of argon2id',
  })
}

function refuse(message: string): never {
  throw new AnnalsError('INVALID_INPUT', message)
}
