// A log's identity at rest: its name, which is made from its Ed25519 key, and the key itself. Both are made once,
// with the log. `log.json` is written last: without it there is no log.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { join } from 'node:path'
import type { LogId, Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { descriptionFile, keyFile } from './layout.ts'

/** What is known of a log before it is opened. */
export interface LogDescription {
  readonly id: LogId
  readonly hostName: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** The origin of a log's checkpoints. */
export function originOf({ hostName, id }: LogDescription): string {
  return `${hostName}/audit-trail/api/v2/logs/${id}`
}

/** A log's name: its host's and 16 base32 characters of the SHA-256 of its public key. */
export function logIdOf(hostName: string, publicKey: Uint8Array): LogId {
  const digest = createHash('sha256').update(publicKey).digest()
  return `${hostName}-${base32(digest.subarray(0, 10))}` as LogId
}

/** Makes a log's key and name in a directory that has none. A crash in it leaves no log. */
export async function createDescription(
  disk: Disk,
  directory: string,
  of: { readonly hostName: string; readonly created: Micros },
): Promise<LogDescription> {
  await disk.makeDirectory(directory)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = rawPublicKey(publicKey)
  const description: LogDescription = { id: logIdOf(of.hostName, raw), hostName: of.hostName, publicKey: raw }
  await replaceFile(
    disk,
    join(directory, keyFile),
    Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  )
  const text = {
    format: 'annals log v1',
    id: description.id,
    hostName: of.hostName,
    publicKey: Buffer.from(raw).toString('base64'),
    created: formatMicros(of.created),
  }
  await replaceFile(
    disk,
    join(directory, descriptionFile),
    Buffer.from(`${JSON.stringify(text, undefined, 2)}\n`),
  )
  return description
}

/** Reads what `createDescription` made; undefined where there is no log. Throws LOG_DAMAGED. */
export async function readDescription(disk: Disk, directory: string): Promise<LogDescription | undefined> {
  const bytes = await readWhole(disk, join(directory, descriptionFile))
  if (bytes === undefined) return undefined
  const description = parseDescription(bytes.toString())
  if (description === undefined) throw damaged(`${descriptionFile} is not readable`)
  return description
}

/** Demands that the log's private key is there and is its own. Throws LOG_DAMAGED. */
export async function demandKey(disk: Disk, directory: string, description: LogDescription): Promise<void> {
  const pem = await readWhole(disk, join(directory, keyFile))
  if (pem === undefined) throw damaged(`${keyFile} is missing`)
  let raw: Uint8Array
  try {
    raw = rawPublicKey(createPublicKey(createPrivateKey({ key: pem, format: 'pem' })))
  } catch (cause) {
    throw damaged(`${keyFile} is not readable`, cause)
  }
  if (!Buffer.from(raw).equals(description.publicKey))
    throw damaged(`${keyFile} is not the key of ${description.id}`)
}

function parseDescription(text: string): LogDescription | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { format, id, hostName, publicKey } = value as Record<string, unknown>
  if (format !== 'annals log v1' || typeof hostName !== 'string' || typeof publicKey !== 'string')
    return undefined
  const raw = Buffer.from(publicKey, 'base64')
  return raw.length === 32 && logIdOf(hostName, raw) === id
    ? { id: logIdOf(hostName, raw), hostName, publicKey: raw }
    : undefined
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
}

// RFC 4648, section 6, in lower case: a log id is part of host names and URLs.
function base32(bytes: Uint8Array): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let left = bytes.length * 8; left > 0; left -= 5) {
    text += 'abcdefghijklmnopqrstuvwxyz234567'[Number((bits >> BigInt(left - 5)) & 31n)]
  }
  return text
}

function damaged(detail: string, cause?: unknown): AnnalsError {
  return new AnnalsError('LOG_DAMAGED', `the audit log is damaged and is not opened: ${detail}`, {
    detail,
    cause,
  })
}
