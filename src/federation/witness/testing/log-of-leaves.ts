// A log that is nothing but leaves and keys: enough to ask a witness, honestly or not.

import { generateKeyPairSync } from 'node:crypto'
import { rootOf } from '../../../tree/compact-range.ts'
import { emptyRoot, type Hash, leafHash } from '../../../tree/hash.ts'
import { type NoteSigner, noteSigner, signatureTypes } from '../../../tree/note-key.ts'
import { consistencyRanges, hashesOf } from '../../../tree/proof.ts'
import { signedCheckpoint } from '../../../tree/signed-checkpoint.ts'
import { formatAddCheckpoint } from '../../../tree/witness.ts'

/** One. `leaves` are texts. */
export interface LogOfLeaves {
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  readonly leaves: readonly string[]
}

/** A log with keys of its own, and so many leaves. */
export function logOfLeaves(origin: string, size: number): LogOfLeaves {
  const signers = [
    noteSigner(origin, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey),
    noteSigner(origin, signatureTypes.mlDsa44, generateKeyPairSync('ml-dsa-44').privateKey),
  ]
  return { origin, signers, leaves: Array.from({ length: size }, (_, k) => String(k)) }
}

/** Its signed checkpoint at a size. */
export function noteAt(log: LogOfLeaves, size: number, seconds = 1_700_000_000): string {
  return signedCheckpoint({ origin: log.origin, size, root: rootAt(log, size) }, log.signers, seconds)
}

/** What it asks a witness. */
export async function requestOf(
  log: LogOfLeaves,
  old: number,
  size: number,
  seconds?: number,
): Promise<string> {
  return formatAddCheckpoint({
    old,
    proof: await consistencyOf(log, old, size),
    note: noteAt(log, size, seconds),
  })
}

/** The proof that it has grown. */
export async function consistencyOf(log: LogOfLeaves, old: number, size: number): Promise<Hash[]> {
  const hashes = log.leaves.map((leaf) => leafHash(leaf))
  return await hashesOf(consistencyRanges(old, size), ({ height, index }) =>
    rootOf(hashes.slice(index * 2 ** height, (index + 1) * 2 ** height)),
  )
}

/** Its root at a size. */
export function rootAt({ leaves }: LogOfLeaves, size: number): Hash {
  return size === 0 ? emptyRoot : rootOf(leaves.slice(0, size).map((leaf) => leafHash(leaf)))
}
