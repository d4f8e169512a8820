// What is answered about one event: where it was recorded, or why it was not. Pure.

import type { LogId } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import type { Recorded } from '../log/audit-log.ts'

/**
 * The result of an event that is durable, as JSON. `isNew` is false where it had been recorded before (I4); `more` are
 * further members, such as those of `receipts.ts`.
 */
export function recordedText(log: LogId, id: string, recorded: Recorded, more = ''): string {
  return `{${placeText(log, id, recorded)}${more}}`
}

/** The same with the event's place among those of its request. */
export function indexedText(index: number, log: LogId, id: string, recorded: Recorded, more: string): string {
  return `{"index":${index},${placeText(log, id, recorded)}${more}}`
}

// By hand, because a stream has sixty thousand of them a second, and many of one commit: what those have in common is kept.
// Neither a UUID nor a log's id needs escaping.
function placeText(log: LogId, id: string, { position, time, isNew }: Recorded): string {
  if (last.log !== log)
    last = { log, before: `","log":"${log}","position":`, time: Number.NaN, isNew, after: '' }
  if (last.time !== time || last.isNew !== isNew)
    last = { ...last, time, isNew, after: `,"time":"${formatMicros(time)}","new":${isNew}` }
  return `"id":"${id}${last.before}${position}${last.after}`
}

let last = { log: '', before: '', time: Number.NaN, isNew: false, after: '' }

/** The result of one that was refused. */
export function refusedText(
  index: number,
  id: string | undefined,
  { code, message, field }: AnnalsError,
): string {
  return JSON.stringify({ index, id, error: { code, message, field } })
}

/** The refusal of one of which nothing is known: who repeats it must know the id, which may have been made here. */
export function unknownOf(id: string, error: AnnalsError, index?: number): AnnalsError {
  const message = `it is not known whether this was recorded: send it again with the id ${id}`
  const { cause, retryAfterSeconds = 1 } = error
  const at = index === undefined ? {} : { index }
  return new AnnalsError('OUTCOME_UNKNOWN', message, { cause, retryAfterSeconds, ...at })
}
