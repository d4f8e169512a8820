// A log's head as it is stored: its latest checkpoint, signed with all of its keys. That of a log from before checkpoints
// were signed has the three lines alone; it is believed as far as they go, and signed when the log is opened.

import { type Checkpoint, parseCheckpoint } from '../tree/checkpoint.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { parseSignedCheckpoint, type SignedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'

/** A head that may be believed. */
export interface StoredHead extends Checkpoint {
  /** As it stands there. */
  readonly note: string
  /** True where every key of the log has signed it. */
  readonly isSigned: boolean
}

/** Reads a head of the log with these keys, or says what is wrong with it. */
export function readStoredHead(note: string, origin: string, keys: readonly NoteKey[]): StoredHead | string {
  const signed = parseSignedCheckpoint(note)
  const head = signed ?? parseCheckpoint(note)
  if (head === undefined) return 'the head is not readable'
  if (head.origin !== origin) return `the head is that of ${head.origin}, not of ${origin}`
  const count = signed === undefined ? 0 : countSignatures(signed, keys)
  if (count === undefined) return 'the head is not signed by the key of the log'
  return { origin, size: head.size, root: head.root, note, isSigned: count === keys.length }
}

// Undefined where a signature is wrong, or the log has not signed what is signed.
function countSignatures(signed: SignedCheckpoint, keys: readonly NoteKey[]): number | undefined {
  const count = verifySignatures(signed, keys)?.length
  return count === 0 ? undefined : count
}
