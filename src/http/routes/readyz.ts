// GET /readyz: whether this node takes requests now, and what is wrong with it (E10). Its 503 is no refusal: the
// answer is what was asked for.

import type { RouteHandlerMethod } from 'fastify'
import { retryAfterSeconds } from '../../limits.ts'
import { neverStored } from '../headers.ts'
import type { Node } from '../node.ts'
import { send } from '../send.ts'

/** Answers 200 or 503, with the node's health as JSON. */
export function readyz(node: Node): RouteHandlerMethod {
  const headers = [...neverStored, 'Content-Type', 'application/json']
  const retry = ['Retry-After', String(retryAfterSeconds)]
  return (request, reply) => {
    const body = JSON.stringify(node.health())
    if (node.isReady()) send(node.metrics, request, reply, 200, headers, body)
    else send(node.metrics, request, reply, 503, [...headers, ...retry], body)
  }
}
