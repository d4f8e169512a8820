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
const paramStart = / ([!#-<>-\\^-~]{1,32})="/y

/** Reads the element that begins at `at`; where there is none, says what is missing, and where. */
export function readElement(text: string, at: number): FoundElement | { missing: string; at: number } {
  elementStart.lastIndex = at
  const name = elementStart.exec(text)?.[1]
  if (name === undefined) return { missing: "an element's name", at }
  const params: [string, string][] = []
  let end = at + 1 + name.length
  while (text[end] !== ']') {
    paramStart.lastIndex = end
    const param = paramStart.exec(text)?.[1]
    if (param === undefined) return { missing: "an element's next parameter or end", at: end }
    const start = paramStart.lastIndex
    const quote = endOfValue(text, start)
    if (quote === -1) return { missing: `the end of the value of ${param}`, at: start }
    params.push([param, text.slice(start, quote)])
    end = quote + 1
  }
  return { name, params, end: end + 1 }
}

// A loop, because a regular expression needs memory for every backslash of a value, which may be as long as a line.
function endOfValue(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at
    if (code === 0x5d) return -1
    if (code === 0x5c) at += 1
  }
  return -1
}
