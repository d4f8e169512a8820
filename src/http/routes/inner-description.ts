// GET /audit-trail/inner/v1/description: how this engine is, for its portal.

import type { RouteHandlerMethod } from 'fastify'
import { holdsHeader } from '../../federation/inner-api.ts'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { sendJson } from '../send.ts'

/** Answers with `Description`. Being asked with its next certificate among those held, the engine switches to it. */
export function innerDescription(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const held = request.headers[holdsHeader]
      const holds = typeof held === 'string' ? held.split(',') : []
      sendJson(node.metrics, request, reply, await node.side.describe(holds))
    })
}
