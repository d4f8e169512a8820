// GET /audit-trail/api/v2/schemas/event: the JSON Schema of an event as applications post it. Anybody may read it.

import type { RouteHandlerMethod } from 'fastify'
import { PostedEvent } from '../../intake/event-schema.ts'
import { kept } from '../headers.ts'
import type { Node } from '../node.ts'
import { send } from '../send.ts'

const headers = [...kept, 'Content-Type', 'application/schema+json']

/** Answers with the schema. */
export function eventSchema(node: Node): RouteHandlerMethod {
  const body = `${JSON.stringify(PostedEvent, isOfSchema, 2)}\n`
  return (request, reply) => send(node.metrics, request, reply, 200, headers, body)
}

// What only our own messages need is left out.
function isOfSchema(key: string, value: unknown): unknown {
  return key === 'expects' ? undefined : value
}
