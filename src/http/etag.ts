// Entity tags (RFC 9110 section 8.8.3; contract R4). A run of entries never changes (I2), so its positions
// are a strong validator that costs nothing: `"<log id>.<from>-<to>"`. A compressed answer is another
// representation of the same run and has a tag of its own: `"<log id>.<from>-<to>-zstd"`.

import type { Position } from '../entry/event.ts'
import type { Acceptance, Coding } from './negotiate.ts'

/** The tag of a run of entries, without quotes and coding. */
export function runTag(log: string, from: Position, to: Position): string {
  return `${log}.${from}-${to}`
}

/** The ETag header of what `tag` names, in a coding. */
export function entityTag(tag: string, coding: Coding): string {
  return coding === 'identity' ? `"${tag}"` : `"${tag}-${coding}"`
}

/** The tag that an If-Range header names, if it is the strong tag of an uncompressed answer, as it may be ours. */
export function parseTag(header: string): string | undefined {
  return /^"([A-Za-z0-9.-]{1,300})"$/.exec(header)?.[1]
}

/**
 * The run of `log` that an If-Range header names (R4), if it is the strong tag of an uncompressed answer of
 * this log. Undefined for everything else: dates, weak tags, tags of other logs and of compressed answers.
 */
export function parseRunTag(header: string, log: string): { from: Position; to: Position } | undefined {
  const prefix = `"${log}.`
  if (!header.startsWith(prefix)) return undefined
  const run = /^(\d{1,15})-(\d{1,15})"$/.exec(header.slice(prefix.length))
  if (run === null) return undefined
  const [from, to] = [Number(run[1]), Number(run[2])]
  return from <= to ? { from, to } : undefined
}

/**
 * The coding in which the caller has what `tag` names already (If-None-Match, weak comparison), or undefined.
 * `preferred` is what the answer would be coded in; another coding counts too, so long as the caller can
 * read it: the run is the same, and a 304 names the tag that matched.
 */
export function heldCoding(
  header: string | undefined,
  tag: string,
  preferred: Coding,
  acceptance: Acceptance,
): Coding | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return preferred
  const held = new Set(header.match(/"[^"]*"/g))
  const codings: Coding[] = [preferred, 'identity', 'zstd', 'gzip']
  return codings.find(
    (coding) => (coding === preferred || acceptance[coding]) && held.has(entityTag(tag, coding)),
  )
}
