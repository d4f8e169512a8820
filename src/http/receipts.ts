// Receipts: for each event that was recorded, the proof that it is in the log (C2SP tlog-proof), with the line as it is
// stored. They come once a checkpoint covers the events, within a second of their being durable.

import { isAnnalsError } from '../errors.ts'
import type { Recorded } from '../log/audit-log.ts'
import { formatTlogProof } from '../tree/tlog-proof.ts'
import type { Node } from './node.ts'

/** Makes what is added to the results of events, as JSON: `,"proof":…`. */
export type Receipts = (all: readonly Recorded[]) => Promise<readonly string[]>

/**
 * The receipts of a node's log. Whatever becomes of them, the events are recorded: where no checkpoint comes in time, as
 * on a full disk, `proof` is null, and the proofs can be had later.
 */
export function receiptsOf({ log, logger }: Pick<Node, 'log' | 'logger'>): Receipts {
  return async (all) => {
    try {
      return await proofsOf(log.proofs, all)
    } catch (error) {
      if (!isAnnalsError(error, 'UNAVAILABLE')) logger.error({ err: error }, 'receipts could not be made')
      return all.map(() => ',"proof":null')
    }
  }
}

async function proofsOf(proofs: Node['log']['proofs'], all: readonly Recorded[]): Promise<string[]> {
  const last = Math.max(...all.map(({ position }) => position))
  const { note: checkpoint, size } = await proofs.covering(last + 1)
  const texts: string[] = []
  for (const { position: index } of all) {
    const [extra, hashes] = [await proofs.line(index), await proofs.inclusion(index, size)]
    texts.push(`,"proof":${JSON.stringify(formatTlogProof({ extra, index, hashes, checkpoint }))}`)
  }
  return texts
}
