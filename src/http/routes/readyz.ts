// GET /readyz: whether this node takes requests now (E10).

import type { RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import { neverStored } from '../headers.ts'
import type { Portal } from '../portal.ts'
import { send } from '../send.ts'

/** Answers `ready`, or refuses with UNAVAILABLE. */
export function readyz(portal: Portal): RouteHandlerMethod {
  return (request, reply) => {
    if (!portal.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
    const headers = [...neverStored, 'Content-Type', 'text/plain; charset=utf-8']
    send(portal.metrics, request, reply, 200, headers, 'ready\n')
  }
}
