// Records audit events from an application, and is never in its way: `record` resolves when the event is durable in the
// log, what cannot be sent at once waits in bounded memory or on disk, and nothing throws unless it is asked to.

import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Receipt } from './attempt.ts'
import { afterwards } from './afterwards.ts'
import { authorizationOf } from './authorization.ts'
import { Disk, type SharedParts } from './disk.ts'
import { AuditTrailError, type ClientErrorCode } from './errors.ts'
import { type AnyEvent, type AuditEvent, type EncodedEvent, eventEncoder } from './event.ts'
import { HttpClient } from './http-client.ts'
import { canBePutRight, type Item, Lane } from './lane.ts'
import { closeCutOffMs, closeDiskMs, closeTimeoutMs } from './limits.ts'
import { type AuditTrailOptions, type Dropped, type Settings, settingsOf } from './options.ts'
import { poster } from './poster.ts'
import { uuidMaker } from './uuid.ts'
import { Waiters } from './waiters.ts'
import { warner } from './warner.ts'

export type { Receipt } from './attempt.ts'
export { AuditTrailError, type ClientErrorCode } from './errors.ts'
export type { AnyEvent, AuditEvent, FieldValue, Worded } from './event.ts'
export type { Catalogue } from './catalogue.ts'
export type { AuditTrailOptions, Credentials, Dropped } from './options.ts'

/** What became of events so far, and what waits. */
export interface Stats {
  /** Events in memory, those under way among them, and those that are not on disk yet. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Events that the log has. */
  readonly recorded: number
  /** Events that it never will have, for what they are. */
  readonly refused: number
  /** Events that were lost for want of room, of time, or of a running client. */
  readonly dropped: number
  /** Events that were put on disk. */
  readonly spooled: number
  /** Bytes on disk. */
  readonly spoolBytes: number
  /** How often an event was sent again. */
  readonly retries: number
  /** Whether the last request failed. */
  readonly failing: boolean
}

/** Opens an audit trail. Nothing is sent before the first event. Throws a TypeError that names a wrong option. */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  return new AuditTrail(options)
}

interface InMemory {
  readonly events: number
  readonly bytes: number
}

type Told = (outcome: Receipt | AuditTrailError, line: string | undefined) => void

/** A way into one log. Close it, so that nothing that waits is lost. */
export class AuditTrail implements AsyncDisposable {
  readonly #options: AuditTrailOptions
  readonly #settings: Settings
  readonly #http: HttpClient
  readonly #encode: (event: AuditEvent) => EncodedEvent
  readonly #lane: Lane
  readonly #disk: Disk | undefined
  readonly #waiters = new Waiters()
  readonly #tell: (error: AuditTrailError, line: string | undefined) => void
  readonly #counts = { recorded: 0, refused: 0, dropped: 0, spooled: 0 }
  #untold: Dropped | undefined
  #closing: Promise<void> | undefined
  #isClosed = false
  // Aborted when nothing is waited for any more.
  readonly #end = new AbortController()

