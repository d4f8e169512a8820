// PUT /audit-trail/inner/v1/keys: the portal tells the keys of its log and of its witness.

import type { RouteHandlerMethod } from 'fastify'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { bodyOf } from '../request-body.ts'
import { sendJson } from '../send.ts'

/** Answers with the hash of what the engine knows from now on. */
export function innerKeys(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const portalKeys = await node.side.learnKeys(bodyOf(request).toString())
      sendJson(node.metrics, request, reply, { portalKeys })
    })
}
