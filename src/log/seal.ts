// The seal record of a segment: what it holds, once it is never written again. JSON, for people and `sha256sum`.

import type { Micros, Position } from '../entry/event.ts'
import { blockEntries } from '../limits.ts'
import { parseJsonObject } from './json-object.ts'
import type { Segment } from './ledger.ts'

/** What a seal says of its segment. */
export interface Seal {
  readonly first: Position
  readonly entries: number
  readonly bytes: number
  readonly firstTime: Micros
  readonly lastTime: Micros
  /** SHA-256 of the segment's text, in hexadecimal. */
  readonly sha256: string
}

/** A seal record as text: JSON with a newline behind it. */
export function formatSeal(segment: Segment, sha256: string): string {
  const { first, entries, bytes, firstTime, lastTime } = segment
  return `${JSON.stringify({ format: 'annals seal v1', first, entries, bytes, firstTime, lastTime, sha256 })}\n`
}

/** Reads a seal record; undefined where it is not one that `formatSeal` writes for the segment at `first`. */
export function parseSeal(text: string, first: Position): Seal | undefined {
  const value: unknown = parseJsonObject(text)
  if (!isSeal(value) || value.first !== first || value.entries % blockEntries !== 0) return undefined
  return value.firstTime <= value.lastTime && value.bytes >= value.entries ? value : undefined
}

function isSeal(value: unknown): value is Seal {
  if (typeof value !== 'object' || value === null) return false
  const seal = value as Record<string, unknown>
  const numbers = [seal['first'], seal['entries'], seal['bytes'], seal['firstTime'], seal['lastTime']]
  return (
    seal['format'] === 'annals seal v1' &&
    numbers.every((number) => Number.isSafeInteger(number)) &&
    typeof seal['sha256'] === 'string' &&
    /^[0-9a-f]{64}$/.test(seal['sha256'])
  )
}
