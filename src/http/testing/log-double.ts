// An audit log for tests: the text in a temporary file, everything else in memory, nothing durable. It asserts
// the protocol of `log/audit-log.ts` on its callers, and fails on demand.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Draft, LogId, Micros, Position } from '../../entry/event.ts'
import { formatMicros } from '../../entry/time.ts'
import { resolveWindow, type Window } from '../../entry/window.ts'
import { AnnalsError, type ErrorCode } from '../../errors.ts'
import type {
  AuditLog,
  EntryRun,
  LogStatus,
  ReadPlace,
  Recorded,
  Snapshot,
  SnapshotReader,
} from '../../log/audit-log.ts'
import { proofsDouble } from './proofs-double.ts'

const firstTime = Date.UTC(2026, 0, 1) * 1000
const stepMicros = 1_000_000

/** A log whose entries are a second apart, from 2026-01-01T00:00:00Z on. */
export class LogDouble implements AuditLog {
  readonly id = 'portal-01-abcdefghijklmnop' as LogId
  readonly origin = `portal-01/audit-trail/api/v2/logs/${this.id}`
  readonly hostName = 'portal-01'
  readonly publicKey = new Uint8Array(32)
  readonly keys
  readonly keyRotations: readonly string[] = []
  readonly proofs

  /** Recording fails with this code; reading goes on where it is STORAGE_FULL. */
  recordingFails: ErrorCode | undefined
  /** Reading bytes at or after this offset of the file fails. */
  damagedFrom = Infinity
  /** The most that one read returns: a reader may always return less than it is asked for. */
  readBytes = 300_000
  /** Reads of windows wait for this. */
  gate: Promise<void> = Promise.resolve()

  /** Reads of windows that have begun. */
  reads = 0
  /** Bytes that readers have read. */
  bytesRead = 0

  readonly #file = join(tmpdir(), `log-double-${randomBytes(8).toString('hex')}`)
  readonly #descriptor = openSync(this.#file, 'wx')
  readonly #starts: number[] = [0]
  readonly #lines: string[] = []
  readonly #ids = new Set<string>()
  #openReaders = 0

