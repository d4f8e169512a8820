// What a portal tells its engines of access tokens, on its way: written once, the same for all engines, and compared by its
// hash. What it means is no business of the federation (`identity/token-trust.ts`).

import { createHash } from 'node:crypto'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'

/** Whose access tokens an engine accepts, and which of them. */
export interface TokenTrust {
  readonly issuer: string
  /** Public keys (RFC 7517). */
  readonly keys: readonly TokenKey[]
  /** The clients that may record. */
  readonly clients: readonly {
    readonly id: string
    readonly validFrom: Micros
    readonly expires?: Micros
    readonly records: string
  }[]
  /** Tokens that were revoked before they expired. */
  readonly revoked: readonly { readonly jti: string; readonly expires: Micros }[]
  readonly endedUntil: Micros
}

/** A public key of an issuer: of RSA, as `kty` says. */
export interface TokenKey {
  readonly kid?: string
  readonly kty?: string
  readonly n?: string
  readonly e?: string
}

/** How an engine names what it was told where it was told nothing yet. */
export const nothingTold = '-'

/** Writes it. The same is written the same. */
export function renderTokenTrust({ issuer, keys, clients, revoked, endedUntil }: TokenTrust): string {
  return JSON.stringify({ issuer, keys, clients, revoked, endedUntil })
}

/** The SHA-256 of what was written, in hexadecimal. */
export function hashTokenTrust(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Reads it. Throws INVALID_PARAMETER where it is no such thing. */
export function parseTokenTrust(text: string): TokenTrust {
  const value = objectOf(text)
  const { issuer, keys, clients, revoked, endedUntil } = value
  const isWhole =
    typeof issuer === 'string' &&
    issuer !== '' &&
    isListOf(keys, isKey) &&
    isListOf(clients, isClient) &&
    isListOf(revoked, isRevocation) &&
    isMicros(endedUntil)
  if (!isWhole) throw malformed()
  return { issuer, keys, clients, revoked, endedUntil }
}

function objectOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed()
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Fields = Readonly<Record<string, unknown>>

function isListOf<T>(value: unknown, is: (element: unknown) => element is T): value is T[] {
  return Array.isArray(value) && value.every(is)
}

function isKey(value: unknown): value is TokenKey {
  if (!isObject(value)) return false
  const { kid, kty, n, e } = value
  return kty === 'RSA' && [kid, n, e].every((part) => typeof part === 'string' && part !== '')
}

function isClient(value: unknown): value is TokenTrust['clients'][number] {
  if (!isObject(value)) return false
  const { id, validFrom, expires, records } = value
  const isNamed = typeof id === 'string' && typeof records === 'string'
  return isNamed && isMicros(validFrom) && (expires === undefined || isMicros(expires))
}

function isRevocation(value: unknown): value is TokenTrust['revoked'][number] {
  if (!isObject(value)) return false
  const { jti, expires } = value
  return typeof jti === 'string' && isMicros(expires)
}

function isMicros(value: unknown): value is Micros {
  return Number.isSafeInteger(value)
}

function malformed(cause?: unknown): AnnalsError {
  return new AnnalsError('INVALID_PARAMETER', 'the body is not what is told of access tokens', { cause })
}
