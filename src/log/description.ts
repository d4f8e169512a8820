// A log's identity at rest: its name, which is made from its first Ed25519 key, and its keys. All are made with the log;
// the keys may be replaced later (`log-keys.ts`), the name stays. `log.json` is written last: without it there is no log.
// Logs that are older than their second key get it when they are opened.

import assert from 'node:assert/strict'
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { LogId, Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Disk } from '../store/disk.ts'
import { readWhole, replaceFile } from '../store/durable-file.ts'
import { followRotations, type LogKeys } from '../tree/key-rotation.ts'
import {
  type NoteKey,
  noteKey,
  type NoteSigner,
  noteSigner,
  publicBytes,
  signatureTypes,
} from '../tree/note-key.ts'
import { type Continues, formatContinues, parseContinues } from './continues.ts'
import { parseJsonObject } from './json-object.ts'
import { descriptionFile, keyFilesOf } from './layout.ts'
import { formatStoredRotation, parseStoredRotation, type StoredRotation } from './stored-rotation.ts'

/** What is known of a log before it is opened. */
export interface LogDescription {
  readonly id: LogId
  readonly hostName: string
  /** Its first Ed25519 key, 32 bytes: the name is made from it, whatever signs now. */
  readonly publicKey: Uint8Array
  /** Its first ML-DSA-44 key, 1312 bytes; undefined for a log that has no such key yet. */
  readonly mlDsaPublicKey: Uint8Array | undefined
  /** As it stands in the file. */
  readonly created: string
  /** The log before it in this directory, where there was one. */
  readonly continues: Continues | undefined
  /** How its keys were replaced since, the first rotation first. */
  readonly rotations: readonly StoredRotation[]
}

/** The origin of a log's checkpoints. */
export function originOf({ hostName, id }: Pick<LogDescription, 'hostName' | 'id'>): string {
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
  of: { readonly hostName: string; readonly created: Micros; readonly continues?: Continues },
): Promise<LogDescription> {
  await disk.makeDirectory(directory)
  const { privateKey } = generateKeyPairSync('ed25519')
  await putKey(disk, join(directory, keyFilesOf(0)[0]), privateKey)
  const publicKey = publicBytes(privateKey)
  return await addMlDsaKey(disk, directory, {
    id: logIdOf(of.hostName, publicKey),
    hostName: of.hostName,
    publicKey,
    mlDsaPublicKey: undefined,
    created: formatMicros(of.created),
    continues: of.continues,
    rotations: [],
  })
}

/** Makes the second key of a log that has none, and writes its description. A crash in it leaves the log as it was. */
export async function addMlDsaKey(
  disk: Disk,
  directory: string,
  description: LogDescription,
): Promise<LogDescription> {
  const { privateKey } = generateKeyPairSync('ml-dsa-44')
  await putKey(disk, join(directory, keyFilesOf(0)[1]), privateKey)
  const whole = { ...description, mlDsaPublicKey: publicBytes(privateKey) }
  await putDescription(disk, directory, whole)
  return whole
}

