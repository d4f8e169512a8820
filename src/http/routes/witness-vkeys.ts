// GET /audit-trail/api/v2/witness/vkeys: the keys that verify this witness's cosignatures, one a line, for a policy (C2SP
// tlog-policy).

import type { RouteHandlerMethod } from 'fastify'
import { formatVkey } from '../../tree/note-key.ts'
import { neverStored } from '../headers.ts'
import { send } from '../send.ts'
import type { WitnessingNode } from '../witnessing.ts'

/** Answers with vkeys. */
export function witnessVkeys(node: WitnessingNode): RouteHandlerMethod {
  const headers = [...neverStored, 'Content-Type', 'text/plain; charset=utf-8']
  return (request, reply) => {
    const lines = node.witness.keys.map((key) => `${formatVkey(key)}\n`)
    send(node.metrics, request, reply, 200, headers, lines.join(''))
  }
}
