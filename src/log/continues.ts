// What a log continues: the one before it in the same data directory, which was closed for good. A part of the new log's
// description, and its first entry.

import type { LogId, Micros } from '../entry/event.ts'
import { formatMicros, parseStoredTime } from '../entry/time.ts'
import { bytesOfHash, type Hash, hashBytes, readHash } from '../tree/hash.ts'

/** Why a log was closed: its keys may be somebody else's, or it is not what it was. */
export type ClosingReason = 'revoked' | 'renewed'

/** The log before, as far as it was closed. */
export interface Continues {
  readonly log: LogId
  /** Of its last checkpoint that counts. What lies behind it in its files is not proved. */
  readonly size: number
  readonly root: Hash
  /** How many entries its head covers behind that. */
  readonly unproved: number
  /** True where a witness has cosigned that checkpoint. */
  readonly isWitnessed: boolean
  readonly reason: ClosingReason
  /** Who ordered it, and when. */
  readonly actor: string
  readonly at: Micros
}

/** As it stands in JSON. */
export function formatContinues(continues: Continues): object {
  const { log, size, root, unproved, isWitnessed, reason, actor, at } = continues
  const rootText = bytesOfHash(root).toString('base64')
  return { log, size, root: rootText, unproved, isWitnessed, reason, actor, at: formatMicros(at) }
}

/** Reads it; undefined where it is not that. */
export function parseContinues(value: unknown): Continues | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Record<string, unknown>
  const { log, size, unproved, isWitnessed, actor } = fields
  const reason = (['revoked', 'renewed'] as const).find((known) => known === fields['reason'])
  const root = Buffer.from(textOf(fields['root']), 'base64')
  const at = parseStoredTime(textOf(fields['at']))
  if (typeof log !== 'string' || typeof actor !== 'string' || typeof isWitnessed !== 'boolean')
    return undefined
  if (!isCount(size) || !isCount(unproved)) return undefined
  if (reason === undefined || at === undefined || root.length !== hashBytes) return undefined
  return { log: log as LogId, size, root: readHash(root), unproved, isWitnessed, reason, actor, at }
}

/** What the new log's first entry says of it. */
export function continuesFields({ log, size, root, isWitnessed, reason, actor }: Continues): {
  readonly old: string
  readonly size: string
  readonly root: string
  readonly witnessed: string
  readonly reason: string
  readonly orderedBy: string
} {
  return {
    old: log,
    size: String(size),
    root: bytesOfHash(root).toString('base64'),
    witnessed: isWitnessed ? 'witnessed' : 'not witnessed',
    reason,
    orderedBy: actor,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
