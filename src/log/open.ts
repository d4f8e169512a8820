// Opens a log: finds or makes it, recovers it, and puts its parts together. The caller holds the lock of the data
// directory (I5).

import assert from 'node:assert/strict'
import type { AuditEvent, Draft, Micros, Position } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { resolveWindow, type Window } from '../entry/window.ts'
import { AnnalsError } from '../errors.ts'
import { clockCheckMs, clockStepMicros } from '../limits.ts'
import { type Disk, realDisk } from '../store/disk.ts'
import { openFileSegmentStore } from '../store/file-segment-store.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import { parseSignedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { Checkpoint } from '../tree/checkpoint.ts'
import { formatVkey, type NoteKey } from '../tree/note-key.ts'
import type { AuditLog, EntryRun, LogStatus, ReadPlace, Recorded, Snapshot } from './audit-log.ts'
import type { Clock } from './clock.ts'
import { contradicts, readOnlyRefusal } from './confronted.ts'
import { Committer, putIndex, sealSegment } from './committer.ts'
import {
  addMlDsaKey,
  createDescription,
  type LogDescription,
  noteKeysOf,
  originOf,
  readDescription,
} from './description.ts'
import { type Continues, continuesFields } from './continues.ts'
import { HeadKeeper } from './head.ts'
import { dataLayout } from './layout.ts'
import { HeldKeys } from './log-keys.ts'
import { type LogProofs, logProofsOf } from './log-proofs.ts'
import type { Edge } from './log-text.ts'
import { LogTree } from './log-tree.ts'
import { type Recovered, recover } from './recover.ts'
import { finishRenewal } from './renew.ts'
import { Recheck, type RecheckOptions } from './recheck.ts'
import { Room } from './room.ts'
import { type Run, Sequencer } from './sequencer.ts'
import { Witnessed } from './witnessed.ts'
import { runOf } from './snapshot.ts'

/** What is told to the operator while a log is open. */
export interface LogObserver {
  /** A commit has ended, one way or the other. */
  committed?(entries: number, diskMs: number): void
  /** Something went wrong that the log could go on without. */
  warn?(message: string, error?: unknown): void
  /** The log cannot be written any more: the process should end. */
  failed?(error: unknown): void
}

/** How to open a log. */
export interface OpenOptions {
  /** The data directory; made where it is not there. */
  readonly data: string
  /** The node's name. Starting a log under another one is refused. */
  readonly hostName: string
  /** The name in the header of the log's own entries: `Portal`, or an engine's. */
  readonly component: string
  readonly clock: Clock
  readonly observer?: LogObserver
  readonly minFreeBytes?: number
  readonly roomCheckMs?: number
  readonly segmentBytes?: number
  /** Checks sealed segments in the background while the log is open. */
  readonly recheck?: RecheckOptions
  readonly disk?: Disk
  /**
   * Asks witnesses for the checkpoints of this log that they hold, before anything is recorded in it; what cannot be reached
   * in time is left out. Not asked of a log that begins.
   */
  readonly askWitnesses?: (origin: string) => Promise<readonly HeldCheckpoint[]>
  /** Wraps the store, for tests. */
  readonly wrapStore?: (store: SegmentStore) => SegmentStore
}

/** A checkpoint of a log that a witness holds. */
export interface HeldCheckpoint {
  /** The witness, for people. */
  readonly witness: string
  readonly note: string
}

/**
 * Opens the log of a data directory, or makes it. Throws LOG_DAMAGED where it does not match its own head or is
 * damaged elsewhere than in its last batch (I6), and INVALID_CONFIGURATION under another host name.
 */
