// Brings a log back from what is at rest. The text is the truth, and the head says how much of it there must be.
//
// Sealed segments that lie within the head are trusted after a cheap check (their length, their place in the row,
// and the tree's root against the head), and so are their indexes and tiles. What follows is read line by line.
// Only the last batch may be torn: its valid prefix is kept and the rest set aside. Any other damage refuses to
// open. Where the root does not fit the head, everything is derived again from the text before that is believed.

import type { LogId, Micros } from '../entry/event.ts'
import { AnnalsError, isAnnalsError } from '../errors.ts'
import { blockEntries, horizonEntries } from '../limits.ts'
import type { SegmentStore, StoredSegment } from '../store/segment-store.ts'
import type { Checkpoint } from '../tree/checkpoint.ts'
import type { NoteKey } from '../tree/note-key.ts'
import type { Hash } from '../tree/hash.ts'
import { putIndex } from './committer.ts'
import { fingerprintBytes } from './horizon.ts'
import { fingerprintsName, indexName, tileName } from './layout.ts'
import { ActiveSegment, type Committed, Ledger, type Segment } from './ledger.ts'
import { type FaultListener, LogText } from './log-text.ts'
import { LineReader, scanLines } from './scan.ts'
import { parseSeal } from './seal.ts'
import { SegmentIndex, verify } from './segment-index.ts'
import { isTornBatch } from './tear.ts'
import { readTree } from './tree-text.ts'
import { readStoredHead, type StoredHead } from './stored-head.ts'

/** What recovery works on. */
export interface RecoverParts {
  readonly store: SegmentStore
  readonly id: LogId
  readonly origin: string
  /** The keys that the head must be signed with. */
  readonly keys: readonly NoteKey[]
  readonly fault: FaultListener
}

/** A log that may go on. */
export interface Recovered {
  readonly ledger: Ledger
  readonly text: LogText
  /** The stored head; undefined where there is none. */
  readonly head: StoredHead | undefined
  /** How many bytes were cut off the end, and where they are kept. */
  readonly cut: { readonly bytes: number; readonly name: string } | undefined
  /** Segments that have ended and lack their seal: it is put once the head is. */
  readonly unsealed: readonly Segment[]
}

/** See the head of this file. Throws LOG_DAMAGED. */
export async function recover(parts: RecoverParts): Promise<Recovered> {
  const head = parseHead(await parts.store.getHead(), parts)
  const segments = checkRow(await parts.store.list(), head)
  const state = await restoreCheaply(parts, head, segments)
  const cut = await mend(parts.store, state, head)
  const unsealed = state.ledger.segments.filter((segment, k) => {
    return !(segment instanceof ActiveSegment) && segments[k]?.sealed === undefined
  })
  return { ledger: state.ledger, text: state.text, head, cut, unsealed }
}

interface Row {
  readonly stored: StoredSegment
  /** How many bytes of the log stand before it. */
  readonly base: number
  /** What its seal says; undefined without a seal. */
  readonly sealed: Segment | undefined
}

interface Restored {
  readonly ledger: Ledger
  readonly text: LogText
  /** Bytes behind the last valid line of the last segment. */
  readonly torn: number
}

function parseHead(note: string | undefined, { origin, keys }: RecoverParts): StoredHead | undefined {
  if (note === undefined) return undefined
  const head = readStoredHead(note, origin, keys)
  if (typeof head === 'string') throw damaged(head)
  return head
}

// The row of segments must have no gap, and each sealed one the length that its seal names.
function checkRow(stored: readonly StoredSegment[], head: Checkpoint | undefined): Row[] {
  const rows: Row[] = []
  let base = 0
  for (const [k, segment] of stored.entries()) {
    const before = rows.at(-1)?.sealed
    const expected = k === 0 ? 0 : before === undefined ? undefined : before.first + before.entries
    if (expected !== undefined && segment.first !== expected)
      throw damaged(`a segment is missing at position ${expected}`)
    const seal = segment.seal === undefined ? undefined : parseSeal(segment.seal, segment.first)
    if (segment.seal !== undefined && seal === undefined)
      throw damaged(`the seal of segment ${segment.first} is not readable`)
    if (seal !== undefined && seal.bytes !== segment.bytes) {
      throw damaged(`segment ${segment.first} has ${segment.bytes} bytes, and its seal says ${seal.bytes}`)
    }
    rows.push({ stored: segment, base, sealed: seal === undefined ? undefined : { ...seal, base } })
    base += segment.bytes
  }
  if (stored.length === 0 && head !== undefined && head.size > 0) throw damaged('all segments are missing')
  return rows
}

