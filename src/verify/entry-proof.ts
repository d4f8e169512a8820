// The proof that one entry is in a log (C2SP tlog-proof): a receipt, which has the stored line along with it, or a proof of a
// line that somebody has. What the line says of its place must be where the proof has it.

import type { Position, StoredEntry } from '../entry/event.ts'
import { leafHashOfBytes } from '../tree/hash.ts'
import type { SignedCheckpoint } from '../tree/signed-checkpoint.ts'
import { checkpointOfProof, parseTlogProof } from '../tree/tlog-proof.ts'
import { parseEntry } from './answer-check.ts'
import { logOfOrigin } from './lines.ts'
import { contradicted, malformed } from './not-proved.ts'

/** An entry that is proved to be in a log, once its checkpoint is found to be signed by a key that is trusted. */
export interface CheckedEntry {
  readonly checkpoint: SignedCheckpoint
  readonly log: string
  readonly position: Position
  readonly entry: StoredEntry
  /** As it is stored, without a newline. */
  readonly line: Buffer
}

/** Whether a text is meant to be such a proof. */
export function isEntryProof(text: string): boolean {
  return text.startsWith('c2sp.org/tlog-proof@')
}

/** Checks such a proof, of the line that is given or of the one that it brings along. Throws `NotProved`. */
export function checkEntryProof(text: string, given?: Buffer): CheckedEntry {
  const proof = parseTlogProof(text)
  if (proof === undefined) throw malformed('the proof of the entry is not readable')
  const line = given ?? proof.extra
  if (line === undefined) throw malformed('the proof brings no line along: give the line too')
  if (proof.extra !== undefined && !proof.extra.equals(line))
    throw contradicted('the line is not the one of which the proof tells')
  const checkpoint = checkpointOfProof(proof, leafHashOfBytes(line, 0, line.length))
  if (checkpoint === undefined) throw contradicted('the line does not lead to the root of the checkpoint')
  const [entry, log] = [parseEntry(line), logOfOrigin(checkpoint.origin)]
  if (entry === undefined || log === undefined || entry.log !== log || entry.position !== proof.index)
    throw contradicted('the line does not say of itself that it stands where the proof has it')
  return { checkpoint, log, position: proof.index, entry, line }
}
