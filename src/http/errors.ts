// Every refusal becomes one answer: a JSON array with its code and message (contract, table E), the status
// from `status.ts`, and the headers that its code calls for. What is not a refusal of ours is a fault, and
// the caller is told no more than that.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { AnnalsError, eachOf, type ErrorCode } from '../errors.ts'
import { retryAfterSeconds } from '../limits.ts'
import { type Challenge, challengeHeaders } from './challenge.ts'
import { neverStored } from './headers.ts'
import type { HttpMetrics } from './metrics.ts'
import { routeOf, send } from './send.ts'
import { statusOf } from './status.ts'

/** The operator's log, as far as `http/` writes to it; pino's own form. */
export interface HttpLogger {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Where a refusal is counted and, where the operator must know of it, logged. */
export interface RefusalSink {
  readonly metrics: HttpMetrics
  readonly logger: HttpLogger
  /** How callers prove who they are; undefined where nobody is asked. */
  readonly challenge?: Challenge
}

/** Answers a request with a refusal. `headers` come before those of the code. */
export function refuse(
  sink: RefusalSink,
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  headers: readonly string[] = [],
): void {
  const error = toRefusal(thrown)
  report(sink, error, routeOf(request))
  if (reply.raw.headersSent) {
    // Too late for an answer: what was begun must not look as if it had ended (R6).
    reply.hijack()
    reply.raw.destroy()
    return
  }
  send(
    sink.metrics,
    request,
    reply,
    statusOf[error.code],
    [...headers, ...refusalHeaders(error, sink.challenge)],
    refusalBody(error),
  )
}

/** The body of a refusal: an array, because "all engines" may refuse for several of them (E3). */
export function refusalBody(error: AnnalsError): string {
  return JSON.stringify(
    eachOf(error).map(({ code, message, engine, index, field }) => ({ code, message, engine, index, field })),
  )
}

/** The headers of a refusal as a flat name-value list, without its length. */
export function refusalHeaders(error: AnnalsError, challenge?: Challenge): string[] {
  const more = [...challengeHeaders(error, challenge), ...codeHeaders(error)]
  return ['Content-Type', 'application/json', ...neverStored, ...more]
}

function codeHeaders(error: AnnalsError): readonly string[] {
  if (error.code === 'METHOD_NOT_ALLOWED') return ['Allow', error.allow ?? '']
  return retryHeaders(error)
}

/** When to try again, as a flat name-value list; empty for a refusal that does not pass by itself. */
export function retryHeaders(error: AnnalsError): readonly string[] {
  if (!passingCodes.has(error.code)) return []
  return ['Retry-After', String(Math.ceil(error.retryAfterSeconds ?? retryAfterSeconds))]
}

// Refusals that pass: the same request may succeed later.
const passingCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TOO_MANY_REQUESTS',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  // Somebody has to make room; but recording goes on by itself as soon as there is some (I9).
  'STORAGE_FULL',
])

/** What is thrown inside, as the refusal that the caller sees. Fastify's own errors keep what is the caller's fault. */
export function toRefusal(thrown: unknown): AnnalsError {
  if (thrown instanceof AnnalsError) return thrown
  const code = frameworkCode(thrown)
  return code === undefined
    ? new AnnalsError('INTERNAL', 'a fault in this server; its log says more', { cause: thrown })
    : new AnnalsError(code, frameworkMessages[code], { cause: thrown })
}

type FrameworkCode = 'NOT_FOUND' | 'MALFORMED_REQUEST' | 'BODY_TOO_LARGE' | 'INVALID_PARAMETER'

const frameworkMessages: Readonly<Record<FrameworkCode, string>> = {
  NOT_FOUND: 'there is nothing at this path',
  MALFORMED_REQUEST: 'this is not a well-formed request',
  BODY_TOO_LARGE: 'the body of the request is too large',
  INVALID_PARAMETER: 'a parameter of the request is not as expected',
}

function frameworkCode(thrown: unknown): FrameworkCode | undefined {
  if (!(thrown instanceof Error)) return undefined
  const { code, statusCode, validation } = thrown as Error & FrameworkError
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return 'NOT_FOUND'
  if (validation !== undefined) return 'INVALID_PARAMETER'
  if (code?.startsWith('FST_ERR_') !== true) return undefined
  if (statusCode === 413) return 'BODY_TOO_LARGE'
  return statusCode !== undefined && statusCode < 500 ? 'MALFORMED_REQUEST' : undefined
}

interface FrameworkError {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: unknown
}

/**
 * Counts a refusal. Those that are the caller's own doing are in the audit log where they matter; the operator's log has
 * what the operator can do something about.
 */
export function report(sink: RefusalSink, error: AnnalsError, route: string): void {
  sink.metrics.refused(error.code)
  if (isFault(error.code)) {
    sink.logger.error({ err: error, cause: error.cause, detail: error.detail, route }, 'request failed')
    return
  }
  for (const { code, detail, engine } of eachOf(error)) {
    if (detail !== undefined) sink.logger.warn({ code, engine, detail, route }, 'request refused')
  }
}

function isFault(code: ErrorCode): boolean {
  return (
    statusOf[code] === 500 &&
    code !== 'UNKNOWN_ENGINE' &&
    code !== 'UNREACHABLE_ENGINE' &&
    code !== 'UNREACHABLE_INSTANCE'
  )
}
