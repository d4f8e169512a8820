// Credentials that were verified not long ago, so that a client which sends them with every request costs one
// hash in five minutes. Nothing of a password is kept: the key is an HMAC of name and password under a key that
// this process made for itself. An entry proves only that the two belonged together at one credential version;
// whoever uses it must look whether that is still so.

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { cachedCredentials, cachedCredentialsMs } from '../limits.ts'
import type { Credentials } from './basic.ts'
import type { Clock } from './clock.ts'

/** What was verified. */
export interface VerifiedCredentials {
  readonly accountId: number
  readonly name: string
  readonly credentialVersion: number
  /** The session that the login began. */
  readonly session: string
}

/** At most 1,000 verified credentials, the oldest forgotten first. */
export class CredentialCache {
  readonly #clock: Clock
  readonly #key: KeyObject
  /** In order of age: an entry is never renewed in its place. */
  readonly #entries = new Map<string, VerifiedCredentials & { readonly expires: number }>()

  constructor(clock: Clock, key: Uint8Array) {
    this.#clock = clock
    // Made once: given the bare bytes, each HMAC would take 12 µs instead of 2.
    this.#key = createSecretKey(key)
  }

  /** Stands for credentials that come from a network, wherever they must be compared. */
  keyOf({ name, password }: Credentials, network = ''): string {
    // A name holds no colon and a password no control character (RFC 7617), so no two make the same text.
    return createHmac('sha256', this.#key).update(`${name}:${password}\0${network}`).digest('base64')
  }

  /** What was verified under a key, and is not too old. */
  get(key: string): VerifiedCredentials | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#clock.monotonicMicros() < entry.expires) return entry
    this.#entries.delete(key)
    return undefined
  }

  /** Remembers what was verified. */
  put(key: string, verified: VerifiedCredentials): void {
    this.#entries.delete(key)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < cachedCredentials) break
      this.#entries.delete(oldest)
    }
    this.#entries.set(key, {
      ...verified,
      expires: this.#clock.monotonicMicros() + cachedCredentialsMs * 1000,
    })
  }

  /** Forgets what is no longer so. */
  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** How many are remembered. */
  get size(): number {
    return this.#entries.size
  }
}
