// A log's identity at rest: its name, which is made from its Ed25519 key, and its keys. All are made once, with the log.
// `log.json` is written last: without it there is no log. Logs that are older than their second key get it when they are
// opened.

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { LogId, Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import {
  type NoteKey,
  noteKey,
  type NoteSigner,
  noteSigner,
  publicBytes,
  signatureTypes,
} from '../tree/note-key.ts'
import { descriptionFile, keyFile, mlDsaKeyFile } from './layout.ts'

/** What is known of a log before it is opened. */
export interface LogDescription {
  readonly id: LogId
  readonly hostName: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** ML-DSA-44, 1312 bytes; undefined for a log that has no such key yet. */
  readonly mlDsaPublicKey: Uint8Array | undefined
  /** As it stands in the file. */
  readonly created: string
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
  const { privateKey } = generateKeyPairSync('ed25519')
  await putKey(disk, join(directory, keyFile), privateKey)
  const publicKey = publicBytes(privateKey)
  return await addMlDsaKey(disk, directory, {
    id: logIdOf(of.hostName, publicKey),
    hostName: of.hostName,
    publicKey,
    mlDsaPublicKey: undefined,
    created: formatMicros(of.created),
  })
}

/** Makes the second key of a log that has none, and writes its description. A crash in it leaves the log as it was. */
export async function addMlDsaKey(
  disk: Disk,
  directory: string,
  description: LogDescription,
): Promise<LogDescription> {
  const { privateKey } = generateKeyPairSync('ml-dsa-44')
  await putKey(disk, join(directory, mlDsaKeyFile), privateKey)
  const whole = { ...description, mlDsaPublicKey: publicBytes(privateKey) }
  await putDescription(disk, directory, whole)
  return whole
}

async function putDescription(
  disk: Disk,
  directory: string,
  { id, hostName, publicKey, mlDsaPublicKey, created }: LogDescription,
): Promise<void> {
  const text = {
    format,
    id,
    hostName,
    publicKey: base64(publicKey),
    ...(mlDsaPublicKey === undefined ? {} : { mlDsa44PublicKey: base64(mlDsaPublicKey) }),
    created,
  }
  const bytes = Buffer.from(`${JSON.stringify(text, undefined, 2)}\n`)
  await replaceFile(disk, join(directory, descriptionFile), bytes)
}

async function putKey(disk: Disk, path: string, key: KeyObject): Promise<void> {
  await replaceFile(disk, path, Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })))
}

/** Reads what `createDescription` made; undefined where there is no log. Throws LOG_DAMAGED. */
export async function readDescription(disk: Disk, directory: string): Promise<LogDescription | undefined> {
  const bytes = await readWhole(disk, join(directory, descriptionFile))
  if (bytes === undefined) return undefined
  const description = parseDescription(bytes.toString())
  if (description === undefined) throw damaged(`${descriptionFile} is not readable`)
  return description
}

/** What signs a log's checkpoints: its two keys. Throws LOG_DAMAGED where one is not there, or is not the log's own. */
export async function readSigners(
  disk: Disk,
  directory: string,
  description: LogDescription,
): Promise<NoteSigner[]> {
  const { publicKey, mlDsaPublicKey } = description
  const origin = originOf(description)
  const ed25519 = await readKey(disk, directory, keyFile, description.id, publicKey)
  const signers = [noteSigner(origin, signatureTypes.ed25519, ed25519)]
  if (mlDsaPublicKey === undefined) return signers
  const mlDsa = await readKey(disk, directory, mlDsaKeyFile, description.id, mlDsaPublicKey)
  return [...signers, noteSigner(origin, signatureTypes.mlDsa44, mlDsa)]
}

/** The keys that verify them. */
export function noteKeysOf(description: LogDescription): NoteKey[] {
  const { publicKey, mlDsaPublicKey } = description
  const origin = originOf(description)
  const keys = [noteKey(origin, signatureTypes.ed25519, Buffer.from(publicKey))]
  return mlDsaPublicKey === undefined
    ? keys
    : [...keys, noteKey(origin, signatureTypes.mlDsa44, Buffer.from(mlDsaPublicKey))]
}

async function readKey(
  disk: Disk,
  directory: string,
  file: string,
  log: LogId,
  expected: Uint8Array,
): Promise<KeyObject> {
  const pem = await readWhole(disk, join(directory, file))
  if (pem === undefined) throw damaged(`${file} is missing`)
  const key = privateKeyOf(pem, file)
  if (publicBytes(key).equals(expected)) return key
  throw damaged(`${file} is not the key of ${log}`)
}

function privateKeyOf(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw damaged(`${file} is not readable`, cause)
  }
}

function parseDescription(text: string): LogDescription | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const {
    format: written,
    id,
    hostName,
    publicKey,
    mlDsa44PublicKey,
    created,
  } = value as Record<string, unknown>
  if (written !== format || typeof hostName !== 'string' || typeof publicKey !== 'string') return undefined
  const raw = Buffer.from(publicKey, 'base64')
  const mlDsa = typeof mlDsa44PublicKey === 'string' ? Buffer.from(mlDsa44PublicKey, 'base64') : undefined
  if (raw.length !== 32 || logIdOf(hostName, raw) !== id || (mlDsa?.length ?? mlDsaBytes) !== mlDsaBytes)
    return undefined
  return {
    id: logIdOf(hostName, raw),
    hostName,
    publicKey: raw,
    mlDsaPublicKey: mlDsa,
    created: String(created),
  }
}

const format = 'annals log v1'
const mlDsaBytes = 1312

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
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
