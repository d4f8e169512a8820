// What an answer is made from: a run of bytes that will never change, and how it is named.

import type { Micros } from '../entry/event.ts'
import { formatMicros } from '../entry/time.ts'
import type { EngineRun } from '../federation/engine-run.ts'
import type { EngineSet } from '../federation/engine-set.ts'
import type { EntryRun, SnapshotReader, Snapshot } from '../log/audit-log.ts'
import { runTag } from './etag.ts'
import type { Part } from './range.ts'

/** Bytes that can be answered with. Immutable: the same tag is the same bytes, for ever (R4). */
export interface Content {
  /** The entity tag without quotes and coding. */
  readonly tag: string
  readonly bytes: number
  /** Headers that say what it is, as a flat name-value list. */
  readonly headers: readonly string[]
  /** Opens a part of the bytes. Offsets are those of the content, and the reader is asked for none outside the part. */
  open(part: Part): SnapshotReader
}

/** A snapshot of this node's own log as content; `proof` are the headers that say where its proof is. */
export function contentOf(snapshot: Snapshot, proof: readonly string[]): Content {
  const content = runContent(snapshot)
  const recorded = snapshot.mark !== undefined
  return { ...content, headers: [...content.headers, ...readHeaders(snapshot.now, recorded), ...proof] }
}

/** A run of this node's own log as content. */
export function runContent(run: EntryRun): Content {
  return {
    tag: runTag(run.log, run.from, run.to),
    bytes: run.bytes,
    headers: runHeaders(run),
    open: () => run.open(),
  }
}

/** A run of an engine's log as content; `read` is the portal's own entry of it. Reading ends when `gone` is aborted. */
export function engineContent(
  run: EngineRun,
  read: Read,
  proof: readonly string[],
  gone: AbortSignal,
): Content {
  const recorded = run.mark !== undefined && read.mark !== undefined
  return {
    tag: runTag(run.log, run.from, run.to),
    bytes: run.bytes,
    headers: [...runHeaders(run), ...readHeaders(run.now, recorded), ...proof],
    open: ({ start, end }) => run.open(start, end, gone),
  }
}

/** The runs of all engines as one content. */
export function enginesContent(
  set: EngineSet,
  read: Read,
  proof: readonly string[],
  gone: AbortSignal,
): Content {
  const recorded = set.recorded && read.mark !== undefined
  return {
    tag: set.tag,
    bytes: set.bytes,
    headers: ['Annals-Engines', String(set.runs.length), ...readHeaders(read.now, recorded), ...proof],
    open: ({ start, end }) => set.open(start, end, gone),
  }
}

/** Why a read or a refusal is not in the log: there is no room for it (I9, S7). */
export const notRecorded: readonly string[] = ['Annals-Not-Recorded', 'storage-full']

type Read = Pick<Snapshot, 'now' | 'mark'>

function runHeaders({ log, from, to }: Omit<EntryRun, 'open'>): readonly string[] {
  return ['Annals-Log', log, 'Annals-Positions', `${from}-${to}`]
}

function readHeaders(now: Micros, recorded: boolean): readonly string[] {
  return ['Annals-Now', formatMicros(now), ...(recorded ? [] : notRecorded)]
}
