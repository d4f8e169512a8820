// What a witness decides (C2SP tlog-witness, add-checkpoint): whether a log has grown from what the witness saw last. It
// keeps nothing: whoever asks it holds the state, and changes it before anybody is answered.

import { emptyRoot, bytesOfHash, type Hash } from './hash.ts'
import type { NoteKey } from './note-key.ts'
import { isConsistent } from './proof.ts'
import { parseSignedCheckpoint, type SignedCheckpoint, verifySignatures } from './signed-checkpoint.ts'
import { parseHash } from './tlog-proof.ts'

/** A request to cosign a checkpoint. */
export interface AddCheckpoint {
  /** The size that the log believes the witness saw last. */
  readonly old: number
  readonly proof: readonly Hash[]
  /** The signed checkpoint, as it stands there. */
  readonly note: string
  readonly checkpoint: SignedCheckpoint
}

const mostProofLines = 63

/** Renders a request. */
export function formatAddCheckpoint({
  old,
  proof,
  note,
}: Pick<AddCheckpoint, 'old' | 'proof' | 'note'>): string {
  const lines = proof.map((hash) => `${bytesOfHash(hash).toString('base64')}\n`)
  return `old ${old}\n${lines.join('')}\n${note}`
}

/** Reads a request; undefined where it is none: 400. */
export function parseAddCheckpoint(body: string): AddCheckpoint | undefined {
  const end = body.indexOf('\n\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = body.slice(0, end).split('\n')
  const [, old] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? []
  const proof = lines.map(parseHash)
  const note = body.slice(end + 2)
  const checkpoint = parseSignedCheckpoint(note)
  if (old === undefined || checkpoint === undefined || proof.length > mostProofLines) return undefined
  if (!proof.every((hash) => hash !== undefined) || Number(old) > checkpoint.size) return undefined
  return { old: Number(old), proof, note, checkpoint }
}

/** What a witness saw last of a log; of one that it never saw, the empty tree. */
export interface Seen {
  readonly size: number
  readonly root: Hash
}

/** Of a log that the witness has never seen. */
export const nothingSeen: Seen = { size: 0, root: emptyRoot }

/**
 * What becomes of a request. `conflict`: the log has to prove from the size that the witness saw last. `inconsistent`:
 * the log's own signature is under a tree that is no continuation; that is evidence, and worth keeping.
 */
export type Judgement =
  | { readonly verdict: 'cosign' }
  | { readonly verdict: 'unsigned' | 'inconsistent' }
  | { readonly verdict: 'conflict'; readonly size: number }

/** Judges a request about a log whose keys are known, in the order of the protocol: 403, 409, 422, or it is cosigned. */
export function judge(request: AddCheckpoint, keys: readonly NoteKey[], seen: Seen): Judgement {
  const { old, proof, checkpoint } = request
  const signed = verifySignatures(checkpoint, keys)
  if (signed === undefined || signed.length === 0) return { verdict: 'unsigned' }
  if (old !== seen.size) return { verdict: 'conflict', size: seen.size }
  const isNoTree = checkpoint.size === 0 && checkpoint.root !== emptyRoot
  const { size, root } = checkpoint
  if (isNoTree || !isConsistent({ old: seen, size, root, proof })) return { verdict: 'inconsistent' }
  return { verdict: 'cosign' }
}
