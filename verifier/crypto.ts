// What `src/tree` and `src/verify` ask of node:crypto, in a browser: SHA-256 and the check of an Ed25519 signature, by
// libraries that were audited. It signs nothing, and knows no ML-DSA-44: the page says that it has not checked such
// signatures.

import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'

/** A public key. */
export interface KeyObject {
  /** 32 bytes. */
  readonly ed25519: Uint8Array
}

/** The SHA-256 of bytes, or of text in UTF-8: as a Buffer, or as `binary`: a character for each byte. */
export function hash(algorithm: 'sha256', data: string | Uint8Array, encoding: 'binary'): string
export function hash(algorithm: 'sha256', data: string | Uint8Array, encoding: 'buffer'): Buffer
export function hash(
  _algorithm: 'sha256',
  data: string | Uint8Array,
  encoding: 'binary' | 'buffer',
): string | Buffer {
  const digest = bufferOver(sha256(typeof data === 'string' ? Buffer.from(data) : data))
  return encoding === 'binary' ? digest.toString('latin1') : digest
}

/** The same, in steps. */
export function createHash(_algorithm: 'sha256'): Hasher {
  const state = sha256.create()
  const hasher: Hasher = {
    update: (data) => {
      state.update(typeof data === 'string' ? Buffer.from(data) : data)
      return hasher
    },
    digest: (encoding) => bufferOver(state.digest()).toString(encoding),
  }
  return hasher
}

/** A SHA-256 under way. */
export interface Hasher {
  update(data: string | Uint8Array): Hasher
  digest(encoding: 'hex' | 'base64'): string
}

// How an Ed25519 key stands in an SPKI (RFC 8410).
const spkiHead = '302a300506032b6570032100'

/** A key out of its SPKI. Throws a RangeError where it is not of Ed25519. */
export function createPublicKey({ key }: { readonly key: Buffer }): KeyObject {
  if (key.subarray(0, 12).toString('hex') !== spkiHead || key.length !== 12 + 32)
    throw new RangeError('not an Ed25519 key')
  return { ed25519: key.subarray(12) }
}

/** Whether a signature is the key's (RFC 8032). */
export function verify(
  _algorithm: null,
  message: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
): boolean {
  // As strict as OpenSSL is: no encoding of a point but the one.
  return ed25519.verify(signature, message, key.ed25519, { zip215: false })
}

/** Throws. */
export function sign(): never {
  throw new Error('the verifier signs nothing')
}

function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}
