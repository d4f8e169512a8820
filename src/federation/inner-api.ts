// The inner API, which an engine has for its portal alone: what goes over the wire, read and written in one place for
// both sides. It keeps no state: a window is fixed once, and its entries are asked for by their positions, as often
// as it takes. Times are microseconds since the epoch; the portal has resolved every time zone.

import { createHash } from 'node:crypto'
import type { LogId, Micros, Position } from '../entry/event.ts'
import type { Window } from '../entry/window.ts'
import { AnnalsError } from '../errors.ts'

/** Paths at an engine. */
export const innerPaths = {
  /** GET → `Description`. The portal says in `Annals-Holds` which of the engine's certificates it trusts. */
  description: '/audit-trail/inner/v1/description',
  /** POST `Question` → `FixedWindow`; 404 where the log has no such run. Records the read (S7). */
  window: '/audit-trail/inner/v1/window',
  /** GET `?from=…&to=…` → the bytes of a run; `Range` is honoured. Records nothing. */
  entries: '/audit-trail/inner/v1/entries',
  /** GET below it → a file that the engine's log publishes: its checkpoint, tiles, proofs. Records nothing. */
  published: '/audit-trail/inner/v1/log',
  /** PUT a certificate (PEM) → `Holds`: the portal's next one, to be trusted beside its present one. */
  certificate: '/audit-trail/inner/v1/certificate',
  /** PUT what is to be known of access tokens (`token-trust.ts`) → its hash, as `Description.tokens`. */
  tokens: '/audit-trail/inner/v1/tokens',
  /** PUT the portal's keys (`node-keys.ts`) → their hash, as `Description.portalKeys`. */
  keys: '/audit-trail/inner/v1/keys',
} as const

/** The header in which fingerprints are listed, with commas between. */
export const holdsHeader = 'annals-holds'

/** How an engine is. */
export interface Description {
  readonly hostName: string
  readonly log: LogId
  readonly size: number
  readonly bytes: number
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
  readonly version: string
  /** The engine's wall clock. */
  readonly clock: Micros
  /** The engine's certificates, PEM: the present one, and the next one while it is being replaced. */
  readonly certificates: readonly string[]
  /** Fingerprints of the portal's certificates that the engine trusts. */
  readonly holds: readonly string[]
  /** The hash of what it was told last of access tokens (`token-trust.ts`); undefined where it takes none. */
  readonly tokens?: string | undefined
  /** The keys of its log and of its witness (`node-keys.ts`); engines that are older do not tell them. */
  readonly keys?: string | undefined
  /** The hash of what it was told last of the portal's; undefined where it takes none. */
  readonly portalKeys?: string | undefined
}

/** The hash of what was told of keys. */
export function hashOfKeys(keys: string | undefined): string {
  return createHash('sha256')
    .update(keys ?? '')
    .digest('hex')
}

/** What a portal asks an engine to fix, for whom. */
export interface Question {
  /** A window, or the run of an earlier answer (R4). */
  readonly of: Window | Run
  readonly reader: Reader
}

/** Positions [from, to). */
export interface Run {
  readonly from: Position
  readonly to: Position
}

/** Who reads, as the engine's own entry is to say it. */
export interface Reader {
  readonly name: string
  readonly session?: string
  readonly source: string
  readonly method: string
  /** What the reader wants to find in that entry. */
  readonly nonce?: string
}

/** What a window became. */
export interface FixedWindow extends Run {
  readonly log: LogId
  readonly bytes: number
  /** The window, resolved by the engine: `start` ≤ time < `end`. */
  readonly start: Micros
  readonly end: Micros
  /** The time of the engine's own entry about this read (W3), and its position; undefined where there is none (I9). */
  readonly now: Micros
  readonly mark: Position | undefined
}

/** Writes a question. */
export function renderQuestion({ of, reader }: Question): string {
  return JSON.stringify({ ...of, ...reader })
}

/** Reads a question. Throws INVALID_PARAMETER. */
export function parseQuestion(body: unknown): Question {
  const fields = objectOf(body)
  const { name, session, source, method, nonce } = fields
  const isNamed = isText(name) && isText(source) && isText(method)
  if (!isNamed || !isTextOrNone(session) || !isTextOrNone(nonce)) throw malformed()
  const asked = { ...(session === undefined ? {} : { session }), ...(nonce === undefined ? {} : { nonce }) }
  const reader = { name, source, method, ...asked }
  return { of: subjectOf(fields), reader }
}

