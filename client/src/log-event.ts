// Which lines of an application's log are audit events, and what they become: for the transports of log libraries. A line
// is an event where it has an object under a key of its own:
//
//   logger.info({ audit: { code: 20101, actor: 'jdoe', session: 's-1' } }, 'signed in')
//
// The log's own words become the message where the event has none and its code has no template; its level becomes the
// severity; its time is when it happened.

import { isTemplated } from './catalogue.ts'
import type { AuditEvent } from './event.ts'

/** How lines become events. */
export interface LogMapping {
  /** The key under which an event stands; `audit` unless it is given. */
  readonly key?: string
  /** The severity of each level, by name or number; what is missing has that of the code. */
  readonly severities?: Readonly<Record<string, number>>
}

/** What a log library says of a line. */
export interface LogLine {
  readonly level: string | number | undefined
  readonly text: unknown
  /** When it was written; now unless it is given. */
  readonly time?: Date
}

/** The event of a line; undefined where it is none. What is wrong with it is said when it is recorded. */
export function eventOfLog(
  record: Readonly<Record<string, unknown>>,
  { level, text, time }: LogLine,
  { key = 'audit', severities = levelSeverities }: LogMapping,
): AuditEvent | undefined {
  const event = record[key]
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return undefined
  const given = event as Partial<AuditEvent>
  const severity = severities[String(level)]
  try {
    const needsText = given.message === undefined && isTemplated[given.code ?? -1] === undefined
    return {
      ...(severity === undefined ? {} : { severity }),
      ...(time === undefined ? {} : { occurred: time }),
      ...(needsText && typeof text === 'string' ? { message: text } : {}),
      ...given,
    } as AuditEvent
  } catch {
    return given as AuditEvent
  }
}

// RFC 5424's severities of the levels of pino and of winston (npm's and syslog's). Ordinary levels say nothing of an audit
// event: it has the severity of its outcome.
const levelSeverities: Readonly<Record<string, number>> = {
  10: 7,
  20: 7,
  40: 4,
  50: 3,
  60: 2,
  silly: 7,
  trace: 7,
  debug: 7,
  verbose: 7,
  notice: 5,
  warn: 4,
  warning: 4,
  error: 3,
  fatal: 2,
  crit: 2,
  alert: 1,
  emerg: 0,
}
