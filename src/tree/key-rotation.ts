// How a log gets new keys: a statement that the old ones and the new ones have signed, so that whoever knows the old ones
// can follow. It is a note (C2SP signed-note) over this text, the middle three lines being a checkpoint's own:
//
//     annals/key-rotation@v1
//     <origin>
//     <size>
//     <root in base64>
//     old <vkey>        Ed25519, then ML-DSA-44
//     old <vkey>
//     new <vkey>        likewise
//     new <vkey>
//
// Each of the four keys has signed it: Ed25519 (0x01) the text itself. ML-DSA-44 (0x06) signs checkpoints and nothing else
// (tlog-cosignature), so those two sign the checkpoint of a log that is named by the first line and whose one entry is the
// text: no log has such an origin, and the root of one entry says all of it.

import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { bytesOfHash, leafHash } from './hash.ts'
import { formatNote, parseNote } from './note.ts'
import {
  formatVkey,
  type NoteKey,
  type NoteSigner,
  parseVkey,
  signatureTypes,
  signCheckpoint,
  type SignedText,
  verifyCheckpoint,
} from './note-key.ts'

/** What the statement says. */
export interface KeyRotation extends Checkpoint {
  /** The keys that signed until `size`, and go on beside the new ones for a while: Ed25519, then ML-DSA-44. */
  readonly old: readonly NoteKey[]
  readonly next: readonly NoteKey[]
}

/** Renders the statement and signs it with every key. Throws a RangeError where it is none that `readRotation` reads. */
export function signedRotation(
  rotation: Checkpoint,
  signers: { readonly old: readonly NoteSigner[]; readonly next: readonly NoteSigner[] },
  seconds: number,
): string {
  const text = formatRotation({ ...rotation, ...signers })
  const signatures = [...signers.old, ...signers.next].map((signer) => {
    return { name: signer.name, id: signer.id, bytes: signCheckpoint(signer, signedTextOf(text), seconds) }
  })
  const note = formatNote({ text, signatures })
  const read = readRotation(note)
  if (typeof read === 'string') throw new RangeError(read)
  return note
}

/** Reads a statement and verifies all four signatures, or says what is wrong with it. Further signatures are ignored. */
export function readRotation(note: string): KeyRotation | string {
  const parsed = parseNote(note)
  const rotation = parsed && parseRotation(parsed.text)
  if (parsed === undefined || rotation === undefined) return 'the statement of a key rotation is not readable'
  const signed = signedTextOf(parsed.text)
  for (const key of [...rotation.old, ...rotation.next]) {
    const signatures = parsed.signatures.filter(({ name, id }) => name === key.name && id === key.id)
    const isGood = ({ bytes }: { bytes: Buffer }) => verifyCheckpoint(key, signed, bytes) !== undefined
    if (signatures.length === 0 || !signatures.every(isGood))
      return `the statement of a key rotation is not signed by ${formatVkey(key)}`
  }
  return rotation
}

/**
 * Follows a log's rotations, in their order, from keys that are known to its present ones. All statements must verify and
 * each begin where the one before it ended; the known keys must be those of one step, or, as while a rotation was under
 * way, of two neighbouring ones. Without a statement the known keys are the present ones. Says what is wrong otherwise.
 */
export function followRotations(
  known: readonly NoteKey[],
  statements: readonly string[],
): readonly NoteKey[] | string {
  const steps: (readonly NoteKey[])[] = []
  let last: KeyRotation | undefined
  for (const statement of statements) {
    const rotation = readRotation(statement)
    if (typeof rotation === 'string') return rotation
    if (last !== undefined && !follows(last, rotation))
      return 'a key rotation does not follow the one before it'
    if (last === undefined) steps.push(rotation.old)
    steps.push(rotation.next)
    last = rotation
  }
  const isKnown = steps.some((step, k) => {
    const both = [...step, ...(steps[k + 1] ?? [])]
    return known.length > 0 && known.every((key) => isAmong(key, both))
  })
  if (steps.length > 0 && !isKnown) return 'no key rotation begins with the keys that are known'
  return steps.at(-1) ?? known
}

