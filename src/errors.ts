// Every refusal that Annals can make, as one closed union: a new code does not compile until the HTTP
// status (`http/status.ts`) and the exit code (`cli/exit-code.ts`) for it are written down.

/** The codes of refusals. Those of the contract's table E keep the contract's names. */
export type ErrorCode =
  // contract.md, table E
  | 'UNKNOWN_ENGINE'
  | 'UNREACHABLE_ENGINE'
  | 'INVALID_PARAMETER'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'RANGE_NOT_SATISFIABLE'
  | 'TOO_MANY_REQUESTS'
  | 'UNAVAILABLE'
  // a request that HTTP itself refuses
  | 'MALFORMED_REQUEST'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  // recording
  | 'INVALID_EVENT'
  | 'ENTRY_TOO_LARGE'
  | 'ID_CONFLICT'
  | 'ID_TOO_OLD'
  | 'STORAGE_FULL'
  | 'LOG_READ_ONLY'
  | 'OUTCOME_UNKNOWN'
  // a log at rest
  | 'LOG_LOCKED'
  | 'LOG_DAMAGED'
  | 'LOG_EXISTS'
  | 'LOG_MISSING'
  // accounts
  | 'ACCOUNT_EXISTS'
  | 'ACCOUNT_UNKNOWN'
  | 'ACCOUNT_REFUSED'
  // clients, roles, profiles and keys
  | 'ALREADY_EXISTS'
  | 'DOES_NOT_EXIST'
  | 'CHANGE_REFUSED'
  // at the gateway
  | 'UNREACHABLE_INSTANCE'
  // engines
  | 'ENGINE_EXISTS'
  | 'JOIN_REFUSED'
  | 'ROTATION_UNDER_WAY'
  // what an administrator gave us
  | 'INVALID_CONFIGURATION'
  | 'INVALID_INPUT'
  | 'STORAGE_FAILED'
  // a fault of ours
  | 'INTERNAL'

/** What an `AnnalsError` may carry besides its message. */
export interface ErrorContext {
  /** For the operator's log only: may name paths and addresses, never a secret. */
  readonly detail?: string
  readonly cause?: unknown
  /** For TOO_MANY_REQUESTS and UNAVAILABLE: when to try again. */
  readonly retryAfterSeconds?: number
  /** The engine that the refusal is about (contract, table E). */
  readonly engine?: string
  /** For METHOD_NOT_ALLOWED: the methods that there are (A5). */
  readonly allow?: string
  /** The refusals that this one stands for, where there are several (E3). */
  readonly each?: readonly AnnalsError[]
  /** Of several events, the one that the refusal is about, counted from 0. */
  readonly index?: number
  /** The part of an event that the refusal is about: `occurred`, `details.size`. */
  readonly field?: string
  /** For UNAUTHENTICATED and FORBIDDEN of a Bearer token: what was wrong, and the scope that would do. */
  readonly bearer?: BearerProblem
}

/** What `WWW-Authenticate` says of a Bearer token (RFC 6750 section 3). */
export interface BearerProblem {
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly scope?: string
}

/**
 * A refusal. `message` is for the caller: it says what was expected, and holds no secret, no path of the
 * server and no stack (contract, table E). `detail` and `cause` are for the operator's log.
 */
export class AnnalsError extends Error {
  override readonly name = 'AnnalsError'
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly engine: string | undefined
  readonly allow: string | undefined
  readonly each: readonly AnnalsError[] | undefined
  readonly bearer: BearerProblem | undefined
  readonly index: number | undefined
  readonly field: string | undefined

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause })
    this.code = code
    this.detail = context.detail
    this.retryAfterSeconds = context.retryAfterSeconds
    this.engine = context.engine
    this.allow = context.allow
    this.each = context.each
    this.bearer = context.bearer
    this.index = context.index
    this.field = context.field
  }
}

/** The refusals that a refusal stands for: those of several engines (E3), or itself alone. */
export function eachOf(error: AnnalsError): readonly AnnalsError[] {
  return error.each ?? [error]
}

/** True for a refusal that says that nothing at all can be recorded: reading goes on, and says so (I9). */
export function isUnrecordable(error: unknown): error is AnnalsError {
  return isAnnalsError(error, 'STORAGE_FULL') || isAnnalsError(error, 'LOG_READ_ONLY')
}

/** True for an `AnnalsError` of the given code, or of any code. */
export function isAnnalsError(error: unknown, code?: ErrorCode): error is AnnalsError {
  return error instanceof AnnalsError && (code === undefined || error.code === code)
}
