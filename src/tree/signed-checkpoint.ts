// A signed checkpoint (C2SP tlog-checkpoint): the head of a log, in a note. A log signs with all of its keys; a witness
// adds a line.

import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { bytesOfHash } from './hash.ts'
import { formatNote, formatSignature, type NoteSignature, parseNote } from './note.ts'
import {
  type NoteKey,
  type NoteSigner,
  signCheckpoint,
  type SignedText,
  verifyCheckpoint,
} from './note-key.ts'

/** A checkpoint that was read, with its signatures, of which none is verified. */
export interface SignedCheckpoint extends Checkpoint {
  /** Its three lines. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Signs a checkpoint with every key. `seconds` is the time that the signatures state which state one. */
export function signedCheckpoint(
  checkpoint: Checkpoint,
  signers: readonly NoteSigner[],
  seconds: number,
): string {
  const text = formatCheckpoint(checkpoint)
  const signatures = signers.map((signer) =>
    signatureOf({ ...checkpoint, text, signatures: [] }, signer, seconds),
  )
  return formatNote({ text, signatures })
}

/** One more signature of a checkpoint: a witness's, as the line that it answers with. */
export function cosignatureLine(checkpoint: SignedCheckpoint, signer: NoteSigner, seconds: number): string {
  return formatSignature(signatureOf(checkpoint, signer, seconds))
}

function signatureOf(checkpoint: SignedCheckpoint, signer: NoteSigner, seconds: number): NoteSignature {
  const { name, id } = signer
  return { name, id, bytes: signCheckpoint(signer, signedTextOf(checkpoint), seconds) }
}

/** The note of a checkpoint that was read. */
export function noteOf({ text, signatures }: SignedCheckpoint): string {
  return formatNote({ text, signatures })
}

/** Reads a signed checkpoint; undefined where it is none, or has extension lines, which our logs never have. */
export function parseSignedCheckpoint(note: string): SignedCheckpoint | undefined {
  const parsed = parseNote(note)
  const checkpoint = parsed && parseCheckpoint(parsed.text)
  return checkpoint === undefined
    ? undefined
    : { ...checkpoint, text: parsed?.text ?? '', signatures: parsed?.signatures ?? [] }
}

/** A signature that is a key's. */
export interface Verified {
  readonly key: NoteKey
  /** When a cosignature was made, in seconds since the epoch; 0 where the signature states no time. */
  readonly seconds: number
}

/**
 * Which of the keys have signed. Undefined where a line says that it is of one of them and is not: then the whole note is
 * to be rejected (C2SP signed-note, "Signatures"). Lines of other keys are ignored.
 */
export function verifySignatures(
  checkpoint: SignedCheckpoint,
  keys: readonly NoteKey[],
): readonly Verified[] | undefined {
  const verified: Verified[] = []
  for (const { name, id, bytes } of checkpoint.signatures) {
    const key = keys.find((key) => key.name === name && key.id === id)
    if (key === undefined) continue
    const seconds = verifyCheckpoint(key, signedTextOf(checkpoint), bytes)
    if (seconds === undefined) return undefined
    verified.push({ key, seconds })
  }
  return verified
}

function signedTextOf({ text, origin, size, root }: SignedCheckpoint): SignedText {
  return { text, origin, size, root: bytesOfHash(root) }
}
