// The one writer of a log. It takes all that waits, up to a bound, gives each entry its place, makes them durable
// together, and only then answers. `#turn` is the whole protocol, from top to bottom.
//
// Who waits: entries; reads, whose own entry is written once the place and the snapshot are known (S7, I11); and
// notes, the log's own entries about itself, which are taken first and are never refused for want of room.

import assert from 'node:assert/strict'
import { setImmediate as immediate } from 'node:timers/promises'
import {
  type AuditEvent,
  type Draft,
  type LogId,
  type Micros,
  type Place,
  type Position,
} from '../entry/event.ts'
import { draftOf, parseLine, renderLine } from '../entry/line.ts'
import { AnnalsError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { AppendOutcome, SegmentStore } from '../store/segment-store.ts'
import type { ReadPlace, Recorded, Snapshot } from './audit-log.ts'
import { type Clock, RecordedTime } from './clock.ts'
import { type Committer, type Line, lineAt } from './committer.ts'
import { bytesOfGroup, forEach } from './group.ts'
import { type Fingerprint, fingerprintOf, identityOf } from './horizon.ts'
import type { Ledger } from './ledger.ts'
import type { Edge, LogText } from './log-text.ts'
import { Pace } from './pace.ts'
import { noRoom, type Room } from './room.ts'
import { snapshotOf } from './snapshot.ts'

/** A snapshot's edges and the window that they were asked for. */
export interface Run {
  readonly start: Micros
  readonly end: Micros
  readonly from: Edge
  readonly to: Edge
}

/** Finds the run of a read whose "now" is given; all entries with earlier times, and no others, are durable. */
export type RunFinder = (now: Micros) => Run | Promise<Run>

/** What a sequencer works on. */
export interface SequencerParts {
  readonly id: LogId
  readonly store: SegmentStore
  readonly ledger: Ledger
  readonly text: LogText
  readonly committer: Committer
  readonly room: Room
  readonly clock: Clock
  /** Makes the log's own entries about itself. */
  readonly noteOf: (code: number, fields: Record<string, string>, occurred?: Micros) => AuditEvent
  /** Told of every commit, with how long its caller waited for the disk. */
  readonly committed: (entries: number, diskMs: number) => void
  /** Told once, when the log cannot go on. */
  readonly failed: (error: unknown) => void
}

interface Waiting {
  /** What it counts as in the queue. */
  readonly units: number
  /** What it takes of a commit at the most. */
  readonly lines: number
  readonly bytes: number
  reject(error: unknown): void
}

interface WaitingEntry extends Waiting {
  /** A note that finds no room waits for it; a trial is a note that does not. */
  readonly kind: 'entry' | 'note' | 'trial'
  readonly draft: Draft
  resolve(recorded: Recorded): void
}

interface WaitingRead extends Waiting {
  readonly kind: 'read'
  readonly find: RunFinder
  readonly describe: (read: ReadPlace) => Draft
  resolve(snapshot: Snapshot): void
}

interface WaitingGroup extends Waiting {
  readonly kind: 'group'
  readonly drafts: readonly Draft[]
  resolve(all: Recorded[]): void
}

type Item = WaitingEntry | WaitingRead | WaitingGroup

/** A batch on its way to the disk: lines, and who is answered how when they are there. */
interface Batch {
  readonly time: Micros
  readonly clock: Micros | undefined
  readonly lines: Line[]
  /** Of each fingerprint, where its line is among them. */
  readonly byFingerprint: Map<Fingerprint, number>
  /** Entries, and beside each its answer. */
  readonly items: WaitingEntry[]
  readonly answers: Recorded[]
  readonly reads: { item: WaitingRead; run: Run; mark: Position | undefined }[]
  readonly groups: { item: WaitingGroup; all: Recorded[] }[]
}

/** See the head of this file. */
export class Sequencer {
  readonly #parts: SequencerParts
  readonly #time: RecordedTime
  readonly #notes: WaitingEntry[] = []
  // Notes that found no room.
  #postponed: WaitingEntry[] = []
  #queue: Item[] = []
  #units = 0
  #lines = 0
  readonly #pace = new Pace()
  #running: Promise<void> | undefined
  #state: 'open' | 'failed' | 'closed' = 'open'
  // When the oldest entry that is still compared was recorded, by the wall clock.
  #oldest: { readonly position: Position; readonly clock: Micros } | undefined
  // True from a failed commit to the next one that is durable.
  #isRenewed = false

  constructor(parts: SequencerParts) {
    this.#parts = parts
    this.#time = new RecordedTime(parts.clock, parts.ledger.lastTime ?? 0)
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length + this.#notes.length
  }

  get state(): 'open' | 'failed' | 'closed' {
    return this.#state
  }

  /** See `AuditLog.record`. */
  record(draft: Draft): Promise<Recorded> {
    return new Promise((resolve, reject) => {
      this.#enter({ kind: 'entry', draft, ...sizeOf(draft), resolve, reject })
    })
  }

  /** See `AuditLog.demandRoom`. */
  demandRoom(bytes: number): void {
    if (!this.#hasRoom('entry', bytes)) throw this.#tooMany()
  }

  /** See `AuditLog.recordAll`. */
  async recordAll(drafts: readonly Draft[]): Promise<Recorded[]> {
    if (drafts.length === 0) return []
    const bytes = bytesOfGroup(drafts)
    return await new Promise((resolve, reject) => {
      this.#enter({ kind: 'group', drafts, units: bytes, lines: drafts.length, bytes, resolve, reject })
    })
  }

  /** See `AuditLog.read`. */
  read(find: RunFinder, describe: (read: ReadPlace) => Draft): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      const size = { units: limits.readBytes, lines: 1, bytes: limits.entryBytes + 1 }
      this.#enter({ kind: 'read', find, describe, ...size, resolve, reject })
    })
  }

  /**
   * Records something about the log itself, ahead of all that waits. Where there is no room it waits until there
   * is; it fails only when the log ends.
   */
  note(code: number, fields: Record<string, string>, occurred?: Micros): Promise<Recorded> {
    return this.#note('note', code, fields, occurred)
  }

  /** Compares the clocks; a step is an entry. */
  checkClock(): void {
    const step = this.#time.step()
    if (step === undefined) return
    this.#say(29012, { milliseconds: String(Math.round(step / 1000)) })
  }

  /** Resolves when nothing waits any more but notes that find no room. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Takes nothing more; resolves when all that waited is recorded or refused. */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed'
    await this.settled()
    for (const note of this.#postponed.splice(0)) note.reject(ended('closed'))
  }

  #note(
    kind: 'note' | 'trial',
    code: number,
    fields: Record<string, string>,
    occurred?: Micros,
  ): Promise<Recorded> {
    const draft = draftOf(this.#parts.noteOf(code, fields, occurred), this.#parts.id)
    return new Promise((resolve, reject) => {
      if (this.#state === 'failed') return reject(ended(this.#state))
      if (this.#parts.room.isShut) return reject(this.#parts.room.refuse(0))
      this.#notes.push({ kind, draft, ...sizeOf(draft), resolve, reject })
      this.#wake()
    })
  }

  // A note that nobody waits for: it is written, or the log ends and says so itself.
  #say(code: number, fields: Record<string, string>, occurred?: Micros): void {
    void this.note(code, fields, occurred).catch(() => undefined)
  }

  #enter(item: Item): void {
    if (this.#state !== 'open') return item.reject(ended(this.#state))
    if (!this.#hasRoom(item.kind, item.units)) return item.reject(this.#tooMany())
    this.#queue.push(item)
    this.#units += item.units
    this.#lines += item.lines
    this.#wake()
  }

  // Where many single entries come, there is always room for one more of them before there is any for several together.
  #hasRoom(kind: Item['kind'], units: number): boolean {
    const kept = kind === 'entry' ? limits.queueNotForSingles : { entries: 0, bytes: 0 }
    return (
      this.#queue.length < limits.queueEntries - kept.entries &&
      this.#units + units <= limits.queueBytes - kept.bytes
    )
  }

  #tooMany(): AnnalsError {
    return new AnnalsError(
      'TOO_MANY_REQUESTS',
      'too many events wait to be recorded; send them again later',
      {
        retryAfterSeconds: this.#pace.secondsFor(this.#lines, performance.now()),
      },
    )
  }

  #wake(): void {
    // A turn begins when all that the event loop has at hand has been heard: requests that came together go along.
    this.#running ??= immediate()
      .then(() => this.#run())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = undefined
        if (this.waiting > 0) this.#wake()
      })
  }

  async #run(): Promise<void> {
    while (this.waiting > 0 && this.#state !== 'failed') await this.#turn()
  }

  /** One turn: take, place, write, answer. */
  async #turn(): Promise<void> {
    const { room, ledger, committer } = this.#parts
    const start = performance.now()
    this.checkClock()
    if (room.check() === 'filled') this.#sayRefusal()

    const batch = await this.#place(this.#take(Math.min(committer.room, limits.batchEntries)))
    // Reads that cannot be recorded need no disk.
    if (batch.lines.length === 0) return this.#answer(batch)

    // A crash from here on may leave any part of the batch; its callers have not been answered.
    const began = performance.now()
    this.#pace.begin(began)
    const outcome = await this.#commit(batch.lines)
    const ended = performance.now()
    this.#parts.committed(batch.lines.length, ended - began)
    this.#pace.note(batch.lines.length, ended - start)
    switch (outcome.outcome) {
      case 'durable':
        this.#isRenewed = false
        // A crash here loses the answers, not the entries: the callers repeat, and are told that it was there (I4).
        return this.#answer(batch)
      case 'full':
        if (room.filled()) this.#sayRefusal()
        // Of a group that its segment's end cut in two, the first half may be there.
        return ledger.size === batch.lines[0]?.position ? this.#refuse(batch) : this.#break(batch, outcome)
      case 'taken':
        this.#break(batch, outcome)
        throw new AnnalsError('LOG_LOCKED', 'another process has written to this log', {
          cause: outcome.cause,
        })
      case 'unknown':
        this.#break(batch, outcome)
        await this.#renew(outcome.cause)
        assert(ledger.size >= (batch.lines[0]?.position ?? 0))
    }
  }

  // A segment that is long enough ends with a full block, also where that is in the middle of a group.
  async #commit(lines: readonly Line[]): Promise<AppendOutcome> {
    const { committer } = this.#parts
    const here = committer.room
    if (lines.length <= here) return await committer.commit(lines)
    const outcome = await committer.commit(lines.slice(0, here))
    return outcome.outcome === 'durable' ? await this.#commit(lines.slice(here)) : outcome
  }

  #take(most: number): Item[] {
    const taken: Item[] = []
    let lines = 0
    let bytes = 0
    // A group goes alone where it is more than this segment is to take.
    const fits = (item: Item) => {
      lines += item.lines
      bytes += item.bytes
      return taken.length === 0 || (lines <= most && bytes <= limits.batchBytes)
    }
    for (let note = this.#notes[0]; note !== undefined && fits(note); note = this.#notes[0]) {
      taken.push(note)
      this.#notes.shift()
    }
    let count = 0
    for (let item = this.#queue[0]; item !== undefined && fits(item); item = this.#queue[count]) {
      taken.push(item)
      this.#units -= item.units
      this.#lines -= item.lines
      count += 1
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count)
    return taken
  }

  // Gives places. All entries of a batch share one time, later than every batch before it; a window that ends "now"
  // ends there, so that it holds exactly what is durable at this moment.
  async #place(items: readonly Item[]): Promise<Batch> {
    const { time, clock } = this.#time.next()
    const batch: Batch = {
      time,
      clock,
      lines: [],
      byFingerprint: new Map(),
      items: [],
      answers: [],
      reads: [],
      groups: [],
    }
    for (const item of items) {
      try {
        // Almost all entries are placed at once; only what must look into the text waits.
        const placing = this.#placeItem(batch, item)
        if (placing !== undefined) await placing
      } catch (error) {
        // What is wrong with one of them is nothing to the others.
        item.reject(error)
      }
    }
    return batch
  }

  #placeItem(batch: Batch, item: Item): void | Promise<void> {
    if (item.kind === 'read') return this.#placeRead(batch, item)
    return item.kind === 'group' ? this.#placeGroup(batch, item) : this.#placeEntry(batch, item)
  }

  // Every one of a group is looked up before any of them has a place.
  async #placeGroup(batch: Batch, item: WaitingGroup): Promise<void> {
    const { room, ledger } = this.#parts
    if (room.isShut) throw room.refuse(item.drafts.length)
    const identities = new Set<string>()
    const fingerprints: Fingerprint[] = []
    const known = await forEach(item.drafts, (draft) => {
      const identity = identityOf(draft)
      const fingerprint = fingerprintOf(identity)
      fingerprints.push(fingerprint)
      if (identities.has(identity)) throw twice(draft)
      identities.add(identity)
      return this.#lookUp(batch, draft, fingerprint)
    })
    const isThere = (place: Recorded | undefined): place is Recorded =>
      place !== undefined && place.position < ledger.size
    // Durable, whatever becomes of this batch.
    if (known.every(isThere)) return item.resolve(known)
    if (room.refusing) throw room.refuse(item.drafts.length)
    const all = item.drafts.map(
      (draft, k) =>
        known[k] ?? this.#addNew(batch, draft, fingerprints[k] ?? fingerprintOf(identityOf(draft))),
    )
    batch.groups.push({ item, all })
  }

  // Where the same event was recorded; undefined where it was not, and may be. Almost none needs a look into the text.
  #lookUp(
    batch: Batch,
    draft: Draft,
    fingerprint: Fingerprint,
  ): Recorded | undefined | Promise<Recorded | undefined> {
    const inBatch = this.#sameInBatch(batch, draft, fingerprint)
    if (inBatch !== undefined) return { ...inBatch, isNew: false }
    const candidates = this.#parts.ledger.horizon.candidates(fingerprint)
    if (candidates.length > 0) return this.#findOrDemand(candidates, draft)
    return this.#demandYoung(draft)
  }

  async #findOrDemand(candidates: readonly Position[], draft: Draft): Promise<Recorded | undefined> {
    const known = await this.#findAmong(candidates, draft)
    if (known === undefined) await this.#demandYoung(draft)
    return known
  }

  #placeEntry(batch: Batch, item: WaitingEntry): void | Promise<void> {
    const { room, ledger } = this.#parts
    if (room.isShut) throw room.refuse()
    const { draft } = item
    const fingerprint = fingerprintOf(identityOf(draft))
    const inBatch = this.#sameInBatch(batch, draft, fingerprint)
    if (inBatch !== undefined) return answer(batch, item, { ...inBatch, isNew: false })
    const candidates = ledger.horizon.candidates(fingerprint)
    if (candidates.length === 0) return this.#addEntry(batch, item, fingerprint)
    return this.#placeKnown(batch, item, { fingerprint, candidates })
  }

  #sameInBatch(batch: Batch, draft: Draft, fingerprint: Fingerprint): Place | undefined {
    const at = batch.byFingerprint.get(fingerprint)
    const other = at === undefined ? undefined : batch.lines[at]?.draft
    if (at === undefined || other === undefined || identityOf(other) !== identityOf(draft)) return undefined
    const place = this.#placeOf(batch, at)
    if (!sameContent(other, draft)) throw conflict(draft, place.position)
    return place
  }

  async #placeKnown(
    batch: Batch,
    item: WaitingEntry,
    hint: { fingerprint: Fingerprint; candidates: readonly Position[] },
  ): Promise<void> {
    const known = await this.#findAmong(hint.candidates, item.draft)
    if (known === undefined) return this.#addEntry(batch, item, hint.fingerprint)
    // It is durable, whatever becomes of this batch.
    item.resolve(known)
  }

  #addEntry(batch: Batch, item: WaitingEntry, fingerprint: Fingerprint): void | Promise<void> {
    const { room } = this.#parts
    if (room.refusing && item.kind === 'entry') throw room.refuse()
    const add = () => answer(batch, item, this.#addNew(batch, item.draft, fingerprint))
    const isOld = this.#demandYoung(item.draft)
    return isOld === undefined ? add() : isOld.then(add)
  }

  #addNew(batch: Batch, draft: Draft, fingerprint: Fingerprint): Recorded {
    const recorded = { ...this.#placeOf(batch, batch.lines.length), isNew: true }
    this.#addLine(batch, draft, recorded, fingerprint)
    return recorded
  }

  #addLine(batch: Batch, draft: Draft, place: Place, fingerprint: Fingerprint): void {
    batch.byFingerprint.set(fingerprint, batch.lines.length)
    batch.lines.push(lineAt(place, draft, fingerprint))
  }

  #placeOf({ time, clock }: Batch, at: number): Place {
    const position = this.#parts.ledger.size + at
    return clock === undefined ? { position, time } : { position, time, clock }
  }

  async #placeRead(batch: Batch, item: WaitingRead): Promise<void> {
    const found = item.find(batch.time)
    const run = found instanceof Promise ? await found : found
    const place = this.#placeOf(batch, batch.lines.length)
    const mark = this.#parts.room.refusing ? undefined : place.position
    if (mark !== undefined) {
      const { start, end, from, to } = run
      const read = { ...place, start, end, from: from.position, to: to.position, bytes: to.byte - from.byte }
      const draft = item.describe(read)
      this.#addLine(batch, draft, place, fingerprintOf(identityOf(draft)))
    } else {
      this.#parts.room.missedRead()
    }
    batch.reads.push({ item, run, mark })
  }

  // The same event, where it is among the candidates. A fingerprint is only a hint: the line decides.
  async #findAmong(candidates: readonly Position[], draft: Draft): Promise<Recorded | undefined> {
    for (const position of candidates) {
      const line = await this.#parts.text.line(position)
      const { time, clock, id, via, by } = parseLine(line)
      if (id !== draft.id || via !== draft.via || by !== draft.by) continue
      const place = clock === undefined ? { position, time } : { position, time, clock }
      if (renderLine(draft, place) !== line.toString()) throw conflict(draft, position)
      return { ...place, isNew: false }
    }
    return undefined
  }

  // Almost none needs a look into the text.
  #demandYoung(draft: Draft): undefined | Promise<undefined> {
    const forgotten = this.#parts.ledger.horizon.forgottenBefore
    if (forgotten === undefined) return undefined
    const made = timeOfId(draft.id)
    if (made === undefined || made >= forgotten.time) return undefined
    return this.#demandMadeSince(forgotten.position, draft, made)
  }

  // Ids are made by the wall clock, behind which the times of entries do not stay when it is set back (W8): by them, all
  // ids might be too old for as long as it takes to catch up.
  async #demandMadeSince(position: Position, draft: Draft, made: Micros): Promise<undefined> {
    if (this.#oldest?.position !== position) {
      const { time, clock = time } = parseLine(await this.#parts.text.line(position))
      this.#oldest = { position, clock }
    }
    if (made >= this.#oldest.clock) return undefined
    throw new AnnalsError(
      'ID_TOO_OLD',
      `the id ${draft.id} was made before the oldest entry that is still compared; send the event with a new id ` +
        'if it was never recorded',
    )
  }

  #answer(batch: Batch): void {
    let k = 0
    for (const item of batch.items) {
      const recorded = batch.answers[k++]
      assert(recorded !== undefined)
      item.resolve(recorded)
    }
    for (const { item, all } of batch.groups) item.resolve(all)
    for (const { item, run, mark } of batch.reads) this.#answerRead(batch, item, run, mark)
  }

  #answerRead({ time: now }: Batch, item: WaitingRead, { from, to }: Run, mark: Position | undefined): void {
    const { store, ledger, id } = this.#parts
    item.resolve(snapshotOf(store, ledger, { log: id, from, to, now, mark }))
  }

  // No room: nothing of the batch is kept. Reading goes on (I9), and its times stay given out.
  #refuse(batch: Batch): void {
    const { room } = this.#parts
    for (const item of batch.items) {
      if (item.kind === 'note') this.#postponed.push(item)
      else item.reject(item.kind === 'trial' ? noRoom() : room.refuse())
    }
    for (const { item } of batch.groups) item.reject(room.refuse(item.drafts.length))
    for (const { item, run, mark } of batch.reads) {
      if (mark !== undefined) room.missedRead()
      this.#answerRead(batch, item, run, undefined)
    }
  }

  #break(batch: Batch, outcome: AppendOutcome): void {
    const cause = outcome.outcome === 'durable' ? undefined : outcome.cause
    const error = new AnnalsError(
      'OUTCOME_UNKNOWN',
      'it is not known whether this was recorded; repeat it with the same id',
      { cause, retryAfterSeconds: 1 },
    )
    for (const { item } of [...batch.reads, ...batch.groups]) item.reject(error)
    for (const item of batch.items) {
      // A note goes along with the next batch: of this one nothing is kept.
      if (item.kind === 'note') this.#notes.push(item)
      else item.reject(error)
    }
  }

  // After a failed commit nothing past the durable end is believed. Where even this fails, or what is written next
  // fails too, the log ends: a disk like that is not to be tried again and again.
  async #renew(cause: unknown): Promise<void> {
    const { store, ledger } = this.#parts
    const { active } = ledger
    if (active === undefined || this.#isRenewed) throw cause
    await store.renew(active.first, active.bytes)
    this.#isRenewed = true
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#say(29015, { position: String(ledger.size), reason })
  }

  #sayRefusal(): void {
    this.#say(29016, {}, this.#parts.room.since)
    this.#parts.room.waitForSpace(() => this.#resume())
  }

  // Recording resumes when the entry that says so is durable.
  async #resume(): Promise<boolean> {
    const { room } = this.#parts
    this.#notes.push(...this.#postponed.splice(0))
    const counts = room.takeCounts()
    try {
      await this.#note('trial', 29017, { n: String(counts.refused) })
    } catch {
      room.giveBack(counts)
      return false
    }
    room.accept()
    // What was refused while that entry was on its way is said too (I7).
    const { refused, missedReads } = room.takeCounts()
    if (refused > 0) this.#say(29017, { n: String(refused) })
    const missed = counts.missedReads + missedReads
    if (missed > 0) this.#say(29005, { n: String(missed), reason: 'no room' })
    return true
  }

  #fail(error: unknown): void {
    this.#state = 'failed'
    for (const item of [...this.#notes.splice(0), ...this.#postponed.splice(0), ...this.#queue.splice(0)])
      item.reject(ended('failed'))
    this.#units = 0
    this.#lines = 0
    this.#parts.failed(error)
  }
}

