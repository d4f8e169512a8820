// GET /metrics: the numbers, for Prometheus.

import type { RouteHandlerMethod } from 'fastify'
import { neverStored } from '../headers.ts'
import type { Node } from '../node.ts'
import { send } from '../send.ts'

/** Answers with every metric, in the form that the metrics' own library chooses. */
export function metrics(node: Node): RouteHandlerMethod {
  return async (request, reply) => {
    const { contentType, text } = await node.metrics.render()
    send(node.metrics, request, reply, 200, [...neverStored, 'Content-Type', contentType], text)
  }
}
