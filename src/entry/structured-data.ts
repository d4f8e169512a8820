// Structured data as RFC 5424 section 6.3 writes it: `[name param="value" …]`. Values stand escaped as L3 says, and
// then as the RFC says: `"`, `\` and `]` behind a backslash.

import { decodeText, escapeText, unescape } from './escape.ts'
import type { Element } from './event.ts'

const plainValue = /^[ !$-[^-~]*$/

/** A value as it stands between the quotes of a line of ours. */
export function escapeValue(text: string): string {
  return plainValue.test(text) ? text : escapeText(text).replace(/["\\\]]/g, '\\$&')
}

/** The value that stands so in a line of ours; undefined where `escapeValue` would have written it otherwise. */
export function unescapeValue(written: string): string | undefined {
  if (plainValue.test(written)) return written
  const text = decodeText(unescape(unquoteValue(written)))
  return escapeValue(text) === written ? text : undefined
}

/** Undoes the RFC's own escaping. A backslash before anything else is a backslash, as the RFC has it. */
export function unquoteValue(written: string): string {
  return written.includes('\\') ? written.replace(/\\(["\\\]])/g, '$1') : written
}

/** One element, or nothing where it has no parameters. */
export function renderOurs(name: string, params: string): string {
  return params === '' ? '' : `[${name}${params}]`
}

/** One parameter, with the space before it. */
export function renderParam(name: string, value: string): string {
  return ` ${name}="${escapeValue(value)}"`
}

/** One element whose names are valid. */
export function renderElement({ name, params }: Element): string {
  let text = `[${name}`
  for (const [param, value] of params) text += renderParam(param, value)
  return `${text}]`
}

/** An element as it was found: its values as they are written. `end` is where it ends. */
export interface FoundElement extends Element {
  readonly end: number
}

const elementStart = /\[([!#-<>-\\^-~]{1,32})/y
const param = / ([!#-<>-\\^-~]{1,32})="([^"\\\]]*(?:\\[^][^"\\\]]*)*)"/y

/** Reads the element that begins at `at`; where there is none, says what is missing, and where. */
export function readElement(text: string, at: number): FoundElement | { missing: string; at: number } {
  elementStart.lastIndex = at
  const name = elementStart.exec(text)?.[1]
  if (name === undefined) return { missing: "an element's name", at }
  const params: [string, string][] = []
  let end = at + 1 + name.length
  param.lastIndex = end
  for (let found = param.exec(text); found !== null; found = param.exec(text)) {
    params.push([found[1] ?? '', found[2] ?? ''])
    end = param.lastIndex
  }
  if (text[end] !== ']') return { missing: "an element's next parameter or end", at: end }
  return { name, params, end: end + 1 }
}
