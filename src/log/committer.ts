// How entries become durable: the one path that every entry takes to the disk, from top to bottom in `commit`.
// A commit is one write and one fdatasync. When it is done, the ledger knows the entries; when it failed, nothing
// has changed. Segments are sealed behind it, while the next one is being written.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Draft, Place, Position } from '../entry/event.ts'
import { writeLine } from '../entry/line.ts'
import { batchBytes, blockEntries, horizonEntries, segmentBytes } from '../limits.ts'
import { isFull } from '../store/disk.ts'
import type { AppendOutcome, SegmentStore } from '../store/segment-store.ts'
import { emptyRoot, type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { type Fingerprint, fingerprintBytes } from './horizon.ts'
import { fingerprintsName, indexName, tileName } from './layout.ts'
import type { ActiveSegment, FullTile, Ledger, Segment } from './ledger.ts'
import type { LogText } from './log-text.ts'
import { formatSeal } from './seal.ts'
import { sign } from './segment-index.ts'

/** A draft that has its place. */
export interface Line extends Place {
  readonly draft: Draft
  readonly fingerprint: Fingerprint
  /** Its length with the newline, and its leaf hash: filled in by the commit. */
  bytes: number
  leaf: Hash
}

/** A line before its commit. */
export function lineAt(place: Place, draft: Draft, fingerprint: Fingerprint): Line {
  const { position, time, clock } = place
  return { position, time, clock, draft, fingerprint, bytes: 0, leaf: emptyRoot }
}

/** What a committer works on. */
export interface CommitterParts {
  readonly store: SegmentStore
  readonly ledger: Ledger
  readonly text: LogText
  /** Makes the head durable: a sealed segment never lies beyond it. */
  readonly flushHead: () => Promise<void>
  /** Told of what could not be derived: the log goes on without it, and makes it again when it is opened. */
  readonly failed: (what: string, error: unknown) => void
  readonly segmentBytes?: number
}

/** Commits lines. One call at a time. */
export class Committer {
  readonly #parts: CommitterParts
  readonly #segmentBytes: number
  readonly #buffer = Buffer.allocUnsafe(batchBytes)
  #background: Promise<void> = Promise.resolve()

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#segmentBytes = parts.segmentBytes ?? segmentBytes
  }

  /** How many more entries may go into this commit: a segment that is long enough ends with a full block. */
  get room(): number {
    const active = this.#parts.ledger.active
    if (active === undefined || active.bytes < this.#segmentBytes) return Number.POSITIVE_INFINITY
    return blockEntries - (active.entries % blockEntries)
  }

  /**
   * Makes lines durable, which follow the last one and fit `room` and, by the `bytes` of their drafts, `batchBytes`. Never throws. An outcome other
   * than `durable` leaves the ledger as it was.
   */
  async commit(lines: readonly Line[]): Promise<AppendOutcome> {
    const { store, ledger } = this.#parts
    const active = ledger.active ?? (await this.#begin())
    if ('outcome' in active) return active
    assert(lines.length > 0 && lines[0]?.position === ledger.size)

    let bytes = 0
    for (const line of lines) {
      const end = writeLine(this.#buffer, bytes, line.draft, line)
      line.bytes = end - bytes
      bytes = end
    }
    // A crash during this leaves any part of the batch behind the durable end; nobody has been answered yet.
    const appended = store.append(active.first, active.bytes, this.#buffer.subarray(0, bytes))
    // The disk works; so do we: the tree takes in the batch before this one. The leaves of this one are thrown away
    // where its commit fails.
    ledger.grow()
    this.#putTiles(ledger.takeFullTiles())
    let start = 0
    for (const line of lines) {
      line.leaf = leafHashOfBytes(this.#buffer, start, start + line.bytes - 1)
      start += line.bytes
    }
    const outcome = await appended
    if (outcome.outcome !== 'durable') return outcome

    // From here on the entries are the log's. A crash now loses only what can be derived from their text.
    ledger.publish(lines)
    if (active.bytes >= this.#segmentBytes && active.entries % blockEntries === 0) {
      const ended = ledger.end()
      // The tiles first: those that end in a sealed segment are there.
      this.#putTiles(ledger.takeFullTiles())
      this.#seal(ended)
    }
    return outcome
  }

  /** Resolves once all that was derived so far is stored. */
  async settled(): Promise<void> {
    this.#parts.ledger.grow()
    this.#putTiles(this.#parts.ledger.takeFullTiles())
    await this.#background
  }

  async #begin(): Promise<ActiveSegment | AppendOutcome> {
    const { store, ledger } = this.#parts
    try {
      await store.begin(ledger.size)
    } catch (cause) {
      // Nothing was appended, and an empty segment is no segment.
      return { outcome: isFull(cause) ? 'full' : 'unknown', cause }
    }
    return ledger.begin(ledger.size)
  }

  #putTiles(tiles: readonly FullTile[]): void {
    for (const { level, index, bytes } of tiles) {
      const name = tileName(level, index)
      this.#inBackground(name, () => this.#parts.store.putDerived(name, bytes))
    }
  }

  #seal(ended: ActiveSegment): void {
    const { store, ledger, text } = this.#parts
    text.adopt(ended.index)
    const segment: Segment = ledger.segmentAt(ended.first)
    this.#inBackground(`segment ${ended.first}`, async () => {
      // In this order: a crash between them leaves a segment without its seal, and opening does all of it again.
      await putIndex(store, ended)
      await this.#parts.flushHead()
      await sealSegment(store, segment)
      await this.#dropOldFingerprints()
    })
  }

  // Fingerprints are kept for the horizon, and one segment more.
  async #dropOldFingerprints(): Promise<void> {
    const { store, ledger } = this.#parts
    const old = ledger.segments.findLastIndex(
      (segment) => segment.first + segment.entries + 2 * horizonEntries < ledger.size,
    )
    const segment = ledger.segments[old]
    if (segment !== undefined) await store.dropDerived(fingerprintsName(segment.first))
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    this.#background = this.#background.then(work).catch((error: unknown) => this.#parts.failed(what, error))
  }
}

/** Stores what is derived from a segment, as far as its blocks are full: its index and its fingerprints. */
export async function putIndex(store: SegmentStore, segment: ActiveSegment): Promise<void> {
  const index = segment.index.fullBlocks()
  const fingerprints = segment.fingerprints.subarray(0, index.entries * fingerprintBytes)
  await store.putDerived(indexName(segment.first), index.encode())
  await store.putDerived(fingerprintsName(segment.first), sign([fingerprints]))
}

/** Puts the seal of a segment that has ended. The head must cover it. */
export async function sealSegment(store: SegmentStore, segment: Segment): Promise<void> {
  await store.seal(segment.first, formatSeal(segment, await hashOfSegment(store, segment)))
}

/** The SHA-256 of a segment's text, in hexadecimal. Throws where the text is not as long as it should be. */
export async function hashOfSegment(
  store: SegmentStore,
  segment: { first: Position; bytes: number },
): Promise<string> {
  const digest = createHash('sha256')
  const buffer = Buffer.allocUnsafe(256 * 1024)
  await using reader = await store.open(segment.first)
  for (let done = 0; done < segment.bytes;) {
    const read = await reader.read(buffer.subarray(0, Math.min(buffer.length, segment.bytes - done)), done)
    if (read === 0)
      throw new Error(`segment ${segment.first} ends at byte ${done}, ${segment.bytes - done} short`)
    digest.update(buffer.subarray(0, read))
    done += read
  }
  return digest.digest('hex')
}
