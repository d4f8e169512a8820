// The text of a checkpoint (C2SP tlog-checkpoint) without its signatures: origin, size in decimal, root in
// base64, each ended by a newline. A log's `head` file is exactly this.

import { bytesOfHash, type Hash, hashBytes, readHash } from './hash.ts'

/** What a checkpoint says. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

/** The three lines. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${bytesOfHash(checkpoint.root).toString('base64')}\n`
}

/** Reads the three lines; undefined where the text is not exactly what `formatCheckpoint` writes. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, sizeText, rootText, rest] = text.split('\n', 4)
  if (origin === undefined || sizeText === undefined || rootText === undefined || rest !== '')
    return undefined
  const root = Buffer.from(rootText, 'base64')
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(sizeText) || root.length !== hashBytes) return undefined
  const checkpoint = { origin, size: Number(sizeText), root: readHash(root) }
  return formatCheckpoint(checkpoint) === text ? checkpoint : undefined
}