export async function openLog(options: OpenOptions): Promise<AuditLog> {
  const { clock, observer = {} } = options
  const disk = options.disk ?? realDisk
  const layout = dataLayout(options.data)
  await finishRenewal(disk, options.data)
  const { description, isNewKey } = await openDescription(disk, layout.log, options)
  const keys = await HeldKeys.open({ disk, directory: layout.log, orders: layout.orders }, description)
  const fileStore = await openFileSegmentStore(disk, { directory: layout.log, cutDirectory: layout.cut })
  const store = options.wrapStore?.(fileStore) ?? fileStore
  const faults: { segment: Position; reason: string }[] = []
  let noteFault = (segment: Position, reason: string): void => void faults.push({ segment, reason })
  try {
    const recovered = await recover({
      store,
      id: description.id,
      origin: originOf(description),
      keys: noteKeysOf(description),
      fault: (segment, reason) => noteFault(segment, reason),
    })
    const own = () => keys.signers
    const witnessed = await Witnessed.open({ store, origin: originOf(description), keys: own })
    const log = new SequencedLog({ description, keys, store, recovered, witnessed }, options, observer)
    noteFault = (segment, reason) => log.noteFault(segment, reason)
    if (await log.isBehind(options.askWitnesses)) return log
    await log.begin(recovered, clock.wallMicros(), { isNewKey, continues: description.continues })
    for (const { segment, reason } of faults) log.noteFault(segment, reason)
    if (options.recheck !== undefined) await log.startRecheck(options.recheck)
    return log
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

// The second key of a log that is older than it is made before the log is opened: from then on nothing is signed without.
async function openDescription(
  disk: Disk,
  directory: string,
  options: OpenOptions,
): Promise<{ description: LogDescription; isNewKey: boolean }> {
  const description = await findDescription(disk, directory, options)
  if (description.mlDsaPublicKey !== undefined) return { description, isNewKey: false }
  return { description: await addMlDsaKey(disk, directory, description), isNewKey: true }
}

async function findDescription(disk: Disk, directory: string, options: OpenOptions): Promise<LogDescription> {
  const { hostName, clock } = options
  const description = await readDescription(disk, directory)
  if (description === undefined) {
    if ((await disk.list(directory)).includes('segments')) {
      throw new AnnalsError('LOG_DAMAGED', 'the audit log has segments and no log.json, and is not opened')
    }
    return await createDescription(disk, directory, { hostName, created: clock.wallMicros() })
  }
  if (description.hostName === hostName) return description
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `this data directory holds the log of the host "${description.hostName}", and this node's name is "${hostName}": ` +
      `start it with --host-name ${description.hostName}, or with another data directory`,
  )
}

interface LogParts {
  readonly description: LogDescription
  readonly keys: HeldKeys
  readonly store: SegmentStore
  readonly recovered: Recovered
  readonly witnessed: Witnessed
}

class SequencedLog implements AuditLog {
  readonly id
  readonly origin
  readonly hostName
  readonly publicKey
  readonly proofs: LogProofs
  readonly #clock: Clock
  readonly #store: SegmentStore
  readonly #recovered: Recovered
  readonly #observer: LogObserver
  readonly #room: Room
  readonly #head: HeadKeeper
  readonly #keys: HeldKeys
  readonly #component: string
  readonly #witnessed: Witnessed
  readonly #tree: LogTree
  readonly #committer: Committer
  readonly #sequencer: Sequencer
  readonly #clockTimer: NodeJS.Timeout
  #recheck: Recheck | undefined
  #closing: Promise<void> | undefined

  constructor(
    { description, keys, store, recovered, witnessed }: LogParts,
    options: OpenOptions,
    observer: LogObserver,
  ) {
    this.id = description.id
    this.origin = originOf(description)
    this.hostName = description.hostName
    this.publicKey = description.publicKey
    this.#clock = options.clock
    this.#store = store
    this.#recovered = recovered
    this.#observer = observer
    const { ledger, text } = recovered
    const { clock, component } = options
    const warn = (what: string, error: unknown) =>
      observer.warn?.(`${what} could not be written; it is tried again`, error)
    const { head } = recovered
    this.#head = new HeadKeeper(
      {
        store,
        ledger,
        origin: this.origin,
        signers: () => keys.signers,
        // Never before the last entry, wherever the clock was set to: a witness compares them.
        seconds: () => Math.floor(Math.max(clock.wallMicros(), ledger.lastTime ?? 0) / 1_000_000),
        isShut: () => this.#room.isShut,
        stored: head?.isSigned === true ? head : undefined,
      },
      warn,
    )
    const growing = (level: number, index: number) => ledger.growing(level, index)
    const size = () => ledger.size
    const tree = new LogTree({ store, text, growing, size })
    this.#tree = tree
    this.#witnessed = witnessed
    this.proofs = logProofsOf({ head: this.#head, witnessed, text, tree, size })
    this.#keys = keys
    this.#component = component
    this.#room = new Room({
      freeBytes: () => store.freeBytes(),
      wallMicros: () => clock.wallMicros(),
      ...(options.minFreeBytes === undefined ? {} : { minFreeBytes: options.minFreeBytes }),
      ...(options.roomCheckMs === undefined ? {} : { checkMs: options.roomCheckMs }),
    })
    this.#committer = new Committer({
      store,
      ledger,
      text,
      flushHead: () => this.#head.flush(),
      failed: warn,
      ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
    })
    this.#sequencer = new Sequencer({
      id: this.id,
      store,
      ledger,
      text,
      committer: this.#committer,
      room: this.#room,
      clock,
      noteOf: (code, fields, occurred) => ({
        ...selfEvent({ code, component, actor: '*system', fields, hostName: this.hostName }),
        ...(occurred === undefined ? {} : { occurred }),
      }),
      committed: (entries, diskMs) => {
        this.#head.touch()
        observer.committed?.(entries, diskMs)
      },
      failed: (error) => observer.failed?.(error),
    })
    this.#clockTimer = setInterval(() => this.#sequencer.checkClock(), clockCheckMs).unref()
  }

  /** Whether others hold a later checkpoint of this log than it has; then nothing more is written. */
  async isBehind(ask: OpenOptions['askWitnesses']): Promise<boolean> {
    // What was proved once holds, whoever can be reached today; unless the log was restored as it had been.
    const before = await this.#store.getNote('contradicted')
    if (before !== undefined && (await this.confront('that was asked before', before))) return true
    if (ask === undefined || this.#recovered.ledger.size === 0) return false
    for (const { witness, note } of await ask(this.origin))
      if (await this.confront(witness, note)) return true
    return false
  }

  async confront(witness: string, note: string): Promise<boolean> {
    if (this.#room.isShut) return true
    const { ledger } = this.#recovered
    const { origin, keys } = this
    const rootAt = (size: number) => this.#tree.root(size)
    if (!(await contradicts(note, { origin, keys, size: ledger.size, rootAt }))) return false
    // Shut before it is kept: nothing more is recorded, whatever the disk does.
    this.#room.shut(readOnlyRefusal)
    await this.#store.putNote('contradicted', note)
    this.#observer.warn?.(
      `the witness ${witness} holds a checkpoint of this log that it does not continue: the log is read-only`,
    )
    return true
  }

  cosigned(note: string): Promise<void> {
    return this.#witnessed.keep(note)
  }

  /** Says in the log what opening it found, and puts what was left to put. */
  async begin(
    { ledger, cut, unsealed }: Recovered,
    wall: Micros,
    { isNewKey, continues }: { isNewKey: boolean; continues: Continues | undefined },
  ): Promise<void> {
    await this.#head.flush()
    for (const segment of unsealed) await sealSegment(this.#store, segment)
    const behind = (ledger.lastTime ?? 0) - wall
    const keys = this.#keys.signers.map(formatVkey).join(' ')
    if (ledger.size === 0 && continues !== undefined)
      this.#say(29088, { ...continuesFields(continues), log: this.id, keys })
    else if (ledger.size === 0) this.#say(29011, { log: this.id, keys })
    else if (isNewKey) this.#say(29081, { origin: this.origin, keys })
    if (cut !== undefined) this.#say(29013, { bytes: String(cut.bytes), file: cut.name })
    if (behind > clockStepMicros) this.#say(29012, { milliseconds: String(-Math.round(behind / 1000)) })
    // They come before everything else. Where there is no room they wait for it, and nobody waits with them.
    await this.#sequencer.settled()
  }

  noteFault(segment: Position, reason: string): void {
    this.#observer.warn?.(`the index of segment ${segment} was wrong and is rebuilt: ${reason}`)
    this.#say(29014, { segment: String(segment), reason })
  }

  /** Begins to check what is sealed. */
  async startRecheck(options: RecheckOptions): Promise<void> {
    this.#recheck = await Recheck.start({
      ...options,
      store: this.#store,
      ledger: this.#recovered.ledger,
      head: () => this.#head.checkpoint,
      subtrees: (range) => this.proofs.subtrees(range),
      wallMicros: () => this.#clock.wallMicros(),
      record: (code, fields, id) => this.record(draftOf({ ...this.#ownEvent(code, fields), id }, this.id)),
      warn: (message, error) => this.#observer.warn?.(message, error),
    })
  }

  #ownEvent(code: number, fields: Record<string, string>): AuditEvent {
    const { hostName } = this
    return selfEvent({ code, component: this.#component, actor: '*system', fields, hostName })
  }

  // A note waits for room where there is none: nobody waits with it.
  #say(code: number, fields: Record<string, string>): void {
    void this.#sequencer.note(code, fields).catch((error: unknown) => {
      this.#observer.warn?.(`the log's own entry ${code} was not recorded`, error)
    })
  }

  demandRoom(bytes: number): void {
    this.#sequencer.demandRoom(bytes)
  }

  record(draft: Draft): Promise<Recorded> {
    return this.#sequencer.record(draft)
  }

  recordAll(drafts: readonly Draft[]): Promise<Recorded[]> {
    return this.#sequencer.recordAll(drafts)
  }

  async read(window: Window, describe: (read: ReadPlace) => Draft): Promise<Snapshot> {
    // Looked up once before the sequencer does, so that in its turn the blocks are in memory, and so that a
    // damaged place fails this read without holding up anybody.
    const { ledger, text } = this.#recovered
    const { start, end } = resolveWindow(window, Math.max(this.#clock.wallMicros(), ledger.lastTime ?? 0))
    await text.edgeAtTime(start)
    await text.edgeAtTime(end)
    return await this.#sequencer.read((now) => this.#runOf(window, now), describe)
  }

  async readRun(
    from: Position,
    to: Position,
    describe: (read: ReadPlace) => Draft,
  ): Promise<Snapshot | undefined> {
    const edges = await this.#edgesOf(from, to)
    if (edges === undefined) return undefined
    return await this.#sequencer.read(
      (now) => ({ start: Number.MIN_SAFE_INTEGER, end: now, ...edges }),
      describe,
    )
  }

  async run(from: Position, to: Position): Promise<EntryRun | undefined> {
    const edges = await this.#edgesOf(from, to)
    return edges && runOf(this.#store, this.#recovered.ledger, { log: this.id, ...edges })
  }

  get keys(): readonly NoteKey[] {
    return this.#keys.told.keys
  }

  get keyRotations(): readonly string[] {
    return this.#keys.told.statements
  }

  async tendKeys(): Promise<void> {
    // What could not be recorded is not begun.
    if (this.status().recording !== 'accepting') return
    await this.#keys.tend({
      wallMicros: () => this.#clock.wallMicros(),
      checkpoint: () => this.#signedNow(),
      record: (event) => this.record(draftOf(event, this.id)),
      component: this.#component,
    })
  }

  async #signedNow(): Promise<Checkpoint> {
    await this.#head.flush()
    const checkpoint = parseSignedCheckpoint(this.#head.checkpoint?.note ?? '')
    assert(checkpoint !== undefined, 'what was signed can be read')
    return checkpoint
  }

  status(): LogStatus {
    const { ledger } = this.#recovered
    const { state } = this.#sequencer
    return {
      size: ledger.size,
      bytes: ledger.bytes,
      segments: ledger.segments.length,
      firstTime: ledger.segments[0]?.firstTime,
      lastTime: ledger.lastTime,
      recording: state === 'open' ? recordingOf(this.#room) : state,
      waiting: this.#sequencer.waiting,
      ...(this.#recheck === undefined ? {} : { recheck: this.#recheck.status }),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // What cannot be written any more is only derived, or is behind the entries, which are durable: the next opening
  // makes it again.
  async #close(): Promise<void> {
    clearInterval(this.#clockTimer)
    this.#room.stop()
    await Promise.all([this.#sequencer.close(), this.#recheck?.[Symbol.asyncDispose]()])
    await this.#committer.settled()
    this.#head.stop()
    this.#witnessed.stop()
    const { active } = this.#recovered.ledger
    try {
      if (this.#sequencer.state !== 'failed' && !this.#room.isShut) {
        if (active !== undefined) await putIndex(this.#store, active)
        await this.#head.flush()
      }
    } catch (error) {
      this.#observer.warn?.(
        'the head could not be written while closing; the next start reads the last segment again',
        error,
      )
    } finally {
      await this.#store[Symbol.asyncDispose]()
    }
  }

  async #edgesOf(from: Position, to: Position): Promise<{ from: Edge; to: Edge } | undefined> {
    const { ledger, text } = this.#recovered
    if (from > to || to > ledger.size) return undefined
    return { from: await text.edgeAtPosition(from), to: await text.edgeAtPosition(to) }
  }

  #runOf(window: Window, now: Micros): Run | Promise<Run> {
    const { ledger, text } = this.#recovered
    const { start, end } = resolveWindow(window, now)
    const from = text.edgeAtTime(start)
    // Everything that is durable is earlier than now.
    const to = end >= now ? { position: ledger.size, byte: ledger.bytes } : text.edgeAtTime(end)
    if (!(from instanceof Promise) && !(to instanceof Promise)) return run(start, end, from, to)
    return Promise.all([from, to]).then((edges) => run(start, end, ...edges))
  }
}

function recordingOf({ isShut, refusing }: Room): LogStatus['recording'] {
  if (isShut) return 'read-only'
  return refusing ? 'refusing' : 'accepting'
}

function run(start: Micros, end: Micros, from: Edge, to: Edge): Run {
  // A window that ends before it begins is empty.
  return from.position <= to.position ? { start, end, from, to } : { start, end, from: to, to }
}
