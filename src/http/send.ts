// Writes a small answer: one head, one body, one write.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { everyAnswer, neverStored } from './headers.ts'
import type { HttpMetrics } from './metrics.ts'
import { endAnswer } from './unread-body.ts'

/** Answers a request with a text that fits into memory without a thought. Headers are flat name-value lists. */
export function send(
  metrics: HttpMetrics,
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  headers: readonly string[],
  body: string | Uint8Array,
): void {
  reply.hijack()
  metrics.answered(routeOf(request), status)
  const length = ['Content-Length', String(Buffer.byteLength(body))]
  reply.raw.writeHead(status, [...everyAnswer(request.raw.socket), ...headers, ...length])
  endAnswer(request.raw, reply.raw, body)
}

/** Answers a request with JSON that nobody may keep. */
export function sendJson(
  metrics: HttpMetrics,
  request: FastifyRequest,
  reply: FastifyReply,
  value: unknown,
): void {
  const headers = [...neverStored, 'Content-Type', 'application/json']
  send(metrics, request, reply, 200, headers, JSON.stringify(value))
}

/** The route's template, as metrics name it: never the path itself, of which there is no end. */
export function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none'
}
