// What became of each event of a request. Some events may have been recorded though others were refused, and though the
// answer broke off: what the server has said of an event counts, and what it has not said is tried again.

import { AuditTrailError } from './errors.ts'
import type { Answer } from './http-client.ts'
import { isPassing, isPassingCode, isTraceless, isTracelessCode, retryAfterMs } from './status.ts'

/** An event is durable. */
export interface Receipt {
  readonly id: string
  /** The log's id. */
  readonly log: string
  readonly position: number
  /** When the log recorded it: ISO 8601 with microseconds. */
  readonly time: string
  /** False where it had been recorded before. */
  readonly new: boolean
}

/** An event is not recorded, or nobody knows. */
export interface Refusal {
  readonly error: AuditTrailError
  /** Whether trying again may help. */
  readonly mayPass: boolean
  /** Whether the whole request was refused, and not this event. */
  readonly isWhole: boolean
  /** Whether nothing is wrong with the server, so that no pause is needed. */
  readonly isStale?: boolean
  /** Whether it is certain that this request did not record the event: as far as it goes, it may get another id. */
  readonly leftNoTrace?: boolean
}

/** What became of a request. */
export interface Attempt {
  /** By index; what is missing is `rest`. */
  readonly outcomes: readonly (Receipt | Refusal | undefined)[]
  readonly rest: Refusal
  readonly retryAfterMs?: number | undefined
}

/** Whether an event was recorded. */
export function isReceipt(outcome: Receipt | Refusal): outcome is Receipt {
  return 'position' in outcome
}

/** Whether it is certain that a request with so many events recorded none of them. */
export function leftNoTrace({ outcomes, rest }: Attempt, events: number): boolean {
  const all = Array.from({ length: events }, (_, k) => outcomes[k] ?? rest)
  return all.every((outcome) => !isReceipt(outcome) && outcome.leftNoTrace === true)
}

/** Reads an answer to a request with so many events. */
export function readAttempt(answer: Answer, events: number): Attempt {
  const outcomes = Array.from<Receipt | Refusal | undefined>({ length: events })
  const values = valuesIn(answer)
  for (const [k, value] of values.entries()) {
    const [index, outcome] = outcomeOf(value, k)
    if (outcome !== undefined && index >= 0 && index < events) outcomes[index] = outcome
  }
  return { outcomes, rest: restOf(answer, values), retryAfterMs: retryAfterMs(answer) }
}

/** A request whose connection had ended before. */
export function staleAttempt(error: AuditTrailError): Attempt {
  return { outcomes: [], rest: { error, mayPass: true, isWhole: true, isStale: true } }
}

/** A request that was not answered at all. */
export function failedAttempt(error: AuditTrailError): Attempt {
  return { outcomes: [], rest: { error, mayPass: true, isWhole: true } }
}

/** A request that was not made: there is no token, or no connection. */
export function unmadeAttempt(error: AuditTrailError, mayPass: boolean, waitMs?: number): Attempt {
  return { outcomes: [], rest: { error, mayPass, isWhole: true, leftNoTrace: true }, retryAfterMs: waitMs }
}

/** Events that cannot be sent, for their file does not say so: nothing is wrong with the server. */
export function unmarkedAttempt(error: AuditTrailError): Attempt {
  return { outcomes: [], rest: { error, mayPass: false, isWhole: false, leftNoTrace: true } }
}

type Value = Readonly<Record<string, unknown>>

function valuesIn({ contentType, text, isWhole }: Answer): readonly Value[] {
  if (/^application\/json\b/i.test(contentType)) {
    const value = parse(text)
    return Array.isArray(value) ? value.filter(isValue) : isValue(value) ? [value] : []
  }
  if (!/^application\/(x-ndjson|ndjson|jsonl)\b/i.test(contentType)) return []
  const lines = text.split('\n')
  // A last line without its end may be half of one.
  if (!isWhole) lines.pop()
  return lines.map(parse).filter(isValue)
}

function outcomeOf(value: Value, k: number): readonly [number, Receipt | Refusal | undefined] {
  const { id, log, position, time } = value
  const index = typeof value['index'] === 'number' ? value['index'] : k
  if (typeof position === 'number' && typeof id === 'string' && typeof time === 'string')
    return [index, { id, log: String(log), position, time, new: value['new'] !== false }]
  const { error } = value
  if (!isValue(error) || typeof error['code'] !== 'string') return [index, undefined]
  const { code, field } = error
  const details = {
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  }
  const refused = new AuditTrailError(code, textOf(error['message']), details)
  return [
    index,
    { error: refused, mayPass: isPassingCode(code), isWhole: false, leftNoTrace: isTracelessCode(code) },
  ]
}

// Of events that the answer does not tell of.
function restOf({ status, isWhole }: Answer, values: readonly Value[]): Refusal {
  const whole = (code: string, message: string, mayPass: boolean): Refusal => ({
    error: new AuditTrailError(code, message, { status }),
    mayPass,
    isWhole: true,
    leftNoTrace: isTraceless(status),
  })
  if (status >= 200 && status < 300)
    return whole('OUTCOME_UNKNOWN', 'the server did not say what became of the event', true)
  const first = values.find(({ code }) => typeof code === 'string')
  if (first !== undefined) return whole(String(first['code']), textOf(first['message']), isPassing(status))
  const why = isWhole ? `the server answered ${status}` : `the server's answer ${status} broke off`
  const message = status >= 300 && status < 400 ? `${why}; redirects are not followed` : why
  return whole('UNEXPECTED_ANSWER', message, isPassing(status))
}

function textOf(message: unknown): string {
  return typeof message === 'string' ? message.slice(0, 1024) : 'the server does not say why'
}

function isValue(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
