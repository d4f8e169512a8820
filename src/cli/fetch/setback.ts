// What goes wrong and may go right the next time: a connection that was not made or broke, a server that is busy.

import type { ErrorCode } from '../../errors.ts'
import { errorCode } from '../../store/disk.ts'

/** Something that is worth another attempt. Everything else that is thrown ends the fetch. */
export class Setback extends Error {
  override readonly name = 'Setback'
  /** What it is where no attempt is left. */
  readonly code: ErrorCode
  /** How long the server asks us to wait. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    context: { code?: ErrorCode; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause })
    this.code = context.code ?? 'UNAVAILABLE'
    this.retryAfterMs = context.retryAfterMs
  }
}

/** What happened to a connection, in plain words. */
export function connectionSetback(error: unknown): Setback {
  const code = errorCode(error) ?? ''
  const message = error instanceof Error ? error.message : String(error)
  return new Setback(reasons[code] ?? `the connection failed: ${message}`, { cause: error })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens at the address of the server',
  ECONNRESET: 'the server broke the connection',
  EPIPE: 'the server broke the connection',
  UND_ERR_SOCKET: 'the server closed the connection before the end of its answer',
  UND_ERR_CONNECT_TIMEOUT: 'the server took too long to accept the connection',
  UND_ERR_HEADERS_TIMEOUT: 'the server took too long to begin its answer',
  UND_ERR_BODY_TIMEOUT: 'the server fell silent within its answer',
}
