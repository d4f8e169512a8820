// Which HTTP status a refusal has: the one place where codes become statuses. A new code does not compile
// until it has one (contract, table E; RFC 9110 section 15 for the rest).

import type { ErrorCode } from '../errors.ts'

/** The HTTP status of each refusal. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
  UNKNOWN_ENGINE: 500,
  UNREACHABLE_ENGINE: 500,
  INVALID_PARAMETER: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  RANGE_NOT_SATISFIABLE: 416,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
  MALFORMED_REQUEST: 400,
  REQUEST_TIMEOUT: 408,
  HEADERS_TOO_LARGE: 431,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INVALID_EVENT: 422,
  ENTRY_TOO_LARGE: 413,
  ID_CONFLICT: 409,
  ID_TOO_OLD: 409,
  // Not 503: the sender should not simply try again, somebody has to make room (RFC 4918 section 11.5).
  STORAGE_FULL: 507,
  // Nothing passes by itself: somebody has to continue as a new log.
  LOG_READ_ONLY: 503,
  OUTCOME_UNKNOWN: 503,
  LOG_LOCKED: 503,
  LOG_DAMAGED: 500,
  LOG_EXISTS: 409,
  LOG_MISSING: 500,
  ACCOUNT_EXISTS: 409,
  ACCOUNT_UNKNOWN: 404,
  ACCOUNT_REFUSED: 400,
  ALREADY_EXISTS: 409,
  DOES_NOT_EXIST: 404,
  CHANGE_REFUSED: 400,
  UNREACHABLE_INSTANCE: 500,
  ENGINE_EXISTS: 409,
  JOIN_REFUSED: 403,
  ROTATION_UNDER_WAY: 409,
  INVALID_CONFIGURATION: 500,
  INVALID_INPUT: 400,
  STORAGE_FAILED: 500,
  INTERNAL: 500,
}
