// GET /version: which Annals this is.

import type { RouteHandlerMethod } from 'fastify'
import { neverStored } from '../headers.ts'
import type { Node } from '../node.ts'
import { send } from '../send.ts'

/** Answers with the product's name and version. */
export function version(node: Node): RouteHandlerMethod {
  const body = JSON.stringify({ name: 'annals', version: node.version })
  return (request, reply) => {
    send(node.metrics, request, reply, 200, [...neverStored, 'Content-Type', 'application/json'], body)
  }
}