function answer(batch: Batch, item: WaitingEntry, recorded: Recorded): void {
  batch.items.push(item)
  batch.answers.push(recorded)
}

function sizeOf({ bytes }: Draft): Pick<Waiting, 'units' | 'lines' | 'bytes'> {
  return { units: bytes, lines: 1, bytes: bytes + 1 }
}

function sameContent(a: Draft, b: Draft): boolean {
  return a.head === b.head && a.origin === b.origin && a.stamp === b.stamp && a.rest === b.rest
}

// The milliseconds of a UUIDv7 (RFC 9562, section 5.7), as microseconds.
function timeOfId(id: string): Micros | undefined {
  return id[14] === '7' ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) * 1000 : undefined
}

function conflict(draft: Draft, position: Position): AnnalsError {
  return new AnnalsError(
    'ID_CONFLICT',
    `the id ${draft.id} was recorded before with other content, at position ${position}`,
  )
}

function twice(draft: Draft): AnnalsError {
  return new AnnalsError(
    'ID_CONFLICT',
    `the id ${draft.id} comes twice among events that are recorded together`,
  )
}

function ended(state: 'failed' | 'closed'): AnnalsError {
  return state === 'closed'
    ? new AnnalsError('UNAVAILABLE', 'the log is closed', { retryAfterSeconds: 5 })
    : new AnnalsError('STORAGE_FAILED', 'the log cannot be written any more')
}
