// GET /audit-trail/api/v2/witness/{origin hash}/checkpoint (C2SP tlog-witness, "Monitor Retrieval Mechanism"): the latest
// checkpoint of a log that this witness cosigned. A log that begins asks for it, and so learns whether it was rolled back.

import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import { neverStored } from '../headers.ts'
import { send } from '../send.ts'
import type { WitnessingNode } from '../witnessing.ts'

/** Answers with a signed checkpoint. Also while the node starts: peers that start together ask each other. */
export function witnessCheckpoint(node: WitnessingNode): RouteHandlerMethod {
  return async (request, reply) => {
    node.calls.begin()
    try {
      const note = await node.witness.latest(hashOf(request))
      if (note === undefined)
        throw new AnnalsError('NOT_FOUND', 'this witness has cosigned nothing of that log')
      const headers = [...neverStored, 'Content-Type', 'text/plain; charset=utf-8']
      send(node.metrics, request, reply, 200, headers, note)
    } finally {
      node.calls.end()
    }
  }
}

function hashOf({ params }: FastifyRequest): string {
  const { hash } = params as { hash: string }
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw new AnnalsError('NOT_FOUND', 'expected the SHA-256 of an origin, 64 hexadecimal digits in lower case')
}
