// The body of a request, as bytes: whoever wants it parses it.

import type { FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'

/** The body's bytes; empty where there is none. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/** The body as JSON. Throws MALFORMED_REQUEST. */
export function jsonOf(request: FastifyRequest): unknown {
  try {
    return JSON.parse(bodyOf(request).toString())
  } catch (cause) {
    throw new AnnalsError('MALFORMED_REQUEST', 'the body is expected to be JSON', { cause })
  }
}
