// The keys of a node's witness: its own, apart from the log's and from TLS (C2SP tlog-cosignature). They rest beside what the
// witness has seen, and are never in a backup: a witness that forgot what it saw must not go on under its old name's keys.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { AnnalsError } from '../../errors.ts'
import type { Disk } from '../../store/disk.ts'
import { readWhole, replaceFile } from '../../store/durable-file.ts'
import { type NoteSigner, noteSigner, publicBytes, signatureTypes } from '../../tree/note-key.ts'

/** The name under which a node's witness signs. */
export function witnessName(hostName: string): string {
  return `${hostName}/audit-trail/api/v2/witness`
}

/**
 * Opens the keys of a node's witness, and makes those that are not there: Ed25519 (cosignature/v1) and ML-DSA-44. A crash
 * in it leaves the first without the second, which the next start makes. Throws STORAGE_FAILED where one is not readable.
 */
export async function openWitnessKeys(
  disk: Disk,
  directory: string,
  hostName: string,
): Promise<readonly NoteSigner[]> {
  await disk.makeDirectory(directory)
  await keepOutOfBackups(disk, directory)
  const signers = await readWitnessKeys(disk, directory, hostName)
  for (const { file, type, make } of kinds) {
    if (signers.some((signer) => signer.type === type)) continue
    const key = make()
    await replaceFile(disk, join(directory, file), Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })))
    signers.push(noteSigner(witnessName(hostName), type, key))
  }
  return signers
}

/** The keys that are there. Throws STORAGE_FAILED where one is not readable. */
export async function readWitnessKeys(
  disk: Disk,
  directory: string,
  hostName: string,
): Promise<NoteSigner[]> {
  const signers: NoteSigner[] = []
  for (const { file, type } of kinds) {
    const pem = await readWhole(disk, join(directory, file))
    if (pem !== undefined)
      signers.push(noteSigner(witnessName(hostName), type, privateKeyOf(pem, type, file)))
  }
  return signers
}

const kinds = [
  {
    file: 'key.pem',
    type: signatureTypes.ed25519Cosignature,
    make: () => generateKeyPairSync('ed25519').privateKey,
  },
  {
    file: 'key-ml-dsa-44.pem',
    type: signatureTypes.mlDsa44,
    make: () => generateKeyPairSync('ml-dsa-44').privateKey,
  },
] as const

// What programs that make backups look for (bford.info/cachedir). It is there before the first key is.
async function keepOutOfBackups(disk: Disk, directory: string): Promise<void> {
  const file = join(directory, 'CACHEDIR.TAG')
  if ((await readWhole(disk, file)) === undefined) await replaceFile(disk, file, Buffer.from(cacheTag))
}

const cacheTag = `Signature: 8a477f597d28d172789f06886806bc55
# What this node's witness has seen, and its keys. It must not be in a backup: a witness that is restored has forgotten
# what it saw last, and would vouch for a log that was rolled back.
`

function privateKeyOf(pem: Buffer, type: number, file: string): KeyObject {
  try {
    const key = createPrivateKey({ key: pem, format: 'pem' })
    const bytes = type === signatureTypes.mlDsa44 ? 1312 : 32
    if (publicBytes(key).length === bytes) return key
  } catch (cause) {
    throw unreadable(file, cause)
  }
  throw unreadable(file)
}

function unreadable(file: string, cause?: unknown): AnnalsError {
  return new AnnalsError(
    'STORAGE_FAILED',
    `the key of the witness in witness/${file} is not readable: remove it, and the witness gets another`,
    { cause },
  )
}
