// PUT /audit-trail/inner/v1/certificate: the certificate that the portal is going to show.

import type { RouteHandlerMethod } from 'fastify'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { bodyOf } from '../request-body.ts'
import { sendJson } from '../send.ts'

/** Answers with the fingerprints that the engine trusts from now on. */
export function innerCertificate(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const holds = await node.side.hold(bodyOf(request).toString())
      sendJson(node.metrics, request, reply, { holds })
    })
}
