// One file that is followed: read to its end, looked at again and again, and let go when it was rotated away and nobody
// writes to it any more.

import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Micros } from '../../entry/event.ts'
import { isAnnalsError } from '../../errors.ts'
import { errorCode } from '../../store/disk.ts'
import type { LineSource } from './event-of-followed.ts'
import { HeldFile } from './held-file.ts'
import { LineReader, type ReaderParts } from './line-reader.ts'
import { type FileIdentity, identityOf, isInDoubt, isOne, noticeId, type Place, toStart } from './place.ts'
import { findFile } from './rotated.ts'
import type { FollowTiming } from './timing.ts'
import type { Turns } from './turns.ts'

const missesThatCount = 3

/** Lines that may have been lost. */
export interface Suspicion {
  /** The same for the same suspicion. */
  readonly id: string
  readonly file: string
  readonly reason: string
}

/** What all followed files share. */
export interface FollowParts extends ReaderParts {
  readonly turns: Turns
  /** How many files are held open, and may be. */
  readonly open: { count: number; readonly most: number }
  /** True where others wait to be followed. */
  readonly isCrowded: () => boolean
  /** What lies in here is never read. */
  readonly except: string
  readonly clock: { wallMicros(): Micros; monotonicMicros(): Micros }
  readonly timing: FollowTiming
  readonly logger: FollowLogger
  /** Records that lines may have been lost; resolves once that is durable. */
  readonly suspect: (suspicion: Suspicion) => Promise<void>
  /** Says that a file has begun again, or is gone: what was in it before may lie beside its path. */
  readonly lookBeside: (path: string) => void
  readonly newId: () => string
}

/** Where what an operator should know is said. */
export interface FollowLogger {
  info(context: object, message: string): void
  warn(context: object, message: string): void
  error(context: object, message: string): void
}

/** A file that is followed. */
export class FollowedFile {
  readonly place: Place
  readonly #parts: FollowParts
  readonly #file: HeldFile
  readonly #reader: LineReader
  /** As it was at the last look that read all of it. */
  #looked: { readonly size: bigint; readonly mtimeNs: bigint } | undefined
  #grew: Micros
  #problem: string | undefined
  #misses = 0
  // Who waits for its end, and how many of them did when the present look began.
  readonly #waiting: (() => void)[] = []
  #due = 0
  #isOver = false

  /** `at` is the path that the file has now, as far as is known. */
  constructor(parts: FollowParts, place: Place, source: LineSource, at: string = place.path) {
    this.#parts = parts
    this.place = place
    this.#file = new HeldFile(place, parts.open, at, parts.except)
    this.#reader = new LineReader(parts, place, source)
    this.#grew = parts.clock.monotonicMicros()
  }

  /** The bytes that are not recorded yet, as far as is known. */
  get behindBytes(): number {
    return Math.max(0, this.place.size - this.place.offset)
  }

