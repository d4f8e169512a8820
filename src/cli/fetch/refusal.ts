// An answer that is no log, as an error: the status and the JSON array of the contract's table E become a code, and
// that an exit code. Servers that are not ours say less, or say it otherwise; the status alone is enough.

import { AnnalsError, type ErrorCode } from '../../errors.ts'
import { fetchRefusalBytes, fetchRefusalLines } from '../../limits.ts'
import { bodyText, parseJson, shown } from './answer-text.ts'
import type { HttpAnswer } from './http-client.ts'
import { retryAfterMs } from './retry-after.ts'
import { Setback } from './setback.ts'

/**
 * The error that an answer is, whatever its status: a `Setback` where it may be another one later. `who` answered,
 * such as `the server`.
 */
export async function refusalOf(answer: HttpAnswer, who: string): Promise<Error> {
  const { status } = answer
  if (status < 400) {
    // The body of a redirect is a courtesy to people; ours must not keep the connection.
    answer.body.destroy()
    return status >= 300 ? redirect(answer, who) : unexpected(answer, who)
  }
  const told = elementsOf(await bodyText(answer.body, fetchRefusalBytes))
  const code = codeOf(status, told)
  const message = messageOf(`${who} refuses (${status})`, told, hints[status])
  if (!passing.has(status)) return new AnnalsError(code, message)
  return new Setback(message, { code, retryAfterMs: retryAfterMs(answer.header('retry-after'), Date.now()) })
}

// What a gateway says whose server is away for a moment (502, 504) is a connection that was not made.
const passing = new Set([429, 502, 503, 504])

function redirect(answer: HttpAnswer, who: string): AnnalsError {
  const location = URL.parse(answer.header('location') ?? '')
  const where = location === null ? '' : ` to ${shown(`${location.origin}${location.pathname}`)}`
  return new AnnalsError(
    'INVALID_INPUT',
    `${who} redirects${where} (${answer.status}). Redirects are not followed, so that credentials go nowhere ` +
      'else: give the address that it redirects to, where you trust it',
  )
}

function unexpected({ status }: HttpAnswer, who: string): AnnalsError {
  return new AnnalsError('INTERNAL', `${who} answers ${status}, which is no answer to what was asked`)
}

/** One element of a refusal. */
interface Element {
  readonly code: ErrorCode | undefined
  readonly text: string
}

function elementsOf(text: string): Element[] {
  const json = parseJson(text)
  const values: unknown[] = Array.isArray(json) ? json : json === undefined ? [] : [json]
  return values.map(elementOf)
}

function elementOf(value: unknown): Element {
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const strings = [value, ...Object.values(fields)].filter(isString)
  const known = strings.find((text) => Object.hasOwn(codes, text))
  // RFC 6749 section 5.2 has `error` and `error_description`.
  const name = known ?? [fields['error']].find(isString)
  const message = [fields['message'], fields['error_description']].find(isString)
  const engine = [fields['engine']].find((text) => isString(text) && message?.includes(text) !== true)
  const words = [name, engine, message].filter(isString)
  const text = words.length === 0 ? JSON.stringify(value) : words.join(': ')
  return { code: known === undefined ? undefined : codes[known], text: shown(text) }
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

// Only what the contract has: another code of ours would be about this machine (`LOG_DAMAGED`), and is not theirs.
const codes: Readonly<Record<string, ErrorCode>> = {
  UNKNOWN_ENGINE: 'UNKNOWN_ENGINE',
  UNREACHABLE_ENGINE: 'UNREACHABLE_ENGINE',
  UNREACHABLE_INSTANCE: 'UNREACHABLE_ENGINE',
  INVALID_PARAMETER: 'INVALID_PARAMETER',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  METHOD_NOT_ALLOWED: 'METHOD_NOT_ALLOWED',
  NOT_ACCEPTABLE: 'NOT_ACCEPTABLE',
  RANGE_NOT_SATISFIABLE: 'RANGE_NOT_SATISFIABLE',
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  UNAVAILABLE: 'UNAVAILABLE',
}

const statusCodes: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_PARAMETER',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  408: 'REQUEST_TIMEOUT',
  416: 'RANGE_NOT_SATISFIABLE',
  429: 'TOO_MANY_REQUESTS',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
}

function codeOf(status: number, told: readonly Element[]): ErrorCode {
  // 500 is many things, and the elements say which. Every other status says it itself.
  const byStatus = statusCodes[status]
  if (byStatus !== undefined) return byStatus
  const byElement = told.find(({ code }) => code !== undefined)?.code
  return byElement ?? (status >= 500 ? 'INTERNAL' : 'MALFORMED_REQUEST')
}

function messageOf(head: string, told: readonly Element[], hint: string | undefined): string {
  const [only] = told
  const end = hint === undefined ? '' : `; ${hint}`
  if (only === undefined) return `${head}${end}`
  if (told.length === 1) return `${head}: ${only.text}${end}`
  const lines = told.slice(0, fetchRefusalLines).map(({ text }) => `  ${text}`)
  if (told.length > lines.length) lines.push(`  and ${told.length - lines.length} more`)
  return [`${head}, for ${told.length} reasons${end}:`, ...lines].join('\n')
}

const hints: Readonly<Record<number, string>> = { 404: 'is the URL the right one?' }
