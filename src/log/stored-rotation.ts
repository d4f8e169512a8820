// A rotation of a log's keys at rest: a part of the log's description, which is replaced whole at each step of it.
//
//   begun     the new keys sign beside the old ones; the entry that says so may be missing
//   told      that entry is durable
//   retired   the old keys sign no more; their files may still be there, and the entry of their end may be missing
//   ended     the old keys are destroyed, and an entry says so

import type { Micros } from '../entry/event.ts'
import { formatMicros, parseStoredTime } from '../entry/time.ts'
import { readRotation } from '../tree/key-rotation.ts'
import type { NoteKey } from '../tree/note-key.ts'

/** How far a rotation has come; see the head of this file. */
export const rotationSteps = ['begun', 'told', 'retired', 'ended'] as const

/** One of them. */
export type RotationStep = (typeof rotationSteps)[number]

/** A rotation of a log's keys. */
export interface StoredRotation {
  /** Of its order, and of the entry that says that it began. */
  readonly id: string
  /** Of the entry that says that it ended. */
  readonly endId: string
  /** Who ordered it, and when. */
  readonly actor: string
  readonly ordered: Micros
  /** Since when the new keys sign. */
  readonly since: Micros
  readonly step: RotationStep
  /** What all four keys have signed. */
  readonly statement: string
  /** The keys that it names as the old ones and as the new ones: Ed25519, then ML-DSA-44. */
  readonly old: readonly NoteKey[]
  readonly next: readonly NoteKey[]
}

/** As it stands in JSON. */
export function formatStoredRotation(rotation: StoredRotation): object {
  const { id, endId, actor, ordered, since, step, statement } = rotation
  return { id, endId, actor, ordered: formatMicros(ordered), since: formatMicros(since), step, statement }
}

/** Reads it; undefined where it is none, or its statement is not signed. */
export function parseStoredRotation(value: unknown): StoredRotation | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Record<string, unknown>
  const { id, endId, actor, statement } = fields
  const step = rotationSteps.find((known) => known === fields['step'])
  const ordered = parseStoredTime(String(fields['ordered']))
  const since = parseStoredTime(String(fields['since']))
  if (typeof id !== 'string' || typeof endId !== 'string' || typeof actor !== 'string') return undefined
  if (step === undefined || ordered === undefined || since === undefined) return undefined
  const read = typeof statement === 'string' ? readRotation(statement) : ''
  if (typeof read === 'string' || typeof statement !== 'string') return undefined
  return { id, endId, actor, ordered, since, step, statement, old: read.old, next: read.next }
}
