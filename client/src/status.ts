// Which refusals pass if one waits, and for how long.

import type { Answer } from './http-client.ts'
import { retryAfterMostMs } from './limits.ts'

/** Whether a request that was answered so may succeed later: with the same ids, trying again records nothing twice. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** The same for one event of several, by the server's code. */
export function isPassingCode(code: string): boolean {
  return passingCodes.has(code)
}

const passingCodes: ReadonlySet<string> = new Set([
  'TOO_MANY_REQUESTS',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'STORAGE_FULL',
  'LOG_READ_ONLY',
  'STORAGE_FAILED',
  'REQUEST_TIMEOUT',
  'INTERNAL',
])

/** Whether a request that was answered so has certainly recorded nothing. */
export function isTraceless(status: number): boolean {
  return tracelessStatuses.has(status)
}

/** The same for one event of several, by the server's code: what refuses it for good, or before it was looked at. */
export function isTracelessCode(code: string): boolean {
  return code === 'TOO_MANY_REQUESTS' || !isPassingCode(code)
}

const tracelessStatuses: ReadonlySet<number> = new Set([401, 403, 404, 415, 429])

/** What `Retry-After` asks for (RFC 9110 section 10.2.3). */
export function retryAfterMs(
  { retryAfter }: Pick<Answer, 'retryAfter'>,
  now = Date.now(),
): number | undefined {
  if (retryAfter === undefined) return undefined
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMostMs) : undefined
}