  constructor() {
    const { key, proofs } = proofsDouble(this.origin, () => this.#lines.map((line) => line.slice(0, -1)))
    this.keys = [key]
    this.proofs = proofs
  }

  /** The lines recorded through `record` and `read`, in order. */
  get recorded(): readonly string[] {
    return this.#lines
  }

  get size(): number {
    return this.#starts.length - 1
  }

  get openReaders(): number {
    return this.#openReaders
  }

  /** The time of the entry at a position. */
  timeOf(position: Position): Micros {
    return firstTime + position * stepMicros
  }

  /** Appends `count` lines of `bytes` bytes each, newline included, that no entry was rendered for. */
  preload(count: number, bytes: number): void {
    const lines: string[] = []
    const words = ['login', 'logout', 'profile changed', 'role removed', 'session', 'engine', 'refused']
    for (let i = 0; i < count; i += 1) {
      const word = words[i % words.length] ?? ''
      lines.push(
        `${String(this.size + i).padStart(10)} ${word} ${i * 7919} `
          .padEnd(bytes - 1, `${i}`)
          .slice(0, bytes - 1) + '\n',
      )
    }
    writeSync(this.#descriptor, lines.join(''))
    for (const line of lines) this.#starts.push(this.#end + line.length)
  }

  /** Appends one line of random bytes, which no compression makes smaller. */
  preloadNoise(bytes: number): void {
    writeSync(this.#descriptor, randomBytes(bytes))
    this.#starts.push(this.#end + bytes)
  }

  /** The text of a run of entries, for comparison. */
  async text(from: Position, to: Position): Promise<Buffer> {
    await using file = await open(this.#file, 'r')
    const start = this.#startOf(from)
    const bytes = Buffer.alloc(this.#startOf(to) - start)
    await file.read(bytes, 0, bytes.byteLength, start)
    return bytes
  }

  demandRoom(): void {
    if (this.recordingFails === 'TOO_MANY_REQUESTS')
      throw new AnnalsError('TOO_MANY_REQUESTS', 'as the test wants')
  }

  async record(draft: Draft): Promise<Recorded> {
    if (this.recordingFails !== undefined) throw new AnnalsError(this.recordingFails, 'as the test wants')
    return this.#append(draft)
  }

  async recordAll(drafts: readonly Draft[]): Promise<Recorded[]> {
    return await Promise.all(drafts.map((draft) => this.record(draft)))
  }

  async read(window: Window, describe: (read: ReadPlace) => Draft): Promise<Snapshot> {
    this.reads += 1
    await this.gate
    const time = this.timeOf(this.size)
    const { start, end } = resolveWindow(window, time)
    const isIn = (position: Position) => this.timeOf(position) >= start && this.timeOf(position) < end
    let from = 0
    while (from < this.size && this.timeOf(from) < start) from += 1
    let to = from
    while (to < this.size && isIn(to)) to += 1
    return this.#fix({ position: this.size, time, start, end, from, to }, describe)
  }

  async readRun(
    from: Position,
    to: Position,
    describe: (read: ReadPlace) => Draft,
  ): Promise<Snapshot | undefined> {
    assert.ok(from >= 0 && from <= to, 'a run of positions')
    if (to > this.size) return undefined
    const time = this.timeOf(this.size)
    return this.#fix(
      { position: this.size, time, start: Number.MIN_SAFE_INTEGER, end: time, from, to },
      describe,
    )
  }

  async run(from: Position, to: Position): Promise<EntryRun | undefined> {
    assert.ok(from >= 0 && from <= to, 'a run of positions')
    if (to > this.size) return undefined
    const offset = this.#startOf(from)
    const bytes = this.#startOf(to) - offset
    return { log: this.id, from, to, bytes, open: () => this.#open(offset, bytes) }
  }

  async tendKeys(): Promise<void> {}
  async confront(): Promise<boolean> {
    return false
  }

  async cosigned(): Promise<void> {}

  status(): LogStatus {
    return {
      size: this.size,
      bytes: this.#end,
      segments: 1,
      firstTime: this.size === 0 ? undefined : firstTime,
      lastTime: this.size === 0 ? undefined : this.timeOf(this.size - 1),
      recording: this.recordingFails === undefined ? 'accepting' : 'refusing',
      waiting: 0,
    }
  }

  /** Asserts that every reader was disposed of. */
  async close(): Promise<void> {
    closeSync(this.#descriptor)
    rmSync(this.#file)
    assert.equal(this.#openReaders, 0, 'every reader is disposed of')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #end(): number {
    return this.#starts.at(-1) ?? 0
  }

  #startOf(position: Position): number {
    return this.#starts[position] ?? assert.fail(`position ${position} is in the log`)
  }

  #append(draft: Draft): Recorded {
    assert.ok(!this.#ids.has(draft.id), 'an event is recorded once')
    this.#ids.add(draft.id)
    const position = this.size
    const time = this.timeOf(position)
    const line = `${draft.head}${formatMicros(time)}${draft.origin}${position}${draft.stamp}${draft.rest}\n`
    this.#lines.push(line)
    writeSync(this.#descriptor, line)
    this.#starts.push(this.#end + Buffer.byteLength(line))
    return { position, time, isNew: true }
  }

  #fix(place: Omit<ReadPlace, 'bytes'>, describe: (read: ReadPlace) => Draft): Snapshot {
    const offset = this.#startOf(place.from)
    const bytes = this.#startOf(place.to) - offset
    if (this.recordingFails !== undefined && this.recordingFails !== 'STORAGE_FULL') {
      throw new AnnalsError(this.recordingFails, 'as the test wants')
    }
    const draft = describe({ ...place, bytes })
    const isRecorded = this.recordingFails === undefined
    const mark = isRecorded ? this.#append(draft).position : undefined
    return {
      log: this.id,
      from: place.from,
      to: place.to,
      bytes,
      now: place.time,
      mark,
      open: () => this.#open(offset, bytes),
    }
  }

  #open(start: number, bytes: number): SnapshotReader {
    let file: FileHandle | undefined
    let isBusy = false
    let isDisposed = false
    this.#openReaders += 1
    return {
      read: async (target, offset) => {
        assert.ok(!isDisposed, 'a reader is not used after it was disposed of')
        assert.ok(!isBusy, 'a reader reads one thing at a time')
        assert.ok(target.byteLength > 0 && offset >= 0 && offset < bytes, 'a read lies within the snapshot')
        isBusy = true
        try {
          if (start + offset >= this.damagedFrom) throw new AnnalsError('LOG_DAMAGED', 'bytes are missing')
          file ??= await open(this.#file, 'r')
          const wanted = Math.min(target.byteLength, bytes - offset, this.readBytes)
          const { bytesRead } = await file.read(target, 0, wanted, start + offset)
          this.bytesRead += bytesRead
          return bytesRead
        } finally {
          isBusy = false
        }
      },
      [Symbol.asyncDispose]: async () => {
        assert.ok(!isBusy, 'a reader is not disposed of while it reads')
        assert.ok(!isDisposed, 'a reader is disposed of once')
        isDisposed = true
        this.#openReaders -= 1
        await file?.close()
      },
    }
  }
}
