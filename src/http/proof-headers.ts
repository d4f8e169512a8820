// What an answer says of its proof, and what a caller wants to find in the proof.

import type { FastifyRequest } from 'fastify'
import type { Position } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import type { Portal } from './portal.ts'

/** Where the proof is that an answer is complete for its window: `mark` is the position of the read's own entry. */
export function proofHeaders(
  { publicUrl }: Pick<Portal, 'publicUrl'>,
  log: string,
  mark: Position | undefined,
): readonly string[] {
  if (mark === undefined) return []
  return ['Annals-Proof', `${publicUrl()}/audit-trail/api/v2/logs/${log}/reads/${mark}/proof`]
}

/**
 * What the caller sent along as `Annals-Nonce`, which the read's own entry repeats: who finds it there knows that the
 * proof is of this very read. Throws INVALID_PARAMETER.
 */
export function nonceOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const nonce = headers['annals-nonce']
  if (nonce === undefined || (typeof nonce === 'string' && /^[A-Za-z0-9._~-]{1,64}$/.test(nonce)))
    return nonce
  throw new AnnalsError(
    'INVALID_PARAMETER',
    'Annals-Nonce: expected 1 to 64 letters, digits, or any of . _ ~ -',
  )
}
