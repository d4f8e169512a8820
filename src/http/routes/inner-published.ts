// GET /audit-trail/inner/v1/log/…: what this engine's log publishes of itself, for its portal, which passes it on to whoever
// may read the log.

import type { RouteHandlerMethod } from 'fastify'
import { innerPaths } from '../../federation/inner-api.ts'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { published } from '../published.ts'
import { sendPublished } from '../send-published.ts'

/** Answers with the file that stands at the path. */
export function innerPublished(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const path = (request.raw.url ?? '').slice(innerPaths.published.length + 1)
      await sendPublished(node, request, reply, path, await published(node.log, path))
    })
}
