// Reads a log's text by position and by time: the sparse index leads to a block of 256 entries, and the block's
// lines, which are read and parsed, decide (R9). An index that does not fit the text is made anew from it.

import assert from 'node:assert/strict'
import type { LogId, Micros, Position } from '../entry/event.ts'
import { parsePlace } from '../entry/line.ts'
import { AnnalsError } from '../errors.ts'
import { blockEntries, cachedBlocks, cachedIndexes } from '../limits.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { rootOf } from '../tree/compact-range.ts'
import { type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { fingerprintBytes } from './horizon.ts'
import { fingerprintsName, indexName } from './layout.ts'
import { ActiveSegment, type Committed, type Ledger, type Segment } from './ledger.ts'
import { LineReader, scanLines } from './scan.ts'
import { SegmentIndex, sign, verify } from './segment-index.ts'

/** A place between two entries: how many entries and bytes of the log stand before it. */
export interface Edge {
  readonly position: Position
  readonly byte: number
}

/** The lines of one block, parsed. */
interface Block {
  readonly first: Position
  readonly times: readonly Micros[]
  /** Where each line begins, counted in the segment, and behind the last where the block ends. */
  readonly offsets: readonly number[]
}

/** Told of every fault that was found in derived data and mended. */
export type FaultListener = (segment: Position, reason: string) => void

/** A log's text. It reads what is durable, and never more. */
export class LogText {
  readonly #store: SegmentStore
  readonly #ledger: Ledger
  readonly #log: LogId
  readonly #fault: FaultListener
  readonly #indexes = new Map<Position, SegmentIndex>()
  readonly #blocks = new Map<Position, Block>()

  constructor(store: SegmentStore, ledger: Ledger, log: LogId, fault: FaultListener) {
    this.#store = store
    this.#ledger = ledger
    this.#log = log
    this.#fault = fault
  }

  /**
   * The first edge at whose right all times are ≥ `time`. Answers at once, without a promise, where what it needs
   * is in memory. Throws LOG_DAMAGED where the text itself does not fit.
   */
  edgeAtTime(time: Micros): Edge | Promise<Edge> {
    return this.#edgeInMemory(time) ?? this.#mended(() => this.#readEdge(time))
  }

  /** The edge before a position ≤ `size`. */
  async edgeAtPosition(position: Position): Promise<Edge> {
    if (position === this.#ledger.size) return { position, byte: this.#ledger.bytes }
    const segment = this.#ledger.segmentAt(position)
    return await this.#mended(async () => {
      const { block, at } = await this.#lineAt(segment, position)
      return { position, byte: segment.base + offsetAt(block, at) }
    })
  }

  /** The stored line at a position below `size`, without its newline. */
  async line(position: Position): Promise<Buffer> {
    const segment = this.#ledger.segmentAt(position)
    return await this.#mended(async () => {
      const { block, at } = await this.#lineAt(segment, position)
      const start = offsetAt(block, at)
      return await this.#bytes(segment.first, start, offsetAt(block, at + 1) - 1)
    })
  }

  /** The stored lines of entries that lie in one block, from `first` on, without their newlines. */
  async lines(first: Position, count: number): Promise<Buffer[]> {
    if (count === 0) return []
    const segment = this.#ledger.segmentAt(first)
    return await this.#mended(async () => {
      const { block, at } = await this.#lineAt(segment, first)
      const start = offsetAt(block, at)
      const bytes = await this.#bytes(segment.first, start, offsetAt(block, at + count))
      return Array.from({ length: count }, (_, k) =>
        bytes.subarray(offsetAt(block, at + k) - start, offsetAt(block, at + k + 1) - start - 1),
      )
    })
  }

  /** The leaf hashes of entries that lie in one block, from `first` on. */
  async leaves(first: Position, count: number): Promise<Hash[]> {
    return (await this.lines(first, count)).map((line) => leafHashOfBytes(line, 0, line.length))
  }

  /** The Merkle root of a full block, which is named by its number in the log. */
  async blockRoot(block: number): Promise<Hash> {
    const segment = this.#ledger.segmentAt(block * blockEntries)
    const index = await this.#index(segment)
    return index.root(block - segment.first / blockEntries)
  }

  /** The fingerprints of a sealed segment's entries, 8 bytes each. */
  async fingerprints(segment: Segment): Promise<Buffer> {
    const stored = await this.#store.getDerived(fingerprintsName(segment.first))
    const bytes = stored === undefined ? undefined : verify(stored)
    if (bytes?.length === segment.entries * fingerprintBytes) return bytes
    const { fingerprints } = await this.derive(segment)
    await this.#store.putDerived(fingerprintsName(segment.first), sign([fingerprints]))
    return fingerprints
  }

  /** Derives a segment's index and fingerprints from its text alone. Throws LOG_DAMAGED where a line does not fit. */
  async derive(segment: {
    readonly first: Position
    readonly entries: number
    readonly bytes: number
  }): Promise<{ index: SegmentIndex; fingerprints: Buffer }> {
    const index = new SegmentIndex(segment.first)
    const fingerprints = Buffer.alloc(segment.entries * fingerprintBytes)
    const leaves: Hash[] = []
    const end = await this.scan(segment, { offset: 0, position: segment.first, time: 0 }, (entry) => {
      fingerprints.write(entry.fingerprint, index.entries * fingerprintBytes, 'latin1')
      index.add(entry.time, entry.bytes)
      if (leaves.push(entry.leaf) === blockEntries) index.setRoot(index.blocks - 1, rootOf(leaves.splice(0)))
      return index.entries < segment.entries
    })
    if (end !== segment.bytes || index.entries !== segment.entries) {
      throw damaged(`segment ${segment.first} has ${index.entries} whole entries, not ${segment.entries}`)
    }
    return { index, fingerprints }
  }

  /**
   * Visits a segment's entries from a given one on, until `visit` returns false or its known end; returns the
   * offset behind the last. Throws LOG_DAMAGED at the first line that does not fit.
   */
  async scan(
    segment: { readonly first: Position; readonly bytes: number },
    from: { readonly offset: number; readonly position: Position; readonly time: Micros },
    visit: (entry: Committed) => boolean,
  ): Promise<number> {
    const lines = new LineReader(this.#log)
    let { position, time } = from
    await using reader = await this.#store.open(segment.first)
    let more = true
    let offset = from.offset
    await scanLines(reader, from.offset, segment.bytes, (bytes, start, end) => {
      if (!more) return false
      const entry = lines.read(bytes, start, end, { position, time })
      if (typeof entry === 'string') throw damaged(`segment ${segment.first}, position ${position}: ${entry}`)
      position += 1
      time = entry.time
      offset += entry.bytes
      more = visit(entry)
      return true
    })
    return offset
  }

  /** Takes over the index of a segment that has just ended. */
  adopt(index: SegmentIndex): void {
    remember(this.#indexes, index.first, index, cachedIndexes)
  }

  // Undefined where something that it needs is not in memory, or does not fit.
  #edgeInMemory(time: Micros): Edge | undefined {
    const segment = this.#ledger.lastSegmentBefore(time)
    if (segment === undefined || isBefore(segment, time)) return this.#checked(endOf(segment), time)
    const index = this.#indexInMemory(segment)
    const block = index === undefined ? undefined : this.#blockInMemory(segment, index.lastBlockBefore(time))
    const edge = block === undefined ? undefined : edgeInBlock(segment, block, time)
    return edge === undefined ? undefined : this.#checked(edge, time)
  }

  async #readEdge(time: Micros): Promise<Edge> {
    const segment = this.#ledger.lastSegmentBefore(time)
    if (segment === undefined || isBefore(segment, time)) return await this.#check(endOf(segment), time)
    const index = await this.#index(segment)
    const k = index.lastBlockBefore(time)
    if (k === -1) throw new WrongIndex(segment, `no block before ${time}`)
    const edge = edgeInBlock(segment, await this.#block(segment, index, k), time)
    if (edge === undefined) throw new WrongIndex(segment, `block ${k} begins at or behind ${time}`)
    return await this.#check(edge, time)
  }

  // The entries on both sides of an edge prove it, whatever led there (R9).
  #checked(edge: Edge, time: Micros): Edge | undefined {
    const { position } = edge
    const before = position === 0 ? Number.NEGATIVE_INFINITY : this.#timeInMemory(position - 1)
    const behind = position === this.#ledger.size ? Number.POSITIVE_INFINITY : this.#timeInMemory(position)
    return before !== undefined && behind !== undefined && before < time && behind >= time ? edge : undefined
  }

  async #check(edge: Edge, time: Micros): Promise<Edge> {
    const { position } = edge
    const size = this.#ledger.size
    if (position > 0 && (await this.#time(position - 1)) >= time) {
      throw new WrongIndex(
        this.#ledger.segmentAt(position - 1),
        `entry ${position - 1} is not earlier than ${time}`,
      )
    }
    if (position < size && (await this.#time(position)) < time) {
      throw new WrongIndex(this.#ledger.segmentAt(position), `entry ${position} is earlier than ${time}`)
    }
    return edge
  }

  async #time(position: Position): Promise<Micros> {
    const { block, at } = await this.#lineAt(this.#ledger.segmentAt(position), position)
    return block.times[at] ?? 0
  }

  #timeInMemory(position: Position): Micros | undefined {
    const segment = this.#ledger.segmentAt(position)
    const k = Math.floor((position - segment.first) / blockEntries)
    return this.#blockInMemory(segment, k)?.times[position % blockEntries]
  }

  // Makes an index anew, once, where `attempt` finds it wrong; an edge may touch two segments.
  async #mended<T>(attempt: () => Promise<T>): Promise<T> {
    for (const rebuilt = new Set<Position>(); ;) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof WrongIndex)) throw error
        const { segment, message } = error
        if (rebuilt.has(segment.first))
          throw damaged(`segment ${segment.first} does not fit its own text: ${message}`)
        rebuilt.add(segment.first)
        await this.#rebuild(segment, message)
      }
    }
  }

  async #rebuild(segment: Segment, reason: string): Promise<SegmentIndex> {
    for (const [first] of this.#blocks) if (isIn(segment, first)) this.#blocks.delete(first)
    if (segment instanceof ActiveSegment) {
      segment.index.correct((await this.derive(segment.fullBlocks)).index)
      this.#fault(segment.first, reason)
      return segment.index
    }
    const { index } = await this.derive(segment)
    await this.#store.putDerived(indexName(segment.first), index.encode())
    remember(this.#indexes, segment.first, index, cachedIndexes)
    this.#fault(segment.first, reason)
    return index
  }

  #indexInMemory(segment: Segment): SegmentIndex | undefined {
    return segment instanceof ActiveSegment ? segment.index : this.#indexes.get(segment.first)
  }

  async #index(segment: Segment): Promise<SegmentIndex> {
    const known = this.#indexInMemory(segment)
    if (known !== undefined) return known
    const stored = SegmentIndex.decode(await this.#store.getDerived(indexName(segment.first)), segment.first)
    if (stored === undefined || stored.entries !== segment.entries || stored.bytes !== segment.bytes) {
      return await this.#rebuild(segment, stored === undefined ? 'missing or damaged' : 'of another length')
    }
    remember(this.#indexes, segment.first, stored, cachedIndexes)
    return stored
  }

  #blockInMemory(segment: Segment, k: number): Block | undefined {
    if (k < 0) return undefined
    const first = segment.first + k * blockEntries
    if (segment instanceof ActiveSegment && segment.entries - k * blockEntries < blockEntries) {
      const { times, offsets } = segment.tail
      return { first, times: [...times], offsets: [...offsets, segment.bytes] }
    }
    return this.#blocks.get(first)
  }

  async #block(segment: Segment, index: SegmentIndex, k: number): Promise<Block> {
    const first = segment.first + k * blockEntries
    const known = this.#blockInMemory(segment, k)
    if (known !== undefined) return known
    const entries = Math.min(blockEntries, segment.entries - k * blockEntries)
    const start = index.offset(k)
    const end = index.offset(k + 1)
    if (start > end || end > segment.bytes)
      throw new WrongIndex(segment, `block ${k} is said to be [${start}, ${end})`)
    const block = parseBlock(segment, await this.#bytes(segment.first, start, end), { first, entries, start })
    if (block.times[0] !== index.time(k))
      throw new WrongIndex(segment, `block ${k} begins at ${block.times[0]}`)
    if (entries === blockEntries) remember(this.#blocks, first, block, cachedBlocks)
    return block
  }

  async #lineAt(segment: Segment, position: Position): Promise<{ block: Block; at: number }> {
    const index = await this.#index(segment)
    const block = await this.#block(segment, index, Math.floor((position - segment.first) / blockEntries))
    return { block, at: position - block.first }
  }

  async #bytes(first: Position, start: number, end: number): Promise<Buffer> {
    await using reader = await this.#store.open(first)
    const bytes = Buffer.allocUnsafe(end - start)
    for (let done = 0; done < bytes.length;) {
      const read = await reader.read(bytes.subarray(done), start + done)
      if (read === 0) throw damaged(`segment ${first} ends at ${start + done}, before ${end}`)
      done += read
    }
    return bytes
  }
}