/** Replaces a log's description, durably. */
export async function putDescription(
  disk: Disk,
  directory: string,
  { id, hostName, publicKey, mlDsaPublicKey, created, continues, rotations }: LogDescription,
): Promise<void> {
  const text = {
    format,
    id,
    hostName,
    publicKey: base64(publicKey),
    ...(mlDsaPublicKey === undefined ? {} : { mlDsa44PublicKey: base64(mlDsaPublicKey) }),
    created,
    ...(continues === undefined ? {} : { continues: formatContinues(continues) }),
    ...(rotations.length === 0 ? {} : { rotations: rotations.map(formatStoredRotation) }),
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

/** Makes the keys that a log is to have next, durably, and returns what signs with them. Nothing names them yet. */
export async function makeNextKeys(
  disk: Disk,
  directory: string,
  description: LogDescription,
): Promise<NoteSigner[]> {
  const origin = originOf(description)
  const files = keyFilesOf(description.rotations.length + 1)
  const pairs = [generateKeyPairSync('ed25519'), generateKeyPairSync('ml-dsa-44')]
  const types = [signatureTypes.ed25519, signatureTypes.mlDsa44] as const
  const signers: NoteSigner[] = []
  for (const [k, type] of types.entries()) {
    const [file, pair] = [files[k], pairs[k]]
    assert(file !== undefined && pair !== undefined)
    await putKey(disk, join(directory, file), pair.privateKey)
    signers.push(noteSigner(origin, type, pair.privateKey))
  }
  return signers
}

/** Removes the private keys that the last rotation replaced, durably. */
export async function destroyOldKeys(
  disk: Disk,
  directory: string,
  { rotations }: LogDescription,
): Promise<void> {
  for (const file of keyFilesOf(rotations.length - 1)) await disk.remove(join(directory, file))
  await disk.syncDirectory(directory)
}

/**
 * What signs a log's checkpoints: its two keys, behind the two that they are to replace while a rotation is under way.
 * Throws LOG_DAMAGED where one is not there, or is not the log's own.
 */
export async function readSigners(
  disk: Disk,
  directory: string,
  description: LogDescription,
): Promise<NoteSigner[]> {
  const signers: NoteSigner[] = []
  for (const { generation, keys } of signing(description)) {
    const files = keyFilesOf(generation)
    for (const [k, { name, type, publicKey }] of keys.entries()) {
      const key = await readKey(disk, directory, files[k] ?? '', description.id, publicKey)
      signers.push(noteSigner(name, type, key))
    }
  }
  return signers
}

/** The keys that verify them. */
export function noteKeysOf(description: LogDescription): NoteKey[] {
  return signing(description).flatMap(({ keys }) => keys)
}

/** What a log tells anybody of its keys. */
export function logKeysOf(description: LogDescription): LogKeys {
  return {
    origin: originOf(description),
    keys: noteKeysOf(description),
    statements: description.rotations.map(({ statement }) => statement),
  }
}

interface Generation {
  readonly generation: number
  readonly keys: readonly NoteKey[]
}

function signing(description: LogDescription): Generation[] {
  const { rotations } = description
  const last = rotations.at(-1)
  if (last === undefined) return [{ generation: 0, keys: firstKeysOf(description) }]
  const old = { generation: rotations.length - 1, keys: last.old }
  const next = { generation: rotations.length, keys: last.next }
  return last.step === 'begun' || last.step === 'told' ? [old, next] : [next]
}

function firstKeysOf(
  description: Pick<LogDescription, 'id' | 'hostName' | 'publicKey' | 'mlDsaPublicKey'>,
): NoteKey[] {
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
  const value = parseJsonObject(text)
  if (value === undefined) return undefined
  const {
    format: written,
    id,
    hostName,
    publicKey,
    mlDsa44PublicKey,
    created,
    continues: before,
    rotations = [],
  } = value
  if (written !== format || typeof hostName !== 'string' || typeof publicKey !== 'string') return undefined
  const raw = Buffer.from(publicKey, 'base64')
  const mlDsa = typeof mlDsa44PublicKey === 'string' ? Buffer.from(mlDsa44PublicKey, 'base64') : undefined
  if (raw.length !== 32 || logIdOf(hostName, raw) !== id || (mlDsa?.length ?? mlDsaBytes) !== mlDsaBytes)
    return undefined
  const keys = { id: logIdOf(hostName, raw), hostName, publicKey: raw, mlDsaPublicKey: mlDsa }
  const stored = parseRotations(rotations, keys)
  const continues = parseContinues(before)
  if (before !== undefined && continues === undefined) return undefined
  return stored && { ...keys, created: String(created), continues, rotations: stored }
}

// They lead from the first keys to the last, without a gap.
function parseRotations(
  values: unknown,
  of: Parameters<typeof firstKeysOf>[0],
): readonly StoredRotation[] | undefined {
  if (!Array.isArray(values)) return undefined
  const rotations = values.map(parseStoredRotation).filter((rotation) => rotation !== undefined)
  const followed = followRotations(
    firstKeysOf(of),
    rotations.map(({ statement }) => statement),
  )
  return rotations.length === values.length && typeof followed !== 'string' ? rotations : undefined
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
