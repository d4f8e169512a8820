// The hashes of RFC 6962, section 2.1: a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right).
//
// A hash is a string of 32 characters, one for each byte (`latin1`): it is immutable, compares with `===`, and
// the runtime makes it two times faster than a Buffer.

import { hash as digest } from 'node:crypto'

/** 32 bytes as 32 characters, U+0000 to U+00FF. */
export type Hash = string & { readonly __brand: 'Hash' }

/** The bytes of a hash. */
export const hashBytes = 32

/** The root of the tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1). */
export const emptyRoot: Hash = digest('sha256', '', 'binary') as Hash

/** The leaf hash of an entry given as text, which is hashed in UTF-8. */
export function leafHash(entry: string): Hash {
  return digest('sha256', `\0${entry}`, 'binary') as Hash
}

/** The leaf hash of `bytes[start, end)`. */
export function leafHashOfBytes(bytes: Buffer, start: number, end: number): Hash {
  const length = end - start + 1
  if (prefixed.length < length) prefixed = Buffer.alloc(2 * length)
  bytes.copy(prefixed, 1, start, end)
  return digest('sha256', prefixed.subarray(0, length), 'binary') as Hash
}

// One buffer for all calls: it is filled and hashed before anyone else can run. Its first byte stays 0.
let prefixed = Buffer.alloc(4_096)

const node = Buffer.alloc(1 + 2 * hashBytes)
node[0] = 1

/** The hash of the node over two subtrees. */
export function nodeHash(left: Hash, right: Hash): Hash {
  // One buffer for all calls: it is filled and hashed before anyone else can run.
  node.write(left, 1, 'latin1')
  node.write(right, 1 + hashBytes, 'latin1')
  return digest('sha256', node, 'binary') as Hash
}

/** The root over perfect subtrees that stand one behind the other, the largest first (RFC 6962, section 2.1). */
export function foldRight(roots: readonly Hash[]): Hash {
  return roots.length === 0 ? emptyRoot : roots.reduceRight((root, left) => nodeHash(left, root))
}

/** A hash out of 32 bytes at `offset`. */
export function readHash(bytes: Buffer, offset = 0): Hash {
  return bytes.toString('latin1', offset, offset + hashBytes) as Hash
}

/** The 32 bytes of a hash. */
export function bytesOfHash(hash: Hash): Buffer {
  return Buffer.from(hash, 'latin1')
}

/** Those of several, one behind the other. */
export function bytesOfHashes(hashes: readonly Hash[]): Buffer {
  return Buffer.from(hashes.join(''), 'latin1')
}