/** What a log tells of its keys to anybody: the present ones, and every rotation so far, the first one first. */
export interface LogKeys {
  readonly origin: string
  /** Those that sign now. While a rotation is under way, the old ones come first. */
  readonly keys: readonly NoteKey[]
  readonly statements: readonly string[]
}

/** Renders that: the kind of text, the origin and the keys, one a line, and behind an empty line each, the statements. */
export function formatLogKeys({ origin, keys, statements }: LogKeys): string {
  const head = [keysHead, origin, ...keys.map(formatVkey), ''].join('\n')
  return [head, ...statements].join('\n')
}

/** Reads what `formatLogKeys` renders; undefined where it is not that. Nothing is believed: see `followRotations`. */
export function parseLogKeys(text: string): LogKeys | undefined {
  const [head = '', ...blocks] = text.split('\n\n')
  const [kind, origin = '', ...vkeys] = (blocks.length === 0 ? head.slice(0, -1) : head).split('\n')
  const keys = vkeys.map(parseVkey).filter((key) => key !== undefined && key.name === origin)
  if (kind !== keysHead || keys.length !== vkeys.length || keys.length === 0) return undefined
  if (blocks.length % 2 !== 0 || !text.endsWith('\n')) return undefined
  const statements: string[] = []
  for (let k = 0; k < blocks.length; k += 2) {
    const signatures = blocks[k + 1] ?? ''
    statements.push(`${blocks[k]}\n\n${signatures}${k + 2 === blocks.length ? '' : '\n'}`)
  }
  const read = { origin, keys: keys as NoteKey[], statements }
  return formatLogKeys(read) === text ? read : undefined
}

const rotationHead = 'annals/key-rotation@v1'
const keysHead = 'annals/log-keys@v1'

function formatRotation({ old, next, ...checkpoint }: KeyRotation): string {
  const lines = [
    ...old.map((key) => `old ${formatVkey(key)}\n`),
    ...next.map((key) => `new ${formatVkey(key)}\n`),
  ]
  return `${rotationHead}\n${formatCheckpoint(checkpoint)}${lines.join('')}`
}

function parseRotation(text: string): KeyRotation | undefined {
  const lines = text.split('\n')
  const checkpoint = parseCheckpoint(
    lines
      .slice(1, 4)
      .map((line) => `${line}\n`)
      .join(''),
  )
  const old = keyPairOf(lines.slice(4, 6), 'old ', checkpoint?.origin)
  const next = keyPairOf(lines.slice(6, 8), 'new ', checkpoint?.origin)
  if (checkpoint === undefined || old === undefined || next === undefined) return undefined
  if (old.some((key) => isAmong(key, next))) return undefined
  const rotation = { ...checkpoint, old, next }
  return formatRotation(rotation) === text ? rotation : undefined
}

function keyPairOf(
  lines: readonly string[],
  head: string,
  origin: string | undefined,
): NoteKey[] | undefined {
  const keys = lines.map((line) => (line.startsWith(head) ? parseVkey(line.slice(head.length)) : undefined))
  const [ed25519, mlDsa] = keys
  if (ed25519?.type !== signatureTypes.ed25519 || mlDsa?.type !== signatureTypes.mlDsa44) return undefined
  return ed25519.name === origin && mlDsa.name === origin ? [ed25519, mlDsa] : undefined
}

function signedTextOf(text: string): SignedText {
  return { text, origin: rotationHead, size: 1, root: bytesOfHash(leafHash(text)) }
}

function follows(before: KeyRotation, rotation: KeyRotation): boolean {
  return (
    before.origin === rotation.origin &&
    before.size <= rotation.size &&
    rotation.old.every((key) => isAmong(key, before.next))
  )
}

function isAmong(key: NoteKey, keys: readonly NoteKey[]): boolean {
  return keys.some((other) => formatVkey(other) === formatVkey(key))
}
