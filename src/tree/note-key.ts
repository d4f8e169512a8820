// The keys that sign notes: Ed25519 of a log (C2SP signed-note, 0x01), Ed25519 of a witness (tlog-cosignature, 0x04), and
// ML-DSA-44 of either (tlog-cosignature, 0x06). What a signature is over depends on its type alone.

import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/** The signature types that there are here (C2SP signed-note, "Signature types"). */
export const signatureTypes = { ed25519: 0x01, ed25519Cosignature: 0x04, mlDsa44: 0x06 } as const

/** One of them. */
export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes]

/** A key that verifies. `name` and `id` say which signatures of a note are its own. */
export interface NoteKey {
  readonly name: string
  readonly id: number
  readonly type: SignatureType
  /** 32 bytes of Ed25519, 1312 of ML-DSA-44. */
  readonly publicKey: Buffer
}

/** A key that signs. */
export interface NoteSigner extends NoteKey {
  readonly privateKey: KeyObject
}

const keyBytes: Readonly<Record<SignatureType, number>> = { 0x01: 32, 0x04: 32, 0x06: 1312 }
const signatureBytes: Readonly<Record<SignatureType, number>> = { 0x01: 64, 0x04: 8 + 64, 0x06: 8 + 2420 }

// How each stands before the bytes of its key in an SPKI (RFC 8410, RFC 9881).
const spkiHeads: Readonly<Record<SignatureType, Buffer>> = {
  0x01: Buffer.from('302a300506032b6570032100', 'hex'),
  0x04: Buffer.from('302a300506032b6570032100', 'hex'),
  0x06: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
}

/** The key of a name. Throws a RangeError where the key's bytes are not as long as its type has them. */
export function noteKey(name: string, type: SignatureType, publicKey: Buffer): NoteKey {
  if (!isKeyName(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a key`)
  if (publicKey.length !== keyBytes[type])
    throw new RangeError(`a key of type ${type} has ${keyBytes[type]} bytes, not ${publicKey.length}`)
  return { name, type, publicKey, id: keyId(name, type, publicKey) }
}

/** The signer of a name, out of its private key. */
export function noteSigner(name: string, type: SignatureType, privateKey: KeyObject): NoteSigner {
  return { ...noteKey(name, type, publicBytes(privateKey)), privateKey }
}

/** The bytes of the public half of a key. */
export function publicBytes(key: KeyObject): Buffer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const head = key.asymmetricKeyType === 'ed25519' ? spkiHeads[0x01] : spkiHeads[0x06]
  if (!spki.subarray(0, head.length).equals(head))
    throw new RangeError('neither an Ed25519 nor an ML-DSA-44 key')
  return spki.subarray(head.length)
}

/** `<name>+<id>+<key>` (C2SP signed-note, "Verifier keys"). */
export function formatVkey({ name, id, type, publicKey }: NoteKey): string {
  return `${name}+${hexOf(id)}+${Buffer.concat([Buffer.of(type), publicKey]).toString('base64')}`
}

/** Reads a vkey; undefined where it is none, or its id is not that of its key. */
export function parseVkey(text: string): NoteKey | undefined {
  const [, name = '', id = '', encoded = ''] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text) ?? []
  const bytes = strictBase64(encoded)
  const type = Object.values(signatureTypes).find((known) => known === bytes?.[0])
  if (bytes === undefined || type === undefined || bytes.length !== 1 + keyBytes[type] || !isKeyName(name))
    return undefined
  const key = noteKey(name, type, bytes.subarray(1))
  return hexOf(key.id) === id ? key : undefined
}

/** What is signed of a checkpoint: its three lines, and what they say. */
export interface SignedText {
  readonly text: string
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** A signature of a checkpoint, as it stands behind the key id. `seconds` is the time of a cosignature. */
export function signCheckpoint(signer: NoteSigner, checkpoint: SignedText, seconds: number): Buffer {
  const message = messageOf(signer, checkpoint, seconds)
  const signature = sign(null, message, signer.privateKey)
  return signer.type === signatureTypes.ed25519 ? signature : Buffer.concat([uint64(seconds), signature])
}

/** The time that a signature of a checkpoint states, 0 where it has none; undefined where it is not the key's. */
export function verifyCheckpoint(
  key: NoteKey,
  checkpoint: SignedText,
  signature: Buffer,
): number | undefined {
  if (signature.length !== signatureBytes[key.type]) return undefined
  const isTimed = key.type !== signatureTypes.ed25519
  const seconds = isTimed ? Number(signature.readBigUInt64BE(0)) : 0
  if (!Number.isSafeInteger(seconds)) return undefined
  const spki = Buffer.concat([spkiHeads[key.type], key.publicKey])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  const bytes = isTimed ? signature.subarray(8) : signature
  return verify(null, messageOf(key, checkpoint, seconds), publicKey, bytes) ? seconds : undefined
}

function messageOf(
  { name, type }: NoteKey,
  { text, origin, size, root }: SignedText,
  seconds: number,
): Buffer {
  if (type === signatureTypes.ed25519) return Buffer.from(text)
  if (type === signatureTypes.ed25519Cosignature)
    return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    shortText(name),
    uint64(seconds),
    shortText(origin),
    uint64(0),
    uint64(size),
    root,
  ])
}

// opaque <1..2^8-1> of RFC 8446.
function shortText(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length < 1 || bytes.length > 255) throw new RangeError(`"${text}" has not 1 to 255 bytes`)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function keyId(name: string, type: SignatureType, publicKey: Buffer): number {
  const digest = hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]),
    'buffer',
  )
  return digest.readUInt32BE(0)
}

/** True for what may stand before a signature: no spaces of Unicode, no plus, no control characters. */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}\p{Z}]+$/u.test(name)
}

function hexOf(id: number): string {
  return id.toString(16).padStart(8, '0')
}

/** Base64 (RFC 4648, section 4) in its one canonical form; undefined for anything else. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