  /** Why the file cannot be read; undefined where it can. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Resolves when it has been found to be read to its end, from now on, or cannot be read. */
  async drained(): Promise<void> {
    if (!this.#isOver) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #drain(count = this.#due): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve()
    this.#due = 0
  }

  /** True where it is this file that was seen at a path, as far as can be told without reading it. */
  isAt(path: string, identity: FileIdentity): boolean {
    const { place } = this
    if (!isOne(identity, place.identity)) return false
    return this.#file.isOpen || path === place.path || !isInDoubt(identity, place.identity)
  }

  /** Says that the file has been seen at a path. */
  seenAt(path: string): void {
    this.place.seen = this.#parts.clock.wallMicros()
    this.#file.seenAt(path)
  }

  /**
   * Follows the file, after `predecessors` have been read, until it is let go or `stopping` aborts. Throws what makes
   * recording pointless.
   */
  async run(predecessors: readonly FollowedFile[]): Promise<void> {
    const { stopping, places, aborted } = this.#parts
    try {
      // The id must not be another one after a crash, once a line has been recorded under it.
      await places.keepSurely(stopping)
      // Held open while it waits, so that it may be renamed and removed meanwhile.
      if (predecessors.length > 0) await this.#tryTo(() => this.#opened())
      await untilAborted(Promise.all(predecessors.map((each) => each.drained())), stopping)
      while (!stopping.aborted) {
        const pauseMs = await this.#tryTo(() => this.#look())
        if (pauseMs === undefined) return
        if (typeof pauseMs === 'number' && pauseMs > 0) await sleep(pauseMs, undefined, { signal: stopping })
      }
    } catch (error) {
      if (!stopping.aborted && !aborted.aborted) throw error
    } finally {
      this.#isOver = true
      this.#drain(this.#waiting.length)
      await this.#file.close()
    }
  }

  // What the file system refuses may be granted later.
  async #tryTo<T>(work: () => Promise<T>): Promise<T | number> {
    try {
      return await work()
    } catch (error) {
      const code = errorCode(error)
      if (isAnnalsError(error) || code === undefined || code === 'ABORT_ERR') throw error
      return await this.#cannotRead(code)
    }
  }

  async #cannotRead(problem: string): Promise<number> {
    await this.#file.close()
    // Whoever waits for this file would wait for as long as it cannot be read.
    this.#drain(this.#waiting.length)
    if (this.#problem === undefined)
      this.#parts.logger.warn({ file: this.#file.at, problem }, 'a followed file cannot be read; trying on')
    this.#problem = problem
    return this.#parts.timing.retryMs
  }

  /** One look. How long to wait before the next; undefined where the file is let go. */
  async #look(): Promise<number | undefined> {
    this.#due = this.#waiting.length
    if (!this.#file.isOpen && this.#looked !== undefined) {
      const unopened = await this.#file.look()
      if (unopened !== undefined && this.#isAsLooked(unopened)) return await this.#atRest(unopened)
    }
    const handle = await this.#opened()
    if (handle === 'away') return await this.#away()
    if (handle === 'gone') return await this.#gone()
    this.#misses = 0
    if (this.#problem !== undefined)
      this.#parts.logger.info({ file: this.#file.at }, 'a followed file can be read again')
    this.#problem = undefined
    const stats = await handle.stat({ bigint: true })
    return this.#isAsLooked(stats) ? await this.#atRest(stats) : await this.#read(handle, stats)
  }

  #isAsLooked({ size, mtimeNs }: BigIntStats): boolean {
    return size === this.#looked?.size && mtimeNs === this.#looked.mtimeNs
  }

