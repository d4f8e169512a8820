// Reads one sealed segment again from front to back and compares all that is known of it: its seal, its index, and the
// tiles over it. It changes nothing.

import { createHash } from 'node:crypto'
import { blockEntries, recheckSliceBytes } from '../limits.ts'
import { errorCode } from '../store/disk.ts'
import type { SegmentReader, SegmentStore, StoredSegment } from '../store/segment-store.ts'
import { rootOf } from '../tree/compact-range.ts'
import { type Hash, hashBytes, leafHashOfBytes, readHash } from '../tree/hash.ts'
import { tileWidth } from '../tree/tile.ts'
import { indexName, tileName } from './layout.ts'
import type { Segment } from './ledger.ts'
import { scanLines } from './scan.ts'
import { parseSeal } from './seal.ts'
import { SegmentIndex } from './segment-index.ts'

/** What was found. */
export interface SegmentVerdict {
  /** What is wrong, in words; undefined where nothing is. */
  readonly reason: string | undefined
  /** The roots of its blocks: as they were hashed, or, where the text is damaged, as they were stored before. */
  readonly roots: readonly Hash[] | undefined
}

/** Waits until so many more bytes may be read. */
export type ReadPace = (bytes: number) => Promise<void>

/** Checks a sealed segment. `stored` is undefined where its file is gone. Throws what `pace`
 * throws, and where the machine has no file or memory left for it just now. */
export async function checkSegment(
  store: SegmentStore,
  segment: Segment,
  stored: StoredSegment | undefined,
  pace: ReadPace,
): Promise<SegmentVerdict> {
  const index = SegmentIndex.decode(await store.getDerived(indexName(segment.first)), segment.first)
  const known = index?.entries === segment.entries ? rootsOf(index) : undefined
  const wrong = (reason: string) => ({ reason, roots: known })
  if (stored === undefined) return wrong('its file is missing')
  const seal = parseSeal(stored.seal ?? '', segment.first)
  if (seal === undefined) return wrong('its seal is missing or not readable')
  const read = await readAgain(store, stored, pace)
  if (typeof read === 'string') return wrong(read)
  const { roots, entries, sha256 } = read
  if (sha256 !== seal.sha256 || stored.bytes !== seal.bytes || entries !== seal.entries)
    return wrong(`its text is not the one that was sealed${whereOf(segment, roots, known)}`)
  if (entries !== segment.entries) return wrong('its seal is not the one that it was opened with')
  const reason =
    known === undefined ? 'its index is missing or not readable' : differing(segment, roots, known)
  return { reason: reason ?? (await checkTiles(store, segment, roots)), roots }
}

interface ReadAgain {
  readonly roots: readonly Hash[]
  readonly entries: number
  readonly sha256: string
}

async function readAgain(
  store: SegmentStore,
  { first, bytes }: StoredSegment,
  pace: ReadPace,
): Promise<ReadAgain | string> {
  const [roots, leaves]: [Hash[], Hash[]] = [[], []]
  const digest = createHash('sha256')
  let failure: string | undefined
  const paced = (reader: SegmentReader): Pick<SegmentReader, 'read'> => ({
    async read(target, offset) {
      await pace(Math.min(target.length, recheckSliceBytes))
      const read = await reader.read(target.subarray(0, recheckSliceBytes), offset).catch(unreadable)
      if (typeof read === 'string') failure = read
      else digest.update(target.subarray(0, read))
      return typeof read === 'string' ? 0 : read
    },
  })
  const opened = await store.open(first).catch(unreadable)
  if (typeof opened === 'string') return opened
  await using reader = opened
  await scanLines(paced(reader), 0, bytes, (buffer, start, end) => {
    if (leaves.push(leafHashOfBytes(buffer, start, end)) === blockEntries)
      roots.push(rootOf(leaves.splice(0)))
  })
  const entries = roots.length * blockEntries + leaves.length
  return failure ?? { roots, entries, sha256: digest.digest('hex') }
}

// What the machine has too little of just now is no damage of the segment.
const transient: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', undefined]

function unreadable(error: unknown): string {
  const code = errorCode(error)
  if (transient.includes(code)) throw error
  return `it cannot be read: ${code}`
}

function rootsOf(index: SegmentIndex): Hash[] {
  return Array.from({ length: Math.floor(index.entries / blockEntries) }, (_, block) => index.root(block))
}

// The first block that is not what its index says: a person who looks for the damage has 256 entries to look at.
function whereOf({ first }: Segment, roots: readonly Hash[], known: readonly Hash[] | undefined): string {
  const block = known?.findIndex((root, k) => root !== roots[k]) ?? -1
  if (block === -1) return ''
  const from = first + block * blockEntries
  return `, first in positions ${from} to ${from + blockEntries - 1}`
}

function differing(segment: Segment, roots: readonly Hash[], known: readonly Hash[]): string | undefined {
  const where = whereOf(segment, roots, known)
  return where === '' ? undefined : `its index is not that of its text${where}`
}

// A tile that is missing is made again when it is needed. One that ends with this segment is compared with those above it.
async function checkTiles(
  store: SegmentStore,
  { first }: Segment,
  roots: readonly Hash[],
): Promise<string | undefined> {
  const block = first / blockEntries
  const last = block + roots.length - 1
  for (let index = Math.floor(block / tileWidth); index * tileWidth <= last; index++) {
    const tile = await storedTile(store, 1, index)
    if (tile === undefined) continue
    const from = Math.max(block, index * tileWidth)
    const to = Math.min(last + 1, (index + 1) * tileWidth)
    for (let at = from; at < to; at++)
      if (hashAt(tile, at % tileWidth) !== roots[at - block]) return wrongTile(1, index)
    const above = to === (index + 1) * tileWidth ? await checkAbove(store, 1, index, tile) : undefined
    if (above !== undefined) return above
  }
  return undefined
}

async function checkAbove(
  store: SegmentStore,
  level: number,
  index: number,
  tile: Buffer,
): Promise<string | undefined> {
  const at = Math.floor(index / tileWidth)
  const above = await storedTile(store, level + 1, at)
  if (above === undefined) return undefined
  const hashes = Array.from({ length: tileWidth }, (_, k) => readHash(tile, k * hashBytes))
  if (hashAt(above, index % tileWidth) !== rootOf(hashes)) return wrongTile(level + 1, at)
  return (index + 1) % tileWidth === 0 ? await checkAbove(store, level + 1, at, above) : undefined
}

function storedTile(store: SegmentStore, level: number, index: number): Promise<Buffer | undefined> {
  return store.getDerived(tileName(level, index))
}

function hashAt(tile: Buffer, slot: number): Hash | undefined {
  return tile.length === tileWidth * hashBytes ? readHash(tile, slot * hashBytes) : undefined
}

function wrongTile(level: number, index: number): string {
  return `tile ${level}/${index} is not that of the text`
}
