// How far the background check has come, as a small file beside the log: a check of a large log takes days, and goes on
// where it stopped. Lost, it begins anew; the entries that were written are in the log.

import { randomUUID } from 'node:crypto'
import type { Micros, Position } from '../entry/event.ts'
import { formatMicros, parseStoredTime } from '../entry/time.ts'
import { CompactRange } from '../tree/compact-range.ts'
import { bytesOfHash, hashBytes, readHash } from '../tree/hash.ts'
import { subtreesOf } from '../tree/range.ts'
import { parseJsonObject } from './json-object.ts'

/** Damage that was found. */
export interface KnownFault {
  /** Where, in words: `segment 512`. */
  readonly place: string
  readonly reason: string
  /** Of the entry that says that it was found, or that it is gone. */
  readonly id: string
  /** `found` and `gone`: that entry is not durable yet. */
  readonly state: 'found' | 'told' | 'gone'
}

/** A pass that is under way. */
export interface Pass {
  /** The segment to be checked next. */
  readonly next: Position
  /** The tree over all before it, as the pass has hashed it; undefined where damage has left it without a hash. */
  readonly range: CompactRange | undefined
}

/** What is known of the check. */
export interface RecheckState {
  /** Since when this log is checked. */
  readonly since: Micros
  /** When the last pass over all that was sealed then ended. */
  readonly lastFull: Micros | undefined
  readonly pass: Pass | undefined
  readonly faults: readonly KnownFault[]
}

/** Before the first pass. */
export function firstState(now: Micros): RecheckState {
  return { since: now, lastFull: undefined, pass: undefined, faults: [] }
}

/** The state after a place was checked and `reason` is wrong with it, or nothing. */
export function withVerdict(state: RecheckState, place: string, reason: string | undefined): RecheckState {
  const known = state.faults.find((fault) => fault.place === place)
  const others = state.faults.filter((fault) => fault.place !== place)
  const id = randomUUID()
  if (reason !== undefined && (known === undefined || known.state === 'gone'))
    return { ...state, faults: [...others, { place, reason, id, state: 'found' }] }
  if (reason === undefined && known?.state === 'found') return { ...state, faults: others }
  if (reason === undefined && known?.state === 'told')
    return { ...state, faults: [...others, { ...known, id, state: 'gone' }] }
  return state
}

/** As it is stored. */
export function formatState({ since, lastFull, pass, faults }: RecheckState): Buffer {
  const text = {
    format,
    since: formatMicros(since),
    lastFull: lastFull === undefined ? null : formatMicros(lastFull),
    pass: pass === undefined ? null : { next: pass.next, roots: rootsText(pass.range) },
    faults,
  }
  return Buffer.from(`${JSON.stringify(text, undefined, 2)}\n`)
}

/** Reads it; undefined where it is not readable. */
export function parseState(bytes: Buffer | undefined): RecheckState | undefined {
  const value = bytes === undefined ? undefined : parseJsonObject(bytes.toString())
  if (value?.['format'] !== format) return undefined
  const [since, lastFull] = [timeOf(value['since']), timeOf(value['lastFull'])]
  const pass = value['pass'] === null ? undefined : parsePass(value['pass'])
  const faults = parseFaults(value['faults'])
  return since === undefined || faults === undefined || pass === 'wrong'
    ? undefined
    : { since, lastFull, pass, faults }
}

const format = 'annals recheck v1'

function rootsText(range: CompactRange | undefined): string[] | null {
  return range === undefined ? null : range.roots.map((root) => bytesOfHash(root).toString('base64'))
}

function timeOf(value: unknown): Micros | undefined {
  return typeof value === 'string' ? parseStoredTime(value) : undefined
}

function parsePass(value: unknown): Pass | 'wrong' {
  if (typeof value !== 'object' || value === null) return 'wrong'
  const { next, roots } = value as Record<string, unknown>
  if (typeof next !== 'number' || !Number.isSafeInteger(next) || next < 0) return 'wrong'
  if (roots === null) return { next, range: undefined }
  const range = Array.isArray(roots) ? rangeOf(next, roots) : undefined
  return range === undefined ? 'wrong' : { next, range }
}

function rangeOf(size: Position, roots: readonly unknown[]): CompactRange | undefined {
  const subtrees = subtreesOf({ from: 0, to: size })
  const hashes = roots.map((root) => Buffer.from(String(root), 'base64'))
  if (hashes.length !== subtrees.length || hashes.some(({ length }) => length !== hashBytes)) return undefined
  const range = new CompactRange()
  for (const [k, { height }] of subtrees.entries()) range.append(readHash(hashes[k] ?? Buffer.of()), height)
  return range
}

function parseFaults(value: unknown): KnownFault[] | undefined {
  if (!Array.isArray(value)) return undefined
  const faults = value.filter(isFault)
  return faults.length === value.length ? faults : undefined
}

function isFault(value: unknown): value is KnownFault {
  if (typeof value !== 'object' || value === null) return false
  const { place, reason, id, state } = value as Record<string, unknown>
  const isText = [place, reason, id].every((text) => typeof text === 'string')
  return isText && (state === 'found' || state === 'told' || state === 'gone')
}
