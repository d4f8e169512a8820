// What a client is and may, as flags.

import type { Command } from 'commander'
import { isDate, isTimeOfDay } from '../../entry/time.ts'
import type { Micros } from '../../entry/event.ts'
import { AnnalsError } from '../../errors.ts'
import type { RecordBounds } from '../../identity/rights.ts'

/** Such flags, as commander has them. */
export interface ClientOptions {
  readonly description?: string
  readonly scope?: readonly string[]
  readonly expires?: string
  readonly recordComponents?: string
  readonly recordCodes?: string
  readonly recordOwnCodes?: boolean
}

/** Gives a command those flags. */
export function addSettingsOptions(command: Command): Command {
  return command
    .option('--description <TEXT>', 'what it is for')
    .option('--scope <SCOPE...>', 'what it may: one or several of the scopes above')
    .option('--expires <DATE>', 'until when it is good (UTC): 2027-01-01, 2027-01-01T12:00:00Z, or never')
    .option('--record-components <NAMES>', 'components whose events it may record, or any: Portal,Engine-01')
    .option('--record-codes <CODES>', 'audit codes that it may record, or any: 20000-20999,31001')
    .option('--record-own-codes', "let it record the node's own codes (29000-29999) too")
}

/** What it may record; undefined where no flag says so. Throws INVALID_INPUT. */
export function boundsOf({
  recordComponents,
  recordCodes,
  recordOwnCodes = false,
}: ClientOptions): RecordBounds | undefined {
  if (recordComponents === undefined && recordCodes === undefined && !recordOwnCodes) return undefined
  if (recordComponents === undefined || recordCodes === undefined) {
    throw new AnnalsError(
      'INVALID_INPUT',
      'what a client may record is said with --record-components and --record-codes together (or "any")',
    )
  }
  const components = recordComponents === 'any' ? 'any' : listOf(recordComponents, '--record-components')
  const codes =
    recordCodes === 'any' ? 'any' : listOf(recordCodes, '--record-codes').map((range) => rangeOf(range))
  return { components, codes, ownCodes: recordOwnCodes }
}

/** Until when it is good; null for never, undefined where no flag says so. Throws INVALID_INPUT. */
export function expiryOf({ expires }: ClientOptions): Micros | null | undefined {
  if (expires === undefined) return undefined
  if (expires === 'never') return null
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?$/.exec(expires)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? [])
    .slice(1)
    .map((digits) => Number(digits ?? 0))
  if (match !== null && isDate(year, month, day) && isTimeOfDay(hour, minute, second))
    return Date.UTC(year, month - 1, day, hour, minute, second) * 1000
  throw new AnnalsError(
    'INVALID_INPUT',
    `--expires ${expires}: expected a date such as 2027-01-01 or 2027-01-01T12:00:00Z, or never`,
  )
}

function listOf(text: string, flag: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => name !== '' && !/[\p{Cc}|\][]/u.test(name))) return names
  throw new AnnalsError('INVALID_INPUT', `${flag} ${text}: expected names, separated by commas`)
}

function rangeOf(text: string): readonly [number, number] {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? []
  const range = [Number(first), Number(last)] as const
  if (first !== undefined && range[0] <= range[1]) return range
  throw new AnnalsError(
    'INVALID_INPUT',
    `"${text}" is no audit code and no range of them, such as 20000-20999`,
  )
}