function subjectOf({ from, to, before, elapsed }: Readonly<Record<string, unknown>>): Window | Run {
  if (from !== undefined || to !== undefined) {
    if (!isCount(from) || !isCount(to) || from > to) throw malformed()
    return { from, to }
  }
  if (!(before === undefined || isMicros(before)) || !(elapsed === undefined || isCount(elapsed)))
    throw malformed()
  return { ...(before === undefined ? {} : { before }), ...(elapsed === undefined ? {} : { elapsed }) }
}

/** True where a question is for the run of an earlier answer. */
export function isRun(of: Window | Run): of is Run {
  return 'from' in of
}

/** Reads what a window became. Throws INVALID_PARAMETER where it is no such thing. */
export function parseFixedWindow(body: unknown): FixedWindow {
  const { log, from, to, bytes, start, end, now, mark } = objectOf(body)
  const isWhole = isText(log) && isCount(from) && isCount(to) && isCount(bytes) && from <= to
  const isTimed = isMicros(start) && isMicros(end) && isMicros(now) && isMark(mark)
  // An entry has at least a byte and its newline.
  if (!isWhole || !isTimed || (from === to) !== (bytes === 0) || bytes < to - from) throw malformed()
  return { log: log as LogId, from, to, bytes, start, end, now, mark }
}

/** Reads how an engine is. Throws INVALID_PARAMETER where it is no such thing. */
export function parseDescription(body: unknown): Description {
  const { hostName, log, size, bytes, firstTime, lastTime, version, clock, ...told } = objectOf(body)
  const { certificates, holds, tokens, keys, portalKeys } = told
  const isNamed = isText(hostName) && isText(log) && isText(version)
  const isCounted = isCount(size) && isCount(bytes) && isMicros(clock)
  const isTimed = isMicrosOrNone(firstTime) && isMicrosOrNone(lastTime)
  if (!isNamed || !isCounted || !isTimed || !isTexts(certificates) || !isTexts(holds)) throw malformed()
  if (!isTextOrNone(tokens) || !isTextOrNone(keys) || !isTextOrNone(portalKeys)) throw malformed()
  const times = { firstTime, lastTime }
  const known = { certificates, holds, tokens, keys, portalKeys }
  return { hostName, log: log as LogId, size, bytes, ...times, version, clock, ...known }
}

/** Reads the fingerprints that a node says it trusts. Throws INVALID_PARAMETER where it is no such thing. */
export function parseHolds(body: unknown): readonly string[] {
  const { holds } = objectOf(body)
  if (!isTexts(holds)) throw malformed()
  return holds
}

/** Reads the hash of what an engine was told of keys. Throws INVALID_PARAMETER where it is no such thing. */
export function parsePortalKeys(body: unknown): string {
  const { portalKeys } = objectOf(body)
  if (!isText(portalKeys)) throw malformed()
  return portalKeys
}

/** Reads the hash of what an engine was told of access tokens. Throws INVALID_PARAMETER where it is no such thing. */
export function parseTokens(body: unknown): string {
  const { tokens } = objectOf(body)
  if (!isText(tokens)) throw malformed()
  return tokens
}

/** The positions that a query of `entries` names. Throws INVALID_PARAMETER. */
export function parseRun(rawQuery: string): Run {
  const [, from, to] = /^from=(\d{1,15})&to=(\d{1,15})$/.exec(rawQuery) ?? []
  if (from === undefined || to === undefined || Number(from) > Number(to)) {
    throw new AnnalsError('INVALID_PARAMETER', 'query: expected from=…&to=…, two positions in order')
  }
  return { from: Number(from), to: Number(to) }
}

/** The inverse of `parseRun`. */
export function renderRun({ from, to }: Run): string {
  return `from=${from}&to=${to}`
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed()
  return value as Record<string, unknown>
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= 2 && value.every(isText)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isMark(value: unknown): value is Position | undefined {
  return value === undefined || isCount(value)
}

function isMicros(value: unknown): value is Micros {
  return Number.isSafeInteger(value)
}

function isMicrosOrNone(value: unknown): value is Micros | undefined {
  return value === undefined || isMicros(value)
}

function malformed(): AnnalsError {
  return new AnnalsError('INVALID_PARAMETER', 'the body is not what the inner API expects')
}
