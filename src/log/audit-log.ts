// What an audit log offers to everything outside `log/`. One object per log, made by `openLog` (`open.ts`).

import type { Draft, LogId, Micros, Place, Position } from '../entry/event.ts'
import type { Window } from '../entry/window.ts'
import type { NoteKey } from '../tree/note-key.ts'
import type { LogProofs } from './log-proofs.ts'
import type { RecheckStatus } from './recheck.ts'

/** Where an event was recorded. `isNew` is false where the same event had been recorded before (I4). */
export interface Recorded extends Place {
  readonly isNew: boolean
}

/** What a read is told about itself, so that its own entry can say it (contract S7). */
export interface ReadPlace extends Place {
  /** The window asked for, resolved: `start` ≤ time < `end`. */
  readonly start: Micros
  readonly end: Micros
  /** What it became: the positions [from, to) and their length. */
  readonly from: Position
  readonly to: Position
  readonly bytes: number
}

/** An unbroken run of entries, fixed for good: the bytes of [from, to) never change (I2). */
export interface EntryRun {
  readonly log: LogId
  readonly from: Position
  readonly to: Position
  readonly bytes: number
  /** Opens the bytes for reading. Any number of readers may be open; each holds at most one file. */
  open(): SnapshotReader
}

/** A run that a read was answered with. */
export interface Snapshot extends EntryRun {
  /** The moment that the read calls "now": the time of its own entry (contract W3). */
  readonly now: Micros
  /** The position of the read's own entry; undefined where the read could not be recorded (I9), which the answer says. */
  readonly mark: Position | undefined
}

/** Reads a snapshot's bytes. Dispose it to close its file. */
export interface SnapshotReader extends AsyncDisposable {
  /**
   * Reads bytes of the snapshot from `offset` into the start of `target`, and returns how many: at least one
   * while `offset` < `snapshot.bytes`, which may be fewer than `target` holds.
   * Throws LOG_DAMAGED where bytes that belong to the snapshot are not there.
   */
  read(target: Uint8Array, offset: number): Promise<number>
}

/** The state of a log, for health, metrics and people. */
export interface LogStatus {
  readonly size: number
  readonly bytes: number
  readonly segments: number
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
  /** `refusing`: no room, reading goes on (I9). `read-only`: nothing is recorded any more (`confront`), reading goes on. `failed`: the log has ended, and the process must (recovery). */
  readonly recording: 'accepting' | 'refusing' | 'read-only' | 'failed' | 'closed'
  /** Entries waiting for a commit. */
  readonly waiting: number
  /** What the background check knows; undefined where there is none. */
  readonly recheck?: RecheckStatus
}

/** An append-only audit log with one writer. */
export interface AuditLog extends AsyncDisposable {
  readonly id: LogId
  /** `<host name>/audit-trail/api/v2/logs/<log id>` */
  readonly origin: string
  readonly hostName: string
  /** The log's first Ed25519 public key, 32 bytes: its id is made from it. `keys` says what signs now. */
  readonly publicKey: Uint8Array
  /** The keys that its checkpoints are signed with now. */
  readonly keys: readonly NoteKey[]
  /** The statements by which they follow from the first ones (`tree/key-rotation.ts`), the first one first. */
  readonly keyRotations: readonly string[]
  /** What proves that nothing was changed, removed or left out. */
  readonly proofs: LogProofs
  /**
   * Throws TOO_MANY_REQUESTS where the queue has no room for an entry of so many bytes: whoever asks first can spare
   * himself the work of making one.
   */
  demandRoom(bytes: number): void
  /**
   * Records one event. Resolves once it is durable (I1), or was already (I4, `isNew` false).
   * Throws ID_CONFLICT, ID_TOO_OLD, STORAGE_FULL, OUTCOME_UNKNOWN (it may have been recorded: repeat it with
   * the same id), TOO_MANY_REQUESTS (the queue is full; nothing was recorded) or UNAVAILABLE (closed).
   */
  record(draft: Draft): Promise<Recorded>
  /**
   * Records all of several events, one behind the other in one commit, or none of them. Resolves as `record` does, in
   * their order. Throws what `record` throws, with the refusals of single ones in `each`, by their `index`; ID_CONFLICT
   * too where one identity comes twice; BODY_TOO_LARGE beyond `limits.groupEntries` and `limits.groupBytes`. A crash
   * before the answer, or an OUTCOME_UNKNOWN, may leave the first of them: who repeats them with the same ids gets the
   * rest recorded.
   */
  recordAll(drafts: readonly Draft[]): Promise<Recorded[]>
  /**
   * Fixes the snapshot of a window and records the read itself in one step of the sequencer (I11, S7).
   * `describe` is called once the place and the snapshot are known and makes the read's own entry.
   * Resolves once that entry is durable. Where nothing can be recorded (I9), `recorded` is false.
   */
  read(window: Window, describe: (read: ReadPlace) => Draft): Promise<Snapshot>
  /**
   * The same for positions [from, to) that an earlier answer named (`If-Range`, R4). Undefined, and nothing
   * is recorded, where the log has no such run.
   */
  readRun(from: Position, to: Position, describe: (read: ReadPlace) => Draft): Promise<Snapshot | undefined>
  /**
   * The run [from, to) without recording anything: for a read that `read` or `readRun` has recorded already.
   * Undefined where the log has no such run.
   */
  run(from: Position, to: Position): Promise<EntryRun | undefined>
  /**
   * Goes on with the replacement of the keys, where one is ordered or under way. To be called again and again. Throws
   * STORAGE_FULL and the like where a step cannot be made just now: the next call tries it again.
   */
  tendKeys(): Promise<void>
  /**
   * Somebody shows a checkpoint of this log, which `witness` holds. Where the log has signed it and is no continuation of
   * it, it is a copy that was restored, or was rolled back: nothing is recorded in it any more, now and after every start,
   * and the answer is true.
   */
  confront(witness: string, note: string): Promise<boolean>
  /**
   * Keeps a checkpoint of this log's own, with signatures of witnesses that the caller has verified: it is what the log
   * shows from now on, as long as it is its latest one. Durable when it resolves.
   */
  cosigned(note: string): Promise<void>
  status(): LogStatus
  /** Records what is waiting, writes the head, and closes. Later calls throw UNAVAILABLE. */
  close(): Promise<void>
}
