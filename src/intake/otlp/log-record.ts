// A log record of OpenTelemetry as it was exported (opentelemetry-proto, `logs.proto`), whatever it was encoded in, and what
// one request may hold of them.

import type { Micros } from '../../entry/event.ts'
import { AnnalsError } from '../../errors.ts'
import { otlpRecords, otlpValueDepth, otlpValues } from '../../limits.ts'
import type { KeyValue, Value } from './value.ts'

/** What produced log records: a process, as a rule. */
export interface Resource {
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributes: number
}

/** The part of a program that did. Texts are empty where nothing is said. */
export interface Scope extends Resource {
  readonly name: string
  readonly version: string
}

/** What a record says itself. Texts are empty, and numbers 0, where nothing is said. */
export interface RecordBody {
  readonly time: Micros | undefined
  readonly observed: Micros | undefined
  readonly severityNumber: number
  readonly severityText: string
  readonly eventName: string
  readonly body: Value
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributes: number
  /** In lower case hexadecimal. */
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
}

/** A record with what it came in. */
export interface LogRecord extends RecordBody {
  readonly resource: Resource
  readonly scope: Scope
}

/** What one request may still hold. */
export class Allowance {
  #records = otlpRecords
  #values = otlpValues

  /** Takes a record. Throws BODY_TOO_LARGE. */
  takeRecord(): void {
    this.#records -= 1
    if (this.#records < 0) throw tooLarge(`${otlpRecords} log records`)
  }

  /** Takes a value that is nested so deep. Throws BODY_TOO_LARGE, and MALFORMED_REQUEST where that is too deep. */
  takeValue(depth: number): void {
    this.#values -= 1
    if (this.#values < 0) throw tooLarge(`${otlpValues} attributes and values`)
    if (depth > otlpValueDepth) throw malformed(`a value is nested deeper than ${otlpValueDepth} levels`)
  }
}

/** The refusal of an export that cannot be read. */
export function malformed(problem: string, cause?: unknown): AnnalsError {
  return new AnnalsError('MALFORMED_REQUEST', `this is no ExportLogsServiceRequest: ${problem}`, { cause })
}

/** The refusal of an export that is too large. */
export function tooLarge(most: string): AnnalsError {
  return new AnnalsError(
    'BODY_TOO_LARGE',
    `one request may hold at most ${most}; let the exporter send smaller batches`,
  )
}
