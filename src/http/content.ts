// What an answer is made from: a run of bytes that will never change, and how it is named.

import type { Snapshot, SnapshotReader } from '../log/audit-log.ts'
import { formatMicros } from '../entry/time.ts'
import { runTag } from './etag.ts'

/** Bytes that can be answered with. Immutable: the same tag is the same bytes, for ever (R4). */
export interface Content {
  /** The entity tag without quotes and coding. */
  readonly tag: string
  readonly bytes: number
  /** Headers that say what it is, as a flat name-value list. */
  readonly headers: readonly string[]
  open(): SnapshotReader
}

/** A snapshot of one log as content. */
export function contentOf(snapshot: Snapshot): Content {
  return {
    tag: runTag(snapshot.log, snapshot.from, snapshot.to),
    bytes: snapshot.bytes,
    headers: [
      'Annals-Log',
      snapshot.log,
      'Annals-Positions',
      `${snapshot.from}-${snapshot.to}`,
      ...readHeaders(snapshot),
    ],
    open: () => snapshot.open(),
  }
}

/** The content of "all engines" while none is connected: the empty set of snapshots. */
export function emptyContent(read: Snapshot): Content {
  return { tag: 'no-engines', bytes: 0, headers: readHeaders(read), open: () => read.open() }
}

/** Why a read or a refusal is not in the log: there is no room for it (I9, S7). */
export const notRecorded: readonly string[] = ['Annals-Not-Recorded', 'storage-full']

function readHeaders(snapshot: Snapshot): readonly string[] {
  return ['Annals-Now', formatMicros(snapshot.now), ...(snapshot.recorded ? [] : notRecorded)]
}
