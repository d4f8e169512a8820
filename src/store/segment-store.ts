// The port under a log: where segments rest. The text of the segments is the truth; everything else that is
// kept here is derived from it and may be lost, except the head, which says how much of the truth there must be.
//
// One writer (I5). An implementation must guarantee what its methods say, across a crash of the process and of
// the machine, and need not guarantee anything about bytes that were never acknowledged: after a crash they may
// be there, in part, in any order, or not at all. `suite.ts` is the exported proof that it does.

import type { Position } from '../entry/event.ts'

/** A segment as the store finds it. */
export interface StoredSegment {
  /** The position of its first entry; it is the segment's name. */
  readonly first: Position
  /** How many bytes the store shows. For a segment without a seal the last ones may never have been durable. */
  readonly bytes: number
  /** Its seal record, as it was put; undefined where it was not sealed. */
  readonly seal: string | undefined
}

/**
 * What others signed of a log: its latest checkpoint that a witness cosigned, and one that it signed and that contradicts
 * what it is now.
 */
export type NoteName = 'witnessed' | 'contradicted'

/** How an append ended. */
export type AppendOutcome =
  /** All of it is durable. */
  | { readonly outcome: 'durable' }
  /** No room. Nothing of it is kept, and the segment is as it was. */
  | { readonly outcome: 'full'; readonly cause: unknown }
  /** Another writer has that position. Nothing of it is kept. */
  | { readonly outcome: 'taken'; readonly cause: unknown }
  /** It may be durable, in part, or not. Only `renew` may follow. */
  | { readonly outcome: 'unknown'; readonly cause: unknown }

/** What a log may keep besides its text: small, whole, replaceable, named by `log/layout.ts`. */
export interface SegmentStore extends AsyncDisposable {
  /** All segments in the order of their positions. */
  list(): Promise<readonly StoredSegment[]>
  /** Makes an empty segment, durably. It must not exist. */
  begin(first: Position): Promise<void>
  /** Writes `bytes` at `offset`, which is the segment's durable end, and makes them durable. Never throws. */
  append(first: Position, offset: number, bytes: Uint8Array): Promise<AppendOutcome>
  /**
   * Puts the first `bytes` bytes of an unsealed segment, and nothing else, where no failed write has been.
   * Durable when it returns. What was open for reading may go on reading the old bytes. Throws where it cannot.
   */
  renew(first: Position, bytes: number): Promise<void>
  /** Copies what stands at and after `offset` to a place of its own for a person to look at; returns its name. */
  setAside(first: Position, offset: number): Promise<string>
  /** Puts the seal record: the segment's bytes never change from now on. Durable when it returns. */
  seal(first: Position, record: string): Promise<void>
  /** Opens a segment for reading. */
  open(first: Position): Promise<SegmentReader>
  /** Reads a derived object; undefined where there is none. */
  getDerived(name: string): Promise<Buffer | undefined>
  /** Puts or replaces a derived object: after a crash it is the old one or the new one. */
  putDerived(name: string, bytes: Uint8Array): Promise<void>
  /** Removes a derived object; one that is not there is no error. */
  dropDerived(name: string): Promise<void>
  /** Reads the head; undefined where none was ever put. */
  getHead(): Promise<string | undefined>
  /** Replaces the head. Durable when it returns. */
  putHead(head: string): Promise<void>
  /** Reads a note that is kept beside the head; undefined where none was ever put. */
  getNote(name: NoteName): Promise<string | undefined>
  /** Replaces it. Durable when it returns. One caller at a time for each. */
  putNote(name: NoteName, note: string): Promise<void>
  /** How much more can be written, in bytes. */
  freeBytes(): number
}

/** A segment open for reading. */
export interface SegmentReader extends AsyncDisposable {
  /** Reads at `offset` into the start of `target`: how many bytes, 0 at the end. */
  read(target: Uint8Array, offset: number): Promise<number>
}
