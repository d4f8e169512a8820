// What stays wrong with log records of one request: each is refused by itself, told, and counted (I7).

import { AnnalsError, type ErrorCode, isAnnalsError } from '../../errors.ts'
import { otlpProblemCharacters, otlpProblems } from '../../limits.ts'
import type { Intake } from '../intake.ts'

/** What became of a request. */
export interface Exported {
  /** Log records that are not recorded, and never will be. */
  readonly rejected: number
  /** Those of them that were forbidden. */
  readonly forbidden: number
  /** What is wrong with them, for the developer; empty where nothing is. */
  readonly message: string
}

/** Whether an error stays wrong with a record however often it is sent. */
export function isLasting(error: unknown): error is AnnalsError {
  return isAnnalsError(error) && lasting.has(error.code)
}

const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_EVENT',
  'FORBIDDEN',
  'ENTRY_TOO_LARGE',
  'ID_CONFLICT',
  'ID_TOO_OLD',
])

/** The refusals of one request. */
export class Refusals {
  readonly #byIndex = new Map<number, string>()
  readonly #untold = new Map<ErrorCode, number>()
  #forbidden = 0

  /** Does `work` for one record, and notes what stays wrong with it: false where something does. Throws everything else. */
  ofOne(index: number, work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!isLasting(error)) throw error
      if (error.code === 'FORBIDDEN') this.#forbidden += 1
      this.#untold.set(error.code, (this.#untold.get(error.code) ?? 0) + 1)
      this.add(index, error)
      return false
    }
  }

  /** Notes the first thing that is wrong with a record. */
  add(index: number, error: unknown): void {
    const text = error instanceof AnnalsError ? error.message : ''
    if (!this.#byIndex.has(index)) this.#byIndex.set(index, text)
  }

  /** Counts those that the log was not asked for: the others are counted there. */
  tell(intake: Pick<Intake, 'refused'>, by: string): void {
    for (const [reason, count] of this.#untold) intake.refused({ via: 'otlp', source: by, reason, count })
  }

  sum(): Exported {
    const told = Array.from(this.#byIndex)
      .sort(([a], [b]) => a - b)
      .slice(0, otlpProblems)
      .map(([index, text]) => `log record ${index}: ${text}`.slice(0, otlpProblemCharacters))
    const others = this.#byIndex.size - told.length
    const message = [...told, ...(others === 0 ? [] : [`and ${others} more`])].join('; ')
    return { rejected: this.#byIndex.size, forbidden: this.#forbidden, message }
  }
}
