// The proof that an entry is in a log, in one file (C2SP tlog-proof): its index, the hashes up to the root, and a signed
// checkpoint. What is hashed may go along as `extra`, and is believed only once it is hashed.

import { bytesOfHash, type Hash, hashBytes, readHash } from './hash.ts'
import { strictBase64 } from './note-key.ts'
import { rootOfInclusion } from './proof.ts'
import { parseSignedCheckpoint, type SignedCheckpoint } from './signed-checkpoint.ts'

/** What such a file says. */
export interface TlogProof {
  readonly extra?: Buffer
  readonly index: number
  readonly hashes: readonly Hash[]
  /** The signed checkpoint, as it stands there. */
  readonly checkpoint: string
}

const first = 'c2sp.org/tlog-proof@v1'
const mostHashes = 63

/** Renders a proof. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const lines = [
    first,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...hashes.map((hash) => bytesOfHash(hash).toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Reads a proof; undefined where it is none. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const end = text.indexOf('\n\n')
  if (end === -1) return undefined
  const lines = text.slice(0, end).split('\n')
  if (lines.shift() !== first) return undefined
  const extra = lines[0]?.startsWith('extra ') === true ? strictBase64(lines.shift()?.slice(6) ?? '') : null
  const [, index] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '') ?? []
  const hashes = lines.map(parseHash)
  if (extra === undefined || index === undefined || hashes.length > mostHashes) return undefined
  if (!hashes.every((hash) => hash !== undefined)) return undefined
  const proof = { index: Number(index), hashes, checkpoint: text.slice(end + 2) }
  return extra === null ? proof : { ...proof, extra }
}

/** A hash in base64, as it stands in a line; undefined where it is none. */
export function parseHash(line: string): Hash | undefined {
  const bytes = strictBase64(line)
  return bytes?.length === hashBytes ? readHash(bytes) : undefined
}

/** The checkpoint of a proof, where the proof leads from this leaf to its root. Who has signed it is another question. */
export function checkpointOfProof(proof: TlogProof, leaf: Hash): SignedCheckpoint | undefined {
  const checkpoint = parseSignedCheckpoint(proof.checkpoint)
  if (checkpoint === undefined) return undefined
  const root = rootOfInclusion(leaf, proof.index, checkpoint.size, proof.hashes)
  return root === checkpoint.root ? checkpoint : undefined
}