/** What is believed without reading the text: sealed segments and their indexes, the last one's index too, or nothing. */
type Trust = 'all' | 'sealed' | 'nothing'

// Where something was believed and the text does not fit it, less is believed; the text alone decides.
async function restoreCheaply(
  parts: RecoverParts,
  head: Checkpoint | undefined,
  rows: readonly Row[],
): Promise<Restored> {
  for (const trust of ['all', 'sealed'] as const) {
    try {
      const state = await restore(parts, head, rows, trust)
      if (state.torn === 0 || trust === 'sealed') return state
    } catch (error) {
      if (!isAnnalsError(error, 'LOG_DAMAGED')) throw error
    }
  }
  return await restore(parts, head, rows, 'nothing')
}

async function restore(
  parts: RecoverParts,
  head: Checkpoint | undefined,
  rows: readonly Row[],
  trust: Trust,
): Promise<Restored> {
  const { store, id } = parts
  const headSize = head?.size ?? 0
  const trusted = trust === 'nothing' ? [] : trustedRun(rows, headSize)
  const active = trust === 'all' ? await storedActive(store, rows[trusted.length], headSize) : undefined
  const ledger = new Ledger(trusted, active)
  const text = new LogText(store, ledger, id, parts.fault)
  ledger.resume(await readTree(store, ledger.size, (block) => text.blockRoot(block)))
  await loadHorizon(ledger, text)

  let root = ledger.size === headSize ? ledger.root : undefined
  let torn = 0
  for (const [k, row] of rows.slice(trusted.length).entries()) {
    const isLast = trusted.length + k === rows.length - 1
    if (ledger.active === undefined) {
      if (ledger.size !== row.stored.first) throw damaged(`a segment is missing at position ${ledger.size}`)
      ledger.begin(row.stored.first)
    }
    torn = await readSegment(parts, ledger, row, { isLast, headSize, atHead: (hash) => (root = hash) })
    if (!isLast || row.sealed !== undefined) await endSegment(store, text, ledger, row)
  }
  if (ledger.size < headSize)
    throw damaged(`the log has ${ledger.size} entries, and its head says ${headSize}`)
  if (head !== undefined && root !== head.root) {
    throw damaged(`the root of the first ${headSize} entries is not the one in the head`)
  }
  return { ledger, text, torn }
}

// Sealed segments that lie within the head.
function trustedRun(rows: readonly Row[], headSize: number): Segment[] {
  const trusted: Segment[] = []
  for (const { sealed } of rows) {
    if (sealed === undefined || sealed.first + sealed.entries > headSize) break
    trusted.push(sealed)
  }
  return trusted
}

// The full blocks of the last segment, as they were stored when the node stopped.
async function storedActive(
  store: SegmentStore,
  row: Row | undefined,
  headSize: number,
): Promise<ActiveSegment | undefined> {
  if (row === undefined || row.sealed !== undefined) return undefined
  const { first, bytes } = row.stored
  const index = SegmentIndex.decode(await store.getDerived(indexName(first)), first)
  if (index === undefined || index.entries % blockEntries !== 0 || index.entries === 0) return undefined
  if (index.bytes > bytes || first + index.entries > headSize) return undefined
  const stored = await store.getDerived(fingerprintsName(first))
  const fingerprints = stored === undefined ? undefined : verify(stored)
  if (fingerprints?.length !== index.entries * fingerprintBytes) return undefined
  return new ActiveSegment(index, row.base, Buffer.from(fingerprints))
}