class WrongIndex extends Error {
  readonly segment: Segment

  constructor(segment: Segment, message: string) {
    super(message)
    this.segment = segment
  }
}

function edgeInBlock(segment: Segment, block: Block, time: Micros): Edge | undefined {
  const [firstTime] = block.times
  if (firstTime === undefined || firstTime >= time) return undefined
  let at = 1
  while (at < block.times.length && (block.times[at] ?? 0) < time) at += 1
  return { position: block.first + at, byte: segment.base + offsetAt(block, at) }
}

function parseBlock(
  segment: Segment,
  bytes: Buffer,
  expected: { first: Position; entries: number; start: number },
): Block {
  const times: Micros[] = []
  const offsets = [expected.start]
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start)
    const place = newline === -1 ? undefined : parsePlace(bytes, start, newline)
    if (
      place === undefined ||
      place.position !== expected.first + times.length ||
      place.time < (times.at(-1) ?? 0)
    ) {
      throw new WrongIndex(
        segment,
        `entry ${expected.first + times.length} is not at ${expected.start + start}`,
      )
    }
    times.push(place.time)
    start = newline + 1
    offsets.push(expected.start + start)
  }
  if (times.length !== expected.entries)
    throw new WrongIndex(segment, `block ${expected.first} has ${times.length} entries`)
  return { first: expected.first, times, offsets }
}

function offsetAt(block: Block, at: number): number {
  const offset = block.offsets[at]
  assert(offset !== undefined)
  return offset
}

function isBefore(segment: Segment, time: Micros): boolean {
  return segment.lastTime !== undefined && segment.lastTime < time
}

function endOf(segment: Segment | undefined): Edge {
  if (segment === undefined) return { position: 0, byte: 0 }
  return { position: segment.first + segment.entries, byte: segment.base + segment.bytes }
}

function isIn(segment: Segment, position: Position): boolean {
  return position >= segment.first && position < segment.first + segment.entries
}

/** Keeps the `most` latest in a map: a map gives its keys in the order in which they came. */
function remember<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const [oldest] of map) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}

function damaged(detail: string): AnnalsError {
  return new AnnalsError(
    'LOG_DAMAGED',
    'the audit log is damaged: ask its administrator to run "annals check"',
    { detail },
  )
}