  /** As `openAuditTrail`. */
  constructor(options: AuditTrailOptions) {
    const settings = settingsOf(options)
    const { socketPath, ca, pin } = options
    // A request of each lane, and one for a token.
    const connections = 2 * settings.batch.inFlight + 1
    this.#options = options
    this.#settings = settings
    this.#tell = warner(options.onError)
    this.#http = new HttpClient({ socketPath, ca, pin, connections, timeoutMs: settings.requestTimeoutMs })
    const authorization = authorizationOf(options, {
      http: this.#http,
      origin: settings.origin,
      monotonicMs,
      timeoutMs: settings.requestTimeoutMs,
      signal: this.#end.signal,
    })
    const makeId = uuidMaker()
    this.#encode = eventEncoder({ makeId, now: Date.now, component: options.component })
    const parts: SharedParts = {
      post: poster({ http: this.#http, authorization, settings }),
      settings,
      makeId: randomUUID,
      monotonicMs,
      random: Math.random,
      moved: () => this.#waiters.look(),
    }
    const { giveUpAfterMs } = settings
    this.#lane = new Lane({ ...parts, giveUpAfterMs, isPatient: false, failed: () => undefined })
    this.#disk = settings.spool && this.#openDisk(settings.spool, parts)
  }

  /**
   * Records an event. Resolves with its receipt once it is durable in the log; with undefined where it is not recorded,
   * after `onError` was told, or where it waits in the spool. Rejects only with `throwErrors`.
   */
  record<const C extends number>(event: AuditEvent<C>): Promise<Receipt | undefined> {
    return this.#options.throwErrors === true ? this.recordOrThrow(event) : this.#recordQuietly(event)
  }

  /** Records an event. Rejects with an `AuditTrailError` where it is not recorded, or waits in the spool (SPOOLED). */
  recordOrThrow<const C extends number>(event: AuditEvent<C>): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#submit(event, (outcome) => {
        if (outcome instanceof AuditTrailError) reject(outcome)
        else resolve(outcome)
      })
    })
  }

  /**
   * Hands in an event to be sent later. With a spool, it resolves with the event's id once it is durable on disk, and it
   * is sent when the server can be reached, also by the next process; without one it waits in memory, and it resolves at
   * once. Resolves with undefined where it was not taken, after `onError` was told; with `throwErrors` it rejects.
   */
  enqueue<const C extends number>(event: AuditEvent<C>): Promise<string | undefined> {
    return this.#enqueue(event, this.#options.throwErrors === true)
  }

  /** As `enqueue`, for a log, which has nobody to throw at: it never rejects, with `throwErrors` neither. */
  enqueueQuietly(event: AnyEvent): Promise<string | undefined> {
    return this.#enqueue(event, false)
  }

  /**
   * Waits until nothing waits any more, in memory or on disk. False where it takes longer than that, or where the audit
   * trail is closed before. Never rejects.
   */
  async flush(timeoutMs = Infinity): Promise<boolean> {
    const endMs = monotonicMs() + timeoutMs
    await this.#over(this.#disk?.opened(), timeoutMs)
    await this.#waiters.until(() => this.#isDone || this.#isClosed, endMs - monotonicMs())
    return this.#isDone
  }

  /**
   * Resolves when there is room for many events, or when waiting for it is no use, for the server does not answer. What is
   * to be put on disk is waited for in any case.
   */
  async room(): Promise<void> {
    await this.#waiters.until(
      () =>
        !this.#isMuch(this.#unwritten, 1 / 2) && (this.#lane.isFailing || !this.#isMuch(this.#inLane, 1 / 2)),
    )
  }

  /**
   * Takes no more events, waits for those under way, and lets go of everything. What could not be sent in time stays in
   * the spool, or is dropped where there is none. Never rejects.
   */
  close(timeoutMs: number = closeTimeoutMs): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  /** What became of events so far. */
  stats(): Stats {
    return {
      ...this.#counts,
      waiting: this.#lane.waiting + this.#unwritten.events,
      waitingBytes: this.#lane.waitingBytes + this.#unwritten.bytes,
      spoolBytes: this.#disk?.bytes ?? 0,
      retries: this.#lane.retries + (this.#disk?.retries ?? 0),
      failing: this.#lane.isFailing || this.#disk?.isFailing === true,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #enqueue(event: AnyEvent, isToThrow: boolean): Promise<string | undefined> {
    let encoded: EncodedEvent | undefined
    try {
      encoded = this.#demandOpen(() => this.#encode(event as AuditEvent))
      await this.#put(encoded)
      return encoded.id
    } catch (error) {
      const failure = this.#counted(asFailure(error))
      if (isToThrow) throw failure
      this.#tell(failure, encoded?.line)
      return undefined
    }
  }

  #openDisk(spool: NonNullable<Settings['spool']>, parts: SharedParts): Disk {
    return new Disk({
      ...parts,
      spool,
      tell: this.#tell,
      settled: (outcome, line) => {
        if (outcome instanceof AuditTrailError) this.#tell(this.#counted(outcome), line)
        else this.#received()
      },
    })
  }

  #recordQuietly(event: AnyEvent): Promise<Receipt | undefined> {
    return new Promise((resolve) => {
      this.#submit(event, (outcome, line) => {
        if (!(outcome instanceof AuditTrailError)) return resolve(outcome)
        if (outcome.code !== 'SPOOLED') this.#tell(outcome, line)
        resolve(undefined)
      })
    })
  }

  #submit(event: AnyEvent, told: Told): void {
    let encoded: EncodedEvent
    try {
      encoded = this.#demandOpen(() => this.#encode(event as AuditEvent))
    } catch (error) {
      return told(this.#counted(asFailure(error)), undefined)
    }
    if (this.#isFull) return this.#overflow(encoded, told)
    this.#add(encoded, told)
  }

  #add(encoded: EncodedEvent, told: Told): void {
    const settle = (outcome: Receipt | AuditTrailError, item: Item): void => {
      if (!(outcome instanceof AuditTrailError)) {
        this.#received()
        told(outcome, item.line)
      } else if (this.#disk !== undefined && isWorthKeeping(outcome)) {
        void this.#spool(this.#disk, { ...item, hasOwnId: item.hasOwnId && !item.wasSent }, told)
      } else told(this.#counted(outcome), item.line)
    }
    this.#lane.add({ ...encoded, sinceMs: monotonicMs(), wasSent: false, settle })
  }

  #demandOpen<T>(work: () => T): T {
    if (this.#closing === undefined) return work()
    throw new AuditTrailError('CLOSED', 'the audit trail is closed')
  }

  get #isDone(): boolean {
    return this.#lane.waiting === 0 && this.#disk?.isIdle !== false
  }

  get #inLane(): InMemory {
    return { events: this.#lane.waiting, bytes: this.#lane.waitingBytes }
  }

  get #unwritten(): InMemory {
    return this.#disk?.unwritten ?? { events: 0, bytes: 0 }
  }

  #isMuch({ events, bytes }: InMemory, share = 1): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#settings
    return events >= maxWaiting * share || bytes >= maxWaitingBytes * share
  }

  // What is given up goes to the disk in any case, so both together are bounded too: a disk that stands still does not take
  // it out of memory.
  get #isFull(): boolean {
    const [lane, disk] = [this.#inLane, this.#unwritten]
    const both = { events: lane.events + disk.events, bytes: lane.bytes + disk.bytes }
    return this.#isMuch(lane) || this.#isMuch(both, 2)
  }

  #overflow(encoded: EncodedEvent, told: Told): void {
    if (this.#disk === undefined) told(this.#counted(full('FULL')), encoded.line)
    else if (this.#isMuch(this.#unwritten)) told(this.#counted(full('SPOOL_FULL')), encoded.line)
    else void this.#spool(this.#disk, encoded, told)
  }

  async #put(encoded: EncodedEvent): Promise<void> {
    if (this.#disk !== undefined) {
      if (this.#isMuch(this.#unwritten)) throw full('SPOOL_FULL')
      await this.#append(this.#disk, encoded)
      return
    }
    if (this.#isFull) throw full('FULL')
    this.#add(encoded, (outcome, line) => {
      if (outcome instanceof AuditTrailError) this.#tell(outcome, line)
    })
  }

  // Never throws.
  async #spool(disk: Disk, encoded: EncodedEvent, told: Told): Promise<void> {
    try {
      await this.#append(disk, encoded)
      told(new AuditTrailError('SPOOLED', 'the event waits on disk', { id: encoded.id }), encoded.line)
    } catch (error) {
      told(this.#counted(asFailure(error)), encoded.line)
    }
  }

  async #append(disk: Disk, encoded: EncodedEvent): Promise<void> {
    try {
      await disk.append(encoded)
      this.#counts.spooled += 1
    } finally {
      this.#waiters.look()
    }
  }

  #received(): void {
    this.#counts.recorded += 1
    if (this.#untold !== undefined && this.#closing === undefined) this.#tellDropped(this.#untold)
  }

  #tellDropped(dropped: Dropped): void {
    this.#untold = undefined
    try {
      const event = this.#options.onDrop?.(dropped)
      if (event !== undefined) void this.#recordQuietly(event)
    } catch (cause) {
      this.#tell(new AuditTrailError('INVALID_EVENT', 'onDrop throws', { cause }), undefined)
    }
  }

  #counted(error: AuditTrailError): AuditTrailError {
    if (isLoss(error)) {
      this.#counts.dropped += 1
      const { count, since } = this.#untold ?? { count: 0, since: new Date() }
      this.#untold = { count: count + 1, since }
    } else this.#counts.refused += 1
    return error
  }

  async #close(timeoutMs: number): Promise<void> {
    const endMs = monotonicMs() + timeoutMs
    await this.#over(this.#disk?.opened(), timeoutMs)
    const isEnough = () => this.#isDone || (this.#lane.waiting === 0 && this.#disk?.isFailing === true)
    await this.#waiters.until(isEnough, endMs - monotonicMs())
    for (const item of this.#lane.stop()) item.settle(closedTooEarly(), item)
    this.#disk?.stop()
    this.#http[Symbol.dispose]()
    this.#end.abort()
    // Requests that were cut off just now say so at once.
    const isAtRest = () => this.#lane.waiting === 0 && this.#disk?.isAtRest !== false
    await this.#waiters.until(isAtRest, closeCutOffMs)
    await this.#over(this.#disk?.close(), closeDiskMs)
    this.#isClosed = true
    this.#waiters.look()
  }

  // Waits for what never rejects, and no longer: a disk may stand still.
  async #over(work: Promise<void> | undefined, timeoutMs: number): Promise<void> {
    let isOver = work === undefined
    const end = (): void => {
      isOver = true
      this.#waiters.look()
    }
    if (work !== undefined) void afterwards(work, end)
    await this.#waiters.until(() => isOver, timeoutMs)
  }
}

/** Milliseconds of a clock that never steps back. */
function monotonicMs(): number {
  return performance.now()
}

function isWorthKeeping(error: AuditTrailError): boolean {
  return error.code === 'GIVEN_UP' || error.code === 'CLOSED' || canBePutRight(error)
}

const losses: ReadonlySet<string> = new Set<ClientErrorCode>([
  'FULL',
  'SPOOL_FULL',
  'SPOOL_FAILED',
  'GIVEN_UP',
  'CLOSED',
])

function isLoss({ code }: AuditTrailError): boolean {
  return losses.has(code)
}

function full(code: 'FULL' | 'SPOOL_FULL'): AuditTrailError {
  const what = code === 'FULL' ? 'the audit trail' : "the spool's disk"
  return new AuditTrailError(code, `too many events wait for ${what}`)
}

function closedTooEarly(): AuditTrailError {
  return new AuditTrailError('CLOSED', 'the audit trail was closed before the event was sent')
}

// What the client throws itself is an `AuditTrailError`; all else is what a wrong event makes it do.
function asFailure(error: unknown): AuditTrailError {
  if (error instanceof AuditTrailError) return error
  return new AuditTrailError('INVALID_EVENT', 'the event cannot be read', { cause: error })
}
