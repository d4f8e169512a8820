// GET /readyz: whether this node takes requests now, and what is wrong with it (E10). Its 503 is no refusal: the
// answer is what was asked for.

import type { RouteHandlerMethod } from 'fastify'
import { retryAfterSeconds } from '../../limits.ts'
import { neverStored } from '../headers.ts'
import type { Portal } from '../portal.ts'
import { send } from '../send.ts'

/** Answers 200 or 503, with the node's health as JSON. */
export function readyz(portal: Portal): RouteHandlerMethod {
  const headers = [...neverStored, 'Content-Type', 'application/json']
  const retry = ['Retry-After', String(retryAfterSeconds)]
  return (request, reply) => {
    const body = JSON.stringify(portal.health())
    if (portal.isReady()) send(portal.metrics, request, reply, 200, headers, body)
    else send(portal.metrics, request, reply, 503, [...headers, ...retry], body)
  }
}
