// Which exit code a refusal has: the one place where codes become exit codes. A new code does not compile until it
// has one. 0 is success; scripts may rely on what the others mean.

import type { ErrorCode } from '../errors.ts'
import type { NotProvedReason } from '../verify/not-proved.ts'

/** What each exit code means, for `--help` and the reference. */
export const exitCodes: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'it failed; the message says why',
  2: 'the command line, the configuration or a file that was given is wrong; nothing was changed',
  3: 'the audit log is damaged',
  4: 'in use, busy or out of reach: try again later',
  5: 'refused, because of what is there already or is not there',
  6: 'the disk is full, or failed',
  7: 'not proved: something was changed, removed, added or left out, or is not signed by a key that was given',
  8: 'nothing is proved: the lines claim no gap and no double, and there was nothing to compare them with',
  9: 'all fits, but fewer witnesses have cosigned than the policy asks for',
  10: 'nothing is proved, and by what the lines themselves claim, some are missing or doubled',
  130: 'given up at a prompt, or ended by SIGINT (a node: by the second one)',
  143: 'ended by SIGTERM (a node: by the second one)',
}

/** The exit code of each refusal. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  UNKNOWN_ENGINE: 5,
  UNREACHABLE_ENGINE: 4,
  INVALID_PARAMETER: 2,
  UNAUTHENTICATED: 5,
  FORBIDDEN: 5,
  NOT_FOUND: 5,
  METHOD_NOT_ALLOWED: 5,
  NOT_ACCEPTABLE: 5,
  RANGE_NOT_SATISFIABLE: 5,
  TOO_MANY_REQUESTS: 4,
  UNAVAILABLE: 4,
  MALFORMED_REQUEST: 2,
  REQUEST_TIMEOUT: 4,
  HEADERS_TOO_LARGE: 2,
  BODY_TOO_LARGE: 2,
  UNSUPPORTED_MEDIA_TYPE: 2,
  INVALID_EVENT: 2,
  ENTRY_TOO_LARGE: 2,
  ID_CONFLICT: 5,
  ID_TOO_OLD: 5,
  STORAGE_FULL: 6,
  LOG_READ_ONLY: 3,
  OUTCOME_UNKNOWN: 4,
  LOG_LOCKED: 4,
  LOG_DAMAGED: 3,
  LOG_EXISTS: 5,
  LOG_MISSING: 5,
  ACCOUNT_EXISTS: 5,
  ACCOUNT_UNKNOWN: 5,
  ACCOUNT_REFUSED: 5,
  ALREADY_EXISTS: 5,
  DOES_NOT_EXIST: 5,
  CHANGE_REFUSED: 5,
  UNREACHABLE_INSTANCE: 4,
  ENGINE_EXISTS: 5,
  JOIN_REFUSED: 5,
  ROTATION_UNDER_WAY: 5,
  INVALID_CONFIGURATION: 2,
  INVALID_INPUT: 2,
  STORAGE_FAILED: 6,
  INTERNAL: 1,
}

/** The exit code of what is not proved. */
export const exitCodeOfReason: Readonly<Record<NotProvedReason, number>> = {
  malformed: 2,
  unsigned: 7,
  contradicted: 7,
  unwitnessed: 9,
  claimed: 8,
  claimedFaults: 10,
}
