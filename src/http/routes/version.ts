// GET /version: which Annals this is.

import type { RouteHandlerMethod } from 'fastify'
import { neverStored } from '../headers.ts'
import type { Portal } from '../portal.ts'
import { send } from '../send.ts'

/** Answers with the product's name and version. */
export function version(portal: Portal): RouteHandlerMethod {
  const body = JSON.stringify({ name: 'annals', version: portal.version })
  return (request, reply) => {
    send(portal.metrics, request, reply, 200, [...neverStored, 'Content-Type', 'application/json'], body)
  }
}
