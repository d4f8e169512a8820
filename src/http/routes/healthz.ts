// GET /healthz: the process runs and its event loop turns. It asks nothing else, so that it costs nothing
// and no slow disk makes a supervisor kill a node that still serves.

import type { RouteHandlerMethod } from 'fastify'
import { everyAnswer, neverStored } from '../headers.ts'
import type { Node } from '../node.ts'

const headers = [...neverStored, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', '3']

/** Answers `ok`. */
export function healthz(node: Node): RouteHandlerMethod {
  return (request, reply) => {
    reply.hijack()
    node.metrics.answered('/healthz', 200)
    reply.raw.writeHead(200, [...everyAnswer(request.raw.socket), ...headers])
    reply.raw.end('ok\n')
  }
}
