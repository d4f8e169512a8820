// `annals check`: derives everything again from the text and trusts nothing. It only reads, needs no lock, and may
// run beside a server: what the head covers must be whole, what lies behind it may be on its way.

import { createHash } from 'node:crypto'
import type { LogId, Micros, Position } from '../entry/event.ts'
import { parseLine } from '../entry/line.ts'
import { AnnalsError } from '../errors.ts'
import { blockEntries, checkFaults } from '../limits.ts'
import { type Disk, realDisk } from '../store/disk.ts'
import { openFileSegmentStore } from '../store/file-segment-store.ts'
import type { SegmentStore, StoredSegment } from '../store/segment-store.ts'
import type { Checkpoint } from '../tree/checkpoint.ts'
import type { NoteKey } from '../tree/note-key.ts'
import { CompactRange, rootOf } from '../tree/compact-range.ts'
import { bytesOfHashes, type Hash, leafHashOfBytes } from '../tree/hash.ts'
import { tileHeight, tileWidth } from '../tree/tile.ts'
import { type LogDescription, noteKeysOf, originOf, readDescription, readSigners } from './description.ts'
import { dataLayout, indexName, tileName } from './layout.ts'
import { scanLines } from './scan.ts'
import { parseSeal } from './seal.ts'
import { SegmentIndex } from './segment-index.ts'
import { readStoredHead } from './stored-head.ts'

/** What `annals check` found wrong. */
export interface Fault {
  /** `text`: the log itself. `derived`: an index or a tile, which is made again when it is needed. */
  readonly of: 'text' | 'derived'
  readonly message: string
}

/** What `annals check` found. */
export interface CheckReport {
  readonly log: LogId
  readonly origin: string
  readonly size: number
  readonly bytes: number
  readonly segments: number
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
  /** The root over all whole entries, and what the head says. */
  readonly root: Hash
  readonly head: Checkpoint | undefined
  /** At most `checkFaults` of them; `faultCount` counts all. */
  readonly faults: readonly Fault[]
  readonly faultCount: number
  /** Bytes at the end that are no whole entries and that the head does not cover. */
  readonly unfinishedBytes: number
}

/** How to check. */
export interface CheckOptions {
  readonly data: string
  readonly disk?: Disk
  readonly progress?: (bytes: number, ofBytes: number) => void
}

/** Checks the log of a data directory. Throws LOG_MISSING where there is none. */
export async function checkLog(options: CheckOptions): Promise<CheckReport> {
  const disk = options.disk ?? realDisk
  const layout = dataLayout(options.data)
  const description = await readDescription(disk, layout.log)
  if (description === undefined)
    throw new AnnalsError('LOG_MISSING', `there is no audit log in ${options.data}`)
  await using store = await openFileSegmentStore(disk, { directory: layout.log, cutDirectory: layout.cut })
  // The head first: what it covers is in the text that is read after it.
  const head = await store.getHead()
  const check = new Check(store, description, options.progress)
  try {
    await readSigners(disk, layout.log, description)
  } catch (error) {
    check.fault('text', error instanceof AnnalsError ? (error.detail ?? error.message) : String(error))
  }
  return await check.run(head)
}

class Check {
  readonly #store: SegmentStore
  readonly #log: LogId
  readonly #origin: string
  readonly #keys: readonly NoteKey[]
  readonly #progress: ((bytes: number, ofBytes: number) => void) | undefined
  readonly #range = new CompactRange()
  readonly #tiles: Hash[][] = []
  readonly #faults: Fault[] = []
  #faultCount = 0
  #bytes = 0
  #unfinishedBytes = 0
  #firstTime: Micros | undefined
  #lastTime: Micros | undefined
  #head: Checkpoint | undefined
  #rootAtHead: Hash | undefined

  constructor(store: SegmentStore, description: LogDescription, progress: CheckOptions['progress']) {
    this.#store = store
    this.#log = description.id
    this.#origin = originOf(description)
    this.#keys = noteKeysOf(description)
    this.#progress = progress
  }

