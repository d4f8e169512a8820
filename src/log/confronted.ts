// Whether a log has grown from a checkpoint that somebody shows of it. A checkpoint that it has signed and does not continue
// proves that this is a copy of the log which was restored, or that it was rolled back (I10): nothing may be recorded in it
// any more, for that would be signed as other entries at positions that were given out already.

import type { Hash } from '../tree/hash.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { parseSignedCheckpoint, verifySignatures } from '../tree/signed-checkpoint.ts'

/** A log, as far as it is compared. */
export interface ComparedLog {
  readonly origin: string
  /** Its own. What nobody signed with one of them proves nothing. */
  readonly keys: readonly NoteKey[]
  readonly size: number
  /** The root of the tree of its first entries. */
  readonly rootAt: (size: number) => Promise<Hash>
}

/** True where the log has signed that checkpoint and is no continuation of it. */
export async function contradicts(
  note: string,
  { origin, keys, size, rootAt }: ComparedLog,
): Promise<boolean> {
  const checkpoint = parseSignedCheckpoint(note)
  if (checkpoint?.origin !== origin) return false
  const signed = verifySignatures(checkpoint, keys)
  if (signed === undefined || signed.length === 0) return false
  return checkpoint.size > size || checkpoint.root !== (await rootAt(checkpoint.size))
}

/** What whoever wants to record is told. */
export const readOnlyRefusal =
  'nothing is recorded: this log is an older copy of itself, as a witness proves, and is read-only. Continue as a new log ' +
  'with "annals log renew"'
