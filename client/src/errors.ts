// Why an event was not recorded.

/** What the client itself says. Any other code is the server's: INVALID_EVENT, FORBIDDEN, ID_CONFLICT, …. */
export type ClientErrorCode =
  /** Too many events wait, and there is no spool. */
  | 'FULL'
  /** It could not be recorded in time, and it is safe on disk: it is sent later, also by the next process. */
  | 'SPOOLED'
  /** The spool has no room, or the disk refuses it. */
  | 'SPOOL_FULL'
  | 'SPOOL_FAILED'
  /** Lines of the spool cannot be read: their file is kept beside it. */
  | 'SPOOL_DAMAGED'
  /** The server did not confirm it in time. It may have been recorded, where it was sent. */
  | 'GIVEN_UP'
  /** The client was closed. */
  | 'CLOSED'
  /** No connection, or one that broke. */
  | 'UNREACHABLE'
  /** What answers is no audit trail, or one of a version that is not understood. */
  | 'UNEXPECTED_ANSWER'

/** More about a failure. */
export interface ErrorDetails {
  readonly cause?: unknown
  /** The HTTP status, where the server refused it. */
  readonly status?: number
  /** The part of the event that is wrong. */
  readonly field?: string
  /** The event's id, where it has one. */
  readonly id?: string
}

/** An event was not recorded. Its message holds no secret, and nothing of the event but the name of what is wrong. */
export class AuditTrailError extends Error {
  readonly code: ClientErrorCode | (string & {})
  readonly status: number | undefined
  readonly field: string | undefined
  readonly id: string | undefined

  constructor(code: ClientErrorCode | (string & {}), message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'AuditTrailError'
    this.code = code
    this.status = details.status
    this.field = details.field
    this.id = details.id
  }
}