  fault(of: Fault['of'], message: string): void {
    this.#faultCount += 1
    if (this.#faults.length < checkFaults) this.#faults.push({ of, message })
  }

  async run(headText: string | undefined): Promise<CheckReport> {
    this.#readHead(headText)
    const segments = await this.#store.list()
    const ofBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
    for (const [k, segment] of segments.entries()) {
      await this.#segment(segment, k === segments.length - 1)
      this.#bytes += segment.bytes
      this.#progress?.(this.#bytes, ofBytes)
    }
    this.#compareHead()
    return {
      log: this.#log,
      origin: this.#origin,
      size: this.#range.size,
      bytes: this.#bytes - this.#unfinishedBytes,
      segments: segments.length,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      root: this.#range.root(),
      head: this.#head,
      faults: this.#faults,
      faultCount: this.#faultCount,
      unfinishedBytes: this.#unfinishedBytes,
    }
  }

  #readHead(text: string | undefined): void {
    if (text === undefined) return this.fault('text', 'there is no head')
    const head = readStoredHead(text, this.#origin, this.#keys)
    if (typeof head === 'string') return this.fault('text', head)
    this.#head = { origin: head.origin, size: head.size, root: head.root }
    if (head.size === 0) this.#rootAtHead = this.#range.root()
  }

  #compareHead(): void {
    if (this.#head === undefined) return
    const { size, root } = this.#head
    if (this.#range.size < size)
      this.fault('text', `the head covers ${size} entries, and there are ${this.#range.size}`)
    else if (this.#rootAtHead !== root)
      this.fault('text', `the root of the first ${size} entries is not the head's`)
  }

  async #segment(segment: StoredSegment, isLast: boolean): Promise<void> {
    const { first } = segment
    if (first !== this.#range.size) this.fault('text', `segment ${first} follows ${this.#range.size} entries`)
    const index = new SegmentIndex(first - (first % blockEntries))
    const digest = createHash('sha256')
    const before = this.#range.size
    const end = await this.#lines(segment, index, (bytes) => digest.update(bytes))
    const rest = segment.bytes - end
    if (rest > 0 && isLast && segment.seal === undefined) this.#unfinishedBytes = rest
    else if (rest > 0) this.fault('text', `segment ${first}: ${rest} bytes at its end are no line`)
    if (rest > 0 && this.#range.size < (this.#head?.size ?? 0))
      this.fault('text', `segment ${first} is cut short`)

    const entries = this.#range.size - before
    if (segment.seal !== undefined) this.#compareSeal(segment, entries, index, digest.digest('hex'))
    else if (!isLast) this.fault('derived', `segment ${first} has no seal`)
    if (first % blockEntries === 0) await this.#compareIndex(first, index, segment.seal !== undefined)
  }

  async #lines(segment: StoredSegment, index: SegmentIndex, feed: (bytes: Buffer) => void): Promise<number> {
    const leaves: Hash[] = []
    await using reader = await this.#store.open(segment.first)
    return await scanLines(reader, 0, segment.bytes, (bytes, start, end) => {
      feed(bytes.subarray(start, end + 1))
      const position = this.#range.size
      const time = this.#line(bytes.subarray(start, end), position)
      const leaf = leafHashOfBytes(bytes, start, end)
      index.add(time, end + 1 - start)
      if (leaves.push(leaf) === blockEntries) index.setRoot(index.blocks - 1, rootOf(leaves.splice(0)))
      this.#range.append(leaf, 0, (height, at, root) => this.#subtree(height, at, root))
      if (this.#range.size === this.#head?.size) this.#rootAtHead = this.#range.root()
    })
  }

  // Checks one line by itself and against the one before; returns its time, or the last one where it has none.
  #line(line: Buffer, position: Position): Micros {
    const last = this.#lastTime ?? 0
    try {
      const entry = parseLine(line)
      if (entry.log !== this.#log) this.fault('text', `position ${position}: a line of the log ${entry.log}`)
      if (entry.position !== position)
        this.fault('text', `position ${position}: the line says ${entry.position}`)
      if (entry.time < last) this.fault('text', `position ${position}: earlier than the entry before it`)
      this.#firstTime ??= entry.time
      this.#lastTime = Math.max(entry.time, last)
      return entry.time
    } catch (error) {
      this.fault('text', `position ${position}: ${error instanceof Error ? error.message : String(error)}`)
      return last
    }
  }

  #subtree(height: number, index: number, root: Hash): void {
    if (height === 0 || height % tileHeight !== 0) return
    const level = height / tileHeight
    const tile = (this.#tiles[level - 1] ??= [])
    tile.push(root)
    if (tile.length < tileWidth) return
    this.#pendingTiles.push({
      level,
      index: Math.floor(index / tileWidth),
      bytes: bytesOfHashes(tile),
    })
    tile.length = 0
  }

  readonly #pendingTiles: { level: number; index: number; bytes: Buffer }[] = []

  #compareSeal(segment: StoredSegment, entries: number, index: SegmentIndex, sha256: string): void {
    const seal = parseSeal(segment.seal ?? '', segment.first)
    if (seal === undefined) return this.fault('text', `segment ${segment.first}: its seal is not readable`)
    if (seal.bytes !== segment.bytes)
      this.fault('text', `segment ${segment.first} has ${segment.bytes} bytes, sealed were ${seal.bytes}`)
    if (seal.entries !== entries)
      this.fault('text', `segment ${segment.first} has ${entries} entries, sealed were ${seal.entries}`)
    if (seal.sha256 !== sha256)
      this.fault('text', `segment ${segment.first}: its SHA-256 is not the one that was sealed`)
    if (entries > 0 && (seal.firstTime !== index.firstTime || seal.lastTime !== index.lastTime)) {
      this.fault('text', `segment ${segment.first}: its times are not those that were sealed`)
    }
  }

  // The stored index may be that of the full blocks at an earlier stop, where the segment was written on.
  async #compareIndex(first: Position, index: SegmentIndex, isSealed: boolean): Promise<void> {
    for (const { level, index: at, bytes } of this.#pendingTiles.splice(0)) {
      const stored = await this.#store.getDerived(tileName(level, at))
      // A tile that ends in the segment that is being written may be on its way.
      if (stored === undefined && !isSealed) continue
      if (stored === undefined) this.fault('derived', `tile ${level}/${at} is missing`)
      else if (!stored.equals(bytes)) this.fault('derived', `tile ${level}/${at} is wrong`)
    }
    const bytes = await this.#store.getDerived(indexName(first))
    if (bytes === undefined && !isSealed) return
    const stored = SegmentIndex.decode(bytes, first)
    if (stored === undefined)
      return this.fault('derived', `the index of segment ${first} is missing or not readable`)
    const blocks = Math.floor(stored.entries / blockEntries)
    if (isSealed ? stored.entries !== index.entries : stored.entries > index.entries) {
      return this.fault('derived', `the index of segment ${first} has ${stored.entries} entries`)
    }
    for (let k = 0; k < blocks; k++) {
      const fits =
        stored.offset(k) === index.offset(k) &&
        stored.time(k) === index.time(k) &&
        stored.root(k) === index.root(k)
      if (!fits) return this.fault('derived', `the index of segment ${first} is wrong at block ${k}`)
    }
  }
}
