// The proofs of a log double: made from its lines whenever they are asked for, with a checkpoint that always covers all of
// them.

import { generateKeyPairSync } from 'node:crypto'
import type { LogProofs } from '../../log/log-proofs.ts'
import { rootOf } from '../../tree/compact-range.ts'
import { bytesOfHash, type Hash, leafHash } from '../../tree/hash.ts'
import { noteSigner, signatureTypes } from '../../tree/note-key.ts'
import { consistencyRanges, hashesOf, inclusionRanges } from '../../tree/proof.ts'
import { subtreesOf } from '../../tree/range.ts'
import { signedCheckpoint } from '../../tree/signed-checkpoint.ts'
import { formatBundle, leavesPerHash, tileWidth, widthIn } from '../../tree/tile.ts'

/** The key and the proofs of a log whose lines are these at any moment, without their newlines. */
export function proofsDouble(origin: string, lines: () => readonly string[]) {
  const signer = noteSigner(origin, signatureTypes.ed25519, generateKeyPairSync('ed25519').privateKey)
  const leaves = () => lines().map((line) => leafHash(line))
  const root = (from: number, to: number): Hash => rootOf(leaves().slice(from, to))
  const subtree = ({ height, index }: { height: number; index: number }) =>
    root(index * 2 ** height, (index + 1) * 2 ** height)
  const head = () => {
    const size = lines().length
    return { size, note: signedCheckpoint({ origin, size, root: root(0, size) }, [signer], 0) }
  }
  const line = (position: number) => Buffer.from(lines()[position] ?? '')
  const proofs: LogProofs = {
    checkpoint: () => head(),
    covering: async () => head(),
    witnessed: () => undefined,
    has: (position) => position < lines().length,
    tile: async ({ level, index, width }) => {
      if (widthIn(lines().length, level, index) < width) return undefined
      const per = leavesPerHash(level)
      const at = index * tileWidth
      return Buffer.concat(
        Array.from({ length: width }, (_, k) => bytesOfHash(root((at + k) * per, (at + k + 1) * per))),
      )
    },
    bundle: async (index, width) =>
      widthIn(lines().length, 'entries', index) < width
        ? undefined
        : formatBundle(Array.from({ length: width }, (_, k) => line(index * tileWidth + k))),
    line: async (position) => line(position),
    inclusion: (position, size) => hashesOf(inclusionRanges(position, size), subtree),
    consistency: (old, size) => hashesOf(consistencyRanges(old, size), subtree),
    subtrees: async (range) => subtreesOf(range).map(subtree),
  }
  return { key: signer, proofs }
}
