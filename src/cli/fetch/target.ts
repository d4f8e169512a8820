// What is fetched, as URLs (contract, tables A and W).

import { isBeyondLoopback } from '../../config/public-url.ts'
import { AnnalsError } from '../../errors.ts'
import { hostNameCharacters } from '../../limits.ts'

/** What the API has: the portal's log, one engine's, or all engines' one after the other. */
export const logs = ['portal', 'engine', 'engines'] as const

/** One of them. */
export type LogKind = (typeof logs)[number]

/** Which log, and which window of it. */
export interface Target {
  readonly log: LogKind
  /** The engine's host name, for `engine` alone. */
  readonly name?: string | undefined
  readonly before?: string | undefined
  readonly elapsedHours?: string | undefined
}

/**
 * The address of a server, from what was typed: a scheme, a host, and perhaps a path that a proxy put before
 * everything. Throws INVALID_INPUT, without repeating what may hold a password.
 */
export function parseServerUrl(text: string, flag: string): URL {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new AnnalsError('INVALID_INPUT', `${flag}: expected a URL such as https://portal.example.com`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new AnnalsError(
      'INVALID_INPUT',
      `${flag}: a URL is no place for credentials, others can read it: give --user and --password-file`,
    )
  }
  if (/[?#]/.test(text)) {
    throw new AnnalsError(
      'INVALID_INPUT',
      `${flag}: expected a URL without a query: give --before, --elapsed-hours`,
    )
  }
  return url
}

/** Throws INVALID_INPUT where credentials would travel in the clear to where others can read them. */
export function demandSafeTransport(url: URL, flag: string, isPlainHttpAllowed: boolean): void {
  if (url.protocol === 'https:' || isPlainHttpAllowed || !isBeyondLoopback(url.origin)) return
  throw new AnnalsError(
    'INVALID_INPUT',
    `${flag}: this is plain HTTP to another machine, and credentials would travel in the clear: ` +
      'give an https URL, or allow it with --allow-plain-http-beyond-loopback',
  )
}

/** The URL of a window of a log. What is in the window's values is for the server to judge (W6, W7). */
export function targetUrl(server: URL, target: Target): string {
  return pathOn(server, `audit-trail/api/v1/${resource(target)}/type/auditlog`) + query(target)
}

/** The URL of what logs publish of themselves. */
export function publishedUrl(server: URL, path: string): string {
  return pathOn(server, `audit-trail/api/v2/${path}`)
}

/** Where a server gives out tokens (S2). */
export function defaultTokenUrl(server: URL): URL {
  return new URL(pathOn(server, 'oauth2/default/v1/token'))
}

function pathOn(server: URL, path: string): string {
  return `${server.origin}${server.pathname.replace(/\/+$/, '')}/${path}`
}

function resource({ log, name }: Target): string {
  if (log !== 'engine') {
    if (name === undefined) return log
    throw new AnnalsError('INVALID_INPUT', `"${log}" takes no name: did you mean "annals fetch engine NAME"?`)
  }
  // Dots alone would be taken out of the path, and lead elsewhere.
  if (name !== undefined && name.length <= hostNameCharacters && !/^\.*$/.test(name)) {
    return `engine/${encodeURIComponent(name)}`
  }
  throw new AnnalsError('INVALID_INPUT', 'which engine? Give its host name: annals fetch engine NAME')
}

// Percent-encoded, so that a "+" that was typed stays one whether the server decodes RFC 3986 or forms (W5).
function query({ before, elapsedHours }: Target): string {
  const parameters = [
    ['before_date', before],
    ['elapsed_hours', elapsedHours],
  ].flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`]))
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`
}
