// POST /audit-trail/api/v2/witness/add-checkpoint (C2SP tlog-witness): a log asks to have its checkpoint cosigned.

import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import type { WitnessAnswer } from '../../federation/witness/witness.ts'
import { neverStored } from '../headers.ts'
import { bodyOf } from '../request-body.ts'
import { send } from '../send.ts'
import type { WitnessingNode } from '../witnessing.ts'

/** Answers with the witness's signature lines. */
export function witnessAddCheckpoint(node: WitnessingNode): RouteHandlerMethod {
  return async (request, reply) => {
    node.calls.begin()
    try {
      const { status, type, body } = answerOf(await ask(node, request))
      send(node.metrics, request, reply, status, [...neverStored, 'Content-Type', type], body)
    } finally {
      node.calls.end()
    }
  }
}

async function ask(node: WitnessingNode, request: FastifyRequest): Promise<WitnessAnswer> {
  if (!node.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
  return await node.witness.addCheckpoint(bodyOf(request).toString())
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const text = 'text/plain; charset=utf-8'
const inconsistent = 'this is no continuation of what this witness cosigned last\n'

// The refusals of the protocol, in its words: a status, and for 409 the size that the witness saw last.
function answerOf(answer: WitnessAnswer): Answer {
  switch (answer.verdict) {
    case 'cosigned':
      return { status: 200, type: text, body: answer.lines }
    case 'conflict':
      return { status: 409, type: 'text/x.tlog.size', body: `${answer.size}\n` }
    case 'inconsistent':
      return { status: 422, type: text, body: inconsistent }
    case 'malformed':
      throw new AnnalsError('MALFORMED_REQUEST', 'the body is expected to be as tlog-witness says')
    case 'unknown':
      throw new AnnalsError('NOT_FOUND', 'this witness does not know a log of that origin')
    case 'unsigned':
      throw new AnnalsError('FORBIDDEN', 'the checkpoint is not signed by a key that is known of its log')
    case 'too soon':
      throw new AnnalsError('TOO_MANY_REQUESTS', 'this witness cosigns for one log only now and then', {
        retryAfterSeconds: answer.retryAfterSeconds,
      })
  }
}
