// One setting given one value in one place, and what is wrong with it. Every source writes values as text, so that
// they are read alike wherever they stand.

import { resolve } from 'node:path'
import { Check } from 'typebox/value'
import type { Setting } from './setting.ts'
import { didYouMean } from './suggest.ts'

/** A setting, as somebody wrote it down. */
export interface Assignment {
  readonly setting: Setting
  readonly text: string
  /** Where: `annals.yaml:3`, `ANNALS_LISTEN` or `--listen`. */
  readonly origin: string
  /** What a relative path is relative to. */
  readonly directory: string
}

/** Something that is wrong, and where. */
export interface Problem {
  readonly origin: string
  readonly message: string
}

/** A setting's value: as the schema has it, paths absolute. */
export type Value = string | number | boolean | readonly string[]

/** Whether an assignment turned out to be a problem. */
export function isProblem(parsed: Value | Problem): parsed is Problem {
  return typeof parsed === 'object' && 'message' in parsed
}

/** What stands between the parts of a list's text. */
export const listSeparator = '\n'

/** Reads an assignment's value, or says what is wrong with it. */
export function parseAssignment({ setting, text, origin, directory }: Assignment): Value | Problem {
  const value = parseText(setting, text)
  if (value === undefined || !Check(setting.schema, value)) {
    const suggestion = didYouMean(text, choicesOf(setting))
    return {
      origin,
      message: `${JSON.stringify(text)} is not what is expected: ${setting.expects}${suggestion}`,
    }
  }
  if (!setting.isPath) return value
  return Array.isArray(value)
    ? value.map((part: string) => resolve(directory, part))
    : resolve(directory, String(value))
}

function parseText({ kind }: Setting, text: string): Value | undefined {
  if (kind === 'boolean') return booleans.get(text.toLowerCase())
  if (kind === 'integer') return /^\d{1,16}$/.test(text) ? Number(text) : undefined
  return kind === 'list' ? text.split(listSeparator) : text
}

const booleans = new Map([
  ...['on', 'true', 'yes', '1'].map((word) => [word, true] as const),
  ...['off', 'false', 'no', '0'].map((word) => [word, false] as const),
])

function choicesOf({ key, choices }: Setting): readonly string[] {
  return key === 'timeZone' ? ['UTC', ...Intl.supportedValuesOf('timeZone')] : (choices ?? [])
}
