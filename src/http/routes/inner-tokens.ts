// PUT /audit-trail/inner/v1/tokens: what the portal tells of its access tokens, so that the engine can judge them by itself.

import type { RouteHandlerMethod } from 'fastify'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { bodyOf } from '../request-body.ts'
import { sendJson } from '../send.ts'

/** Answers with the hash of what the engine knows from now on. */
export function innerTokens(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const tokens = await node.side.learn(bodyOf(request).toString())
      sendJson(node.metrics, request, reply, { tokens })
    })
}