  async #opened(): Promise<FileHandle | 'away' | 'gone'> {
    const opened = await this.#file.open()
    if (typeof opened === 'string') return opened
    const { handle, known } = opened
    if (known === 'other') await this.#beginAgain(await handle.stat({ bigint: true }))
    else if (known !== undefined) this.#reader.begin(known)
    return handle
  }

  async #read(handle: FileHandle, stats: BigIntStats): Promise<number | undefined> {
    const look = await this.#parts.turns.take((buffer) => this.#reader.read(handle, buffer, false))
    if (look === undefined) {
      if (this.place.isSettled) return this.#over()
      await this.#beginAgain(stats)
      return 0
    }
    if (look.bytes > 0) this.#grew = this.#parts.clock.monotonicMicros()
    // What has come since its status was asked for is seen at the next look.
    this.#looked = look.isWhole ? stats : undefined
    // Whoever waits for its end need not wait for longer than to see that it is.
    return look.isWhole && this.#waiting.length === 0 ? this.#parts.timing.lookMs : 0
  }

  // Nothing has come since the last look.
  async #atRest(stats: BigIntStats): Promise<number | undefined> {
    const { place } = this
    const { timing, open } = this.#parts
    const quietMs = this.#quietMs
    if (BigInt(place.offset) === stats.size) this.#drain()
    const successor = await findFile(place.path)
    if (successor !== undefined && isOne(successor.identity, place.identity)) {
      if (open.count > open.most) await this.#file.close()
      // One that is held open would be read to its end where it is removed.
      if (this.#isLong(quietMs) && !this.#file.isOpen && BigInt(place.offset) === stats.size)
        return this.#letGo(stats.mtimeNs)
      return quietMs < timing.restMs ? timing.lookMs : timing.restLookMs
    }
    if (quietMs < timing.settleMs) return timing.lookMs
    if (!place.isSettled) await this.#settle(stats)
    // Where there is no other file at the path, whoever writes may go on writing to this one.
    const isRemoved = stats.nlink === 0n
    const isOver = quietMs >= (isRemoved ? timing.removedMs : timing.rotatedMs)
    return isOver && place.isSettled && (isRemoved || successor !== undefined) ? undefined : timing.restLookMs
  }

  get #quietMs(): number {
    return (this.#parts.clock.monotonicMicros() - this.#grew) / 1000
  }

  #isLong(quietMs: number): boolean {
    const { timing, isCrowded } = this.#parts
    return quietMs >= (isCrowded() ? timing.restMs : timing.letGoMs)
  }

  // Whoever makes directories and removes them would otherwise take all others the place away.
  async #away(): Promise<number | undefined> {
    return this.#isLong(this.#quietMs) ? this.#letGo(0n) : await this.#cannotRead('ENOENT')
  }

  // `changed` is the time of the file's last change, zero where nobody can say what has become of it.
  #letGo(changed: bigint): undefined {
    this.place.quietSince = String(changed)
    this.#parts.places.changed(0)
  }

  // The last line of a file that is complete needs no newline.
  async #settle({ size }: BigIntStats): Promise<void> {
    const { place } = this
    if (BigInt(place.offset) !== size) {
      const handle = await this.#opened()
      if (typeof handle === 'string') return
      const look = await this.#parts.turns.take((buffer) => this.#reader.read(handle, buffer, true))
      // Whatever else is to be done is done at the next look.
      if (look?.isWhole !== true) this.#looked = undefined
    }
    if (BigInt(place.offset) < size) return
    place.isSettled = true
    this.#parts.places.changed(0)
    this.#drain()
  }

  // A crash before the new id is kept: the same is suspected again, under the same id.
  async #beginAgain(stats: BigIntStats): Promise<void> {
    const { place } = this
    const { places, newId, aborted } = this.#parts
    const what = stats.size < BigInt(place.offset) ? 'truncated' : 'truncated or replaced'
    if (!place.isSettled && place.offset > 0) await this.#suspect(what)
    toStart(place, newId(), identityOf(stats))
    this.#reader.begin(undefined)
    this.#looked = undefined
    places.changed(0)
    await places.keepSurely(aborted)
    this.#parts.lookBeside(place.path)
  }

  // While files are renamed one may be overlooked: it must be missing several times.
  async #gone(): Promise<number | undefined> {
    const { place } = this
    this.#misses += 1
    if (this.#misses < missesThatCount) return this.#parts.timing.lookMs
    if (place.isSettled) return this.#over()
    await this.#suspect('removed')
    place.isSettled = true
    this.#parts.places.changed(0)
    return this.#over()
  }

  // What was copied over a file that was rotated away, or moved from its path, is another file.
  #over(): undefined {
    this.#parts.lookBeside(this.place.path)
  }

  async #suspect(what: string): Promise<void> {
    const { id, path, offset } = this.place
    const missing =
      this.behindBytes > 0
        ? `at least ${this.behindBytes} bytes were not`
        : 'what was written after that is not known'
    const reason = `the file was ${what} after ${offset} bytes of it were recorded; ${missing}`
    this.#parts.logger.warn({ file: path, reason }, 'lines of a followed file may have been lost')
    await this.#parts.suspect({ id: noticeId(id, what), file: path, reason })
  }
}

async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  await Promise.race([work, promise])
  signal.removeEventListener('abort', stop)
}
