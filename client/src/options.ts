// What an application says when it opens an audit trail.

import { hostname } from 'node:os'
import { isIP } from 'node:net'
import type { AuditTrailError } from './errors.ts'
import type { AuditEvent } from './event.ts'
import * as limits from './limits.ts'

/** Who the application is. */
export type Credentials =
  | {
      /** A client of the portal's authorization server, with the scope to record events. */
      readonly clientId: string
      readonly clientSecret: string
      /** Where tokens are given out; `/oauth2/default/v1/token` of `url` unless it is given. Needed for an engine. */
      readonly tokenUrl?: string
      /** What the token is for (RFC 8707). Needed for an engine: its log's URL at the portal. */
      readonly resource?: string
      /** The scope that is asked for; `service:audit-trail:record` unless it is given. */
      readonly scope?: string
    }
  | { readonly user: string; readonly password: string }
  /** Asked for a token before each request, and once more where the server refuses it. It remembers tokens itself. */
  | { readonly token: () => Promise<string> }

/** What was not recorded since the last event that was. */
export interface Dropped {
  readonly count: number
  /** When the first was dropped. */
  readonly since: Date
}

/** How to reach the audit trail, and what to do with events that cannot be recorded at once. */
export interface AuditTrailOptions {
  /** A portal or an engine, with its port: `https://portal.example.com`. Or else `socketPath`. */
  readonly url?: string
  /** The record socket of a node on this machine, which asks for no credentials. */
  readonly socketPath?: string
  /** The log: its id, or the node's host name. Unless it is given, the host of `url`, or this machine at a socket. */
  readonly log?: string
  readonly credentials?: Credentials
  /** The component of events that say none and whose code is no other component's. */
  readonly component?: string
  /** The certificates that the server's must come from, as PEM; the system's unless they are given. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  /** The SHA-256 fingerprint of the server's own certificate, in hexadecimal: instead of `ca` and its name. */
  readonly pin?: string
  /** Permits `http:` to other machines: credentials and events can then be read and changed on the way. */
  readonly allowPlainHttp?: boolean
  /** A directory for events that must wait longer than this process may live. */
  readonly spool?: { readonly directory: string; readonly maxBytes?: number }
  readonly maxWaiting?: number
  readonly maxWaitingBytes?: number
  readonly batch?: {
    readonly events?: number
    readonly bytes?: number
    readonly lingerMs?: number
    readonly inFlight?: number
  }
  readonly requestTimeoutMs?: number
  /** How long `record` tries; `Infinity` for as long as the process lives. */
  readonly giveUpAfterMs?: number
  /** The pauses between tries. */
  readonly retry?: { readonly firstMs?: number; readonly mostMs?: number }
  /** Told of every event that is not recorded, with its JSON. Unless it is given, the process warns. It may be async. */
  readonly onError?: (error: AuditTrailError, event: string | undefined) => unknown
  /** What to record about events that were dropped, once recording works again. */
  readonly onDrop?: (dropped: Dropped) => AuditEvent | undefined
  /** Whether `record` and `enqueue` reject instead of resolving with `undefined`. */
  readonly throwErrors?: boolean
}

/** The options with all that was left out. */
export interface Settings {
  readonly origin: URL
  readonly socketPath: string | undefined
  readonly path: string
  readonly batch: {
    readonly events: number
    readonly bytes: number
    readonly lingerMs: number
    readonly inFlight: number
  }
  readonly retry: { readonly firstMs: number; readonly mostMs: number }
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  readonly requestTimeoutMs: number
  readonly giveUpAfterMs: number
  readonly spool: { readonly directory: string; readonly maxBytes: number } | undefined
}

/** Completes options. Throws a TypeError that names the one that is wrong. */
export function settingsOf(options: AuditTrailOptions): Settings {
  const { batch = {}, retry = {}, spool } = options
  const origin = originOf(options)
  const base = origin.pathname.replace(/\/+$/, '')
  return {
    origin,
    socketPath: options.socketPath,
    path: `${base}/audit-trail/api/v2/logs/${encodeURIComponent(logOf(options, origin))}/entries`,
    batch: {
      events: count('batch.events', batch.events, limits.batchEvents),
      bytes: count('batch.bytes', batch.bytes, limits.batchBytes),
      lingerMs: time('batch.lingerMs', batch.lingerMs, limits.batchLingerMs, 0),
      inFlight: count('batch.inFlight', batch.inFlight, limits.requestsInFlight),
    },
    retry: {
      firstMs: count('retry.firstMs', retry.firstMs, limits.pauseMs),
      mostMs: count('retry.mostMs', retry.mostMs, limits.pauseMostMs),
    },
    maxWaiting: count('maxWaiting', options.maxWaiting, limits.waitingEvents),
    maxWaitingBytes: count('maxWaitingBytes', options.maxWaitingBytes, limits.waitingBytes),
    requestTimeoutMs: time('requestTimeoutMs', options.requestTimeoutMs, limits.requestTimeoutMs),
    giveUpAfterMs: timeOrEver('giveUpAfterMs', options.giveUpAfterMs, limits.giveUpAfterMs),
    spool:
      spool === undefined
        ? undefined
        : {
            directory: directoryOf(spool.directory),
            maxBytes: count('spool.maxBytes', spool.maxBytes, limits.spoolBytes),
          },
  }
}

/** The URL of an option. Throws a TypeError unless it is one that secrets may be sent to. */
export function safeUrl(name: string, text: string, { allowPlainHttp }: AuditTrailOptions): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new TypeError(`${name} is expected to be a URL with https:`)
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`${name} is expected to hold no credentials: there is an option for them`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && allowPlainHttp !== true)
    throw new TypeError(`${name} is expected to have https: (allowPlainHttp permits http: to other machines)`)
  return url
}

function originOf(options: AuditTrailOptions): URL {
  const { url, socketPath } = options
  if ((url === undefined) === (socketPath === undefined))
    throw new TypeError('either url or socketPath is expected')
  return url === undefined ? new URL('http://localhost') : safeUrl('url', url, options)
}

function logOf({ log, socketPath }: AuditTrailOptions, { hostname: host }: URL): string {
  if (log !== undefined && log !== '') return log
  if (socketPath !== undefined) return hostname()
  if (log === '' || host === 'localhost' || isIP(host.replace(/^\[|\]$/g, '')) !== 0)
    throw new TypeError('log is expected: the id of the log, or the host name of its node')
  return host
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

function count(name: string, value: number | undefined, fallback: number, least = 1): number {
  const number = value ?? fallback
  if (Number.isSafeInteger(number) && number >= least) return number
  throw new TypeError(`${name} is expected to be a whole number of at least ${least}`)
}

// What a timer is set for.
function time(name: string, value: number | undefined, fallback: number, least = 1): number {
  const ms = count(name, value, fallback, least)
  if (ms <= limits.timerMostMs) return ms
  throw new TypeError(`${name} is expected to be at most ${limits.timerMostMs}`)
}

// An empty one would be where the process happens to run.
function directoryOf(directory: unknown): string {
  if (typeof directory === 'string' && directory !== '') return directory
  throw new TypeError('spool.directory is expected to be the path of a directory')
}

function timeOrEver(name: string, value: number | undefined, fallback: number): number {
  return value === Infinity ? value : count(name, value, fallback)
}