async function loadHorizon(ledger: Ledger, text: LogText): Promise<void> {
  const { segments } = ledger
  const from = segments.findLastIndex((segment) => segment.first <= ledger.size - horizonEntries)
  for (const segment of segments.slice(Math.max(0, from))) {
    const bytes = segment instanceof ActiveSegment ? segment.fingerprints : await text.fingerprints(segment)
    const { firstTime: first = 0, lastTime: last = 0 } = segment
    ledger.horizon.addRun(bytes, segment.first, { first, last })
  }
}

interface Reading {
  readonly isLast: boolean
  readonly headSize: number
  readonly atHead: (root: Hash) => void
}

// Reads the lines behind the full blocks that are known; returns how many bytes of the last batch are torn.
async function readSegment(parts: RecoverParts, ledger: Ledger, row: Row, reading: Reading): Promise<number> {
  const { first, bytes } = row.stored
  const lines = new LineReader(parts.id)
  const pending: Committed[] = []
  const flush = () => {
    if (pending.length > 0) ledger.publish(pending.splice(0))
    if (ledger.size === reading.headSize) reading.atHead(ledger.root)
  }
  let time: Micros = ledger.lastTime ?? 0
  let problem = 'a line without an end'
  const from = ledger.active?.bytes ?? 0
  await using reader = await parts.store.open(first)
  const end = await scanLines(reader, from, bytes, (buffer, start, stop) => {
    const position = ledger.size + pending.length
    const expected = { position, time }
    const isCovered = position < reading.headSize
    const entry = isCovered
      ? lines.read(buffer, start, stop, expected)
      : lines.readWhole(buffer, start, stop, expected)
    if (typeof entry === 'string') {
      problem = entry
      return false
    }
    time = entry.time
    pending.push(entry)
    if (pending.length === blockEntries || position + 1 === reading.headSize) flush()
    return true
  })
  flush()
  ledger.grow()
  for (const tile of ledger.takeFullTiles())
    await parts.store.putDerived(tileName(tile.level, tile.index), tile.bytes)
  if (end === bytes) return 0

  const where = `segment ${first}, byte ${end}, position ${ledger.size}: ${problem}`
  if (!reading.isLast || row.sealed !== undefined) throw damaged(where)
  if (ledger.size < reading.headSize) throw damaged(`${where}; the head covers ${reading.headSize} entries`)
  if (!(await isTornBatch(reader, end, bytes)))
    throw damaged(`${where}; whole batches follow, so it is not a tear`)
  return bytes - end
}

async function endSegment(store: SegmentStore, text: LogText, ledger: Ledger, row: Row): Promise<void> {
  const { active } = ledger
  const { sealed, stored } = row
  if (active === undefined || active.entries === 0 || active.entries % blockEntries !== 0) {
    throw damaged(`segment ${stored.first} ends with ${active?.entries} entries, not with a full block`)
  }
  const isAsSealed =
    sealed === undefined ||
    (sealed.entries === active.entries &&
      sealed.firstTime === active.firstTime &&
      sealed.lastTime === active.lastTime)
  if (!isAsSealed) throw damaged(`segment ${stored.first} is not what its seal says`)
  await putIndex(store, active)
  text.adopt(ledger.end().index)
}

// Where the node did not stop cleanly, the page cache may show what the disk does not hold: what is valid is put
// where no failed write has been, before anybody is told of it.
async function mend(
  store: SegmentStore,
  { ledger, torn }: Restored,
  head: Checkpoint | undefined,
): Promise<Recovered['cut']> {
  const { active } = ledger
  if (active === undefined || (torn === 0 && ledger.size === (head?.size ?? 0))) return undefined
  const name = torn === 0 ? undefined : await store.setAside(active.first, active.bytes)
  await store.renew(active.first, active.bytes)
  return name === undefined ? undefined : { bytes: torn, name }
}

function damaged(detail: string): AnnalsError {
  return new AnnalsError('LOG_DAMAGED', `the audit log is damaged and is not opened: ${detail}`, { detail })
}
