// GET /metrics: the numbers, for Prometheus.

import type { RouteHandlerMethod } from 'fastify'
import { neverStored } from '../headers.ts'
import type { Portal } from '../portal.ts'
import { send } from '../send.ts'

/** Answers with every metric, in the form that the metrics' own library chooses. */
export function metrics(portal: Portal): RouteHandlerMethod {
  return async (request, reply) => {
    const { contentType, text } = await portal.metrics.render()
    send(portal.metrics, request, reply, 200, [...neverStored, 'Content-Type', contentType], text)
  }
}
