// Followed files: the lines that programs write into files of their own become entries. Patterns are looked through again
// and again for new files; what was at a path before is read to its end before what is there now.

import { randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditEvent, Micros } from '../../entry/event.ts'
import type { FileMapping } from '../../entry/file-mapping.ts'
import { selfEvent } from '../../entry/self-event.ts'
import { isAnnalsError } from '../../errors.ts'
import {
  deliveryRetryMostMs,
  followFiles as mostFiles,
  followNewest,
  followOpenFiles,
  followPaths,
  followReadBytes,
  followReaders,
  followScanMostMs,
  followScanPause,
} from '../../limits.ts'
import { type Disk, errorCode } from '../../store/disk.ts'
import type { Intake } from '../intake.ts'
import type { LineSource } from './event-of-followed.ts'
import { FollowedFile, type FollowLogger, type FollowParts, type Suspicion } from './followed-file.ts'
import { NamedFiles } from './named-files.ts'
import { isBarred } from './open-file.ts'
import { absolutePatterns, isNamedBy } from './patterns.ts'
import {
  type FileIdentity,
  isInDoubt,
  isOne,
  isRead,
  keyOf,
  mayBeSame,
  type Place,
  placeAtStart,
  placeInCopy,
} from './place.ts'
import { Places } from './places.ts'
import { RecentTimes } from './recent-times.ts'
import { findFile, type FoundFile, isAway, isStill, missedFiles } from './rotated.ts'
import { type FollowTiming, followTiming } from './timing.ts'
import { Turns } from './turns.ts'

/** What following needs. */
export interface FollowOptions {
  /** Which files: paths, or patterns (`patterns.ts`). */
  readonly patterns: readonly string[]
  /** How JSON lines are read. Of several that fit a file, the first counts. */
  readonly mappings: readonly FileMapping[]
  /** Where places are kept. Nobody else may write there. */
  readonly directory: string
  /** Files in here are never followed: the node's own log would grow without end. */
  readonly except: string
  readonly disk: Disk
  readonly intake: Pick<Intake, 'deliverAll' | 'hostName' | 'component'>
  /** The zone of times without an offset, an IANA name. */
  readonly timeZone: string
  readonly clock: { wallMicros(): Micros; monotonicMicros(): Micros }
  readonly logger: FollowLogger
  /** Records an event of the node's own; resolves once it is durable. */
  readonly recordSelf: (event: AuditEvent) => Promise<void>
  /** Makes the ids of files; at random unless it is given. */
  readonly newId?: () => string
  /** For tests. */
  readonly timing?: FollowTiming
  readonly bounds?: { readonly files: number; readonly openFiles: number }
}

/** What is being followed. */
export interface FollowStatus {
  readonly files: number
  readonly openFiles: number
  /** Files that were let go, because nothing came for long, until something comes. */
  readonly quietFiles: number
  /** Files that cannot be read at the moment. */
  readonly unreadableFiles: number
  /** Files for which there is no room. */
  readonly leftOutFiles: number
  /** Bytes that are there and not recorded yet. */
  readonly behindBytes: number
}

/** Files that are followed. Disposing it records what has been read, keeps the places, and stops. */
export interface FollowedFiles extends AsyncDisposable {
  status(): FollowStatus
}

/** Begins to follow. Throws STORAGE_FAILED where the places cannot be read. */
export async function followFiles(options: FollowOptions): Promise<FollowedFiles> {
  const { disk, directory, logger } = options
  const places = await Places.open(disk, directory, (error) =>
    logger.warn({ err: error }, 'the places in followed files cannot be kept; trying on'),
  )
  const follower = new Follower(options, places)
  follower.start()
  return follower
}

interface Unfollowed {
  readonly found: FoundFile
  readonly place: Place | undefined
  /** True where so many newer ones are there that it cannot be remembered. */
  readonly isOld: boolean
}

class Follower implements FollowedFiles {
  readonly #options: FollowOptions
  readonly #patterns: readonly string[]
  readonly #places: Places
  readonly #parts: FollowParts
  readonly #newId: () => string
  readonly #timing: FollowTiming
  readonly #stopping = new AbortController()
  readonly #aborted = new AbortController()
  readonly #files = new Map<string, FollowedFile>()
  readonly #runs = new Set<Promise<void>>()
  readonly #named: NamedFiles
  readonly #bounds: { readonly files: number; readonly openFiles: number }
  readonly #unsure = new Set<string>()
  readonly #barred = new Set<string>()
  readonly #troubled = new Set<string>()
  #left = 0
  #leftSaid: Micros = -Infinity

  constructor(options: FollowOptions, places: Places) {
    this.#options = options
    this.#patterns = absolutePatterns(options.patterns)
    this.#places = places
    this.#newId = options.newId ?? randomUUID
    this.#timing = options.timing ?? followTiming
    this.#named = new NamedFiles(this.#patterns, options.except, options.logger)
    this.#bounds = options.bounds ?? { files: mostFiles, openFiles: followOpenFiles }
    this.#parts = {
      intake: options.intake,
      places,
      turns: new Turns(followReaders, followReadBytes),
      open: { count: 0, most: this.#bounds.openFiles },
      isCrowded: () => this.#left > 0,
      except: options.except,
      clock: options.clock,
      timing: this.#timing,
      logger: options.logger,
      suspect: (suspicion) => this.#suspect(suspicion),
      lookBeside: (path) => void this.#unsure.add(path),
      newId: this.#newId,
      stopping: this.#stopping.signal,
      aborted: this.#aborted.signal,
    }
  }

  start(): void {
    // Those that were not read to their end, wherever they are now, or that may go on; those of one path in their order.
    const lately = this.#options.clock.wallMicros() - this.#timing.rotatedMs * 1000
    const places = this.#places.all().filter(({ isSettled, quietSince, seen, path }) => {
      if (quietSince !== undefined || !this.#isNamed(path)) return false
      return !isSettled || seen >= lately
    })
    for (const place of places) this.#follow(place, place.path, this.#filesOf(place.path))
    // Copies of what was truncated may not have been looked for any more.
    for (const { former, path } of this.#places.all()) if (former.length > 0) this.#unsure.add(path)
    this.#run(this.#scanAgainAndAgain())
    this.#run(this.#keepAgainAndAgain())
  }

  status(): FollowStatus {
    const files = [...this.#files.values()]
    return {
      files: files.length,
      openFiles: this.#parts.open.count,
      quietFiles: this.#places.all().filter(({ quietSince }) => quietSince !== undefined).length,
      unreadableFiles: files.filter(({ problem }) => problem !== undefined).length + this.#named.problems,
      leftOutFiles: this.#left,
      behindBytes: files.reduce((sum, { behindBytes }) => sum + behindBytes, 0),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    const deadline = setTimeout(() => this.#aborted.abort(), this.#timing.stopMs)
    while (this.#runs.size > 0) await Promise.all(this.#runs)
    clearTimeout(deadline)
    await this.#keep()
  }

  // Whatever makes recording pointless ends this only; what ends the log ends the node.
  #run(work: Promise<void>): void {
    const run = work
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted)
          this.#options.logger.error({ err: error }, 'files cannot be followed any more')
      })
      .finally(() => this.#runs.delete(run))
    this.#runs.add(run)
  }

  async #scanAgainAndAgain(): Promise<void> {
    const { signal } = this.#stopping
    const { clock } = this.#options
    for (;;) {
      const began = clock.monotonicMicros()
      await this.#attempt('', () => this.#scan())
      const tookMs = (clock.monotonicMicros() - began) / 1000
      const pauseMs = Math.min(followScanPause * tookMs, followScanMostMs)
      await sleep(Math.max(this.#timing.scanMs, pauseMs), undefined, { signal })
    }
  }

  // What the file system refuses may be granted later, and is about one path: the others go on.
  async #attempt(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#troubled.delete(path)
    } catch (error) {
      const code = errorCode(error)
      if (isAnnalsError(error) || code === undefined || code === 'ABORT_ERR') throw error
      const fields = path === '' ? {} : { file: path }
      if (!this.#troubled.has(path))
        this.#options.logger.warn({ err: error, ...fields }, 'followed files cannot be looked for; trying on')
      this.#troubled.add(path)
    }
  }

  async #keepAgainAndAgain(): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      await sleep(this.#timing.saveMs, undefined, { signal })
      await this.#places.keepSurely(signal)
    }
  }

  async #scan(): Promise<void> {
    // While files are renamed one may be overlooked.
    const unsure = [...this.#unsure]
    for (const path of unsure) await this.#attempt(path, () => this.#lookBeside(path))
    const now = this.#options.clock.wallMicros()
    const { files, isCut } = await this.#named.look()
    const newFiles = await this.#unfollowed(
      newestFirst(files, followNewest, ({ stats }) => stats),
      now,
    )
    const left = [...(await this.#followMoved(now)), ...(await this.#followAll(newFiles, now))]
    this.#sayLeft(left, isCut)
    const inUse = this.#inUse()
    this.#places.forgetOld(now, (place) => inUse.has(place))
  }

  // Where that is asked for meanwhile, it is done again.
  async #lookBeside(path: string): Promise<void> {
    let isSure = false
    this.#unsure.delete(path)
    try {
      isSure = await this.#followMissed(path)
    } finally {
      if (!isSure) this.#unsure.add(path)
    }
  }

  // Those that nobody reads at the moment, and in which there may be something.
  async #unfollowed(files: readonly FoundFile[], now: Micros): Promise<Unfollowed[]> {
    const byInode = Map.groupBy(this.#places.all(), ({ identity }) => identity.inode)
    const inUse = this.#inUse()
    const unfollowed: Unfollowed[] = []
    for (const [k, found] of files.entries()) {
      const { path, identity, stats } = found
      const file = this.#files.get(keyOf(identity))
      if (file?.isAt(path, identity) === true) {
        file.seenAt(path)
        continue
      }
      await this.#attempt(path, async () => {
        const place = await this.#placeOf(found, byInode.get(identity.inode) ?? [])
        if (place === undefined) return void unfollowed.push({ found, place, isOld: k >= followNewest })
        place.seen = now
        if (!isRead(place, stats) && !inUse.has(place)) unfollowed.push({ found, place, isOld: false })
      })
    }
    return unfollowed
  }

  async #placeOf(found: FoundFile, candidates: readonly Place[]): Promise<Place | undefined> {
    const { path, identity, stats } = found
    for (const place of candidates) {
      const { device } = place.identity
      if (!mayBeSame(place.identity, identity) || (device !== identity.device && place.path !== path))
        continue
      const isCertain = path === place.path || !isInDoubt(place.identity, identity)
      // One that was rotated away does not begin again.
      const isPlain = isCertain && (!place.isSettled || isRead(place, stats))
      if (isPlain || (await this.#isStill(found, place))) return place
    }
    return undefined
  }

  #isStill(found: FoundFile, place: Place): Promise<boolean> {
    return isStill(found, place, this.#options.except)
  }

  // Those that were let go, and are not at their paths any more. Returns those for which there is no room.
  async #followMoved(now: Micros): Promise<string[]> {
    const left: string[] = []
    const inUse = this.#inUse()
    for (const place of this.#places.all()) {
      const { path, quietSince, seen } = place
      if (quietSince === undefined || seen === now || inUse.has(place) || !this.#isNamed(path)) continue
      await this.#attempt(path, async () => {
        const there = await findFile(path)
        const isThere = there !== undefined && isOne(there.identity, place.identity)
        if (isThere && isRead(place, there.stats)) place.seen = now
        else if (there === undefined && isAway(path)) return
        else if (this.#isFull) left.push(path)
        else this.#follow(place, path, this.#filesOf(path))
      })
    }
    return left
  }

  // Returns those that are left out.
  async #followAll(unfollowed: readonly Unfollowed[], now: Micros): Promise<string[]> {
    const left: string[] = []
    const room = this.#bounds.files - this.#files.size
    for (const each of newestFirst(unfollowed, room, ({ found: { stats } }) => stats)) {
      const { path } = each.found
      if (each.isOld || this.#isFull) left.push(path)
      else await this.#attempt(path, () => this.#followOne(each, now))
    }
    return left
  }

  async #followOne({ found, place: known }: Unfollowed, now: Micros): Promise<void> {
    const { path, identity, stats } = found
    if (await this.#leadsInside(path)) return
    // Since it was looked at it may have been followed: under another name, or as one that was missed at another path.
    const candidates = this.#places.all().filter((place) => place.identity.inode === identity.inode)
    const place = known ?? (await this.#placeOf(found, candidates))
    if (place === undefined) await this.#followNew(found, now)
    else if (!isRead(place, stats) && !this.#inUse().has(place)) this.#follow(place, path, [])
  }

  // A link may lead to what is never followed: the log itself would grow by itself, and keys would be in it.
  async #leadsInside(path: string): Promise<boolean> {
    const { except, logger } = this.#options
    if (!(await isBarred(except, path))) return false
    if (!this.#barred.has(path))
      logger.warn(
        { file: path },
        'a followed path leads into the data directory of this node, or to what the system says of processes, and is left out',
      )
    this.#barred.add(path)
    return true
  }

  async #followNew({ path, identity }: FoundFile, now: Micros): Promise<void> {
    const isFirst = !this.#places.all().some((place) => place.path === path)
    if (!isFirst) {
      this.#unsure.add(path)
      await this.#attempt(path, async () => void (await this.#followMissed(path, identity)))
    }
    const before = this.#filesOf(path)
    const place = placeAtStart(this.#newId(), path, identity, now)
    this.#places.add(place)
    this.#follow(place, path, before)
    this.#options.logger.info({ file: path }, 'a file is followed')
  }

  // Those that were at the path between two looks, or while this node did not run. True where there are none.
  async #followMissed(path: string, present?: FileIdentity): Promise<boolean> {
    const { clock, except } = this.#options
    const now = clock.wallMicros()
    const [first, ...others] = this.#places.all().filter((place) => place.path === path)
    if (first === undefined) return true
    const byKey = Map.groupBy(this.#places.all(), ({ identity }) => keyOf(identity))
    const isKnown = async (found: FoundFile) =>
      (present !== undefined && isOne(found.identity, present)) ||
      (await this.#isKnown(found, path, byKey.get(keyOf(found.identity)) ?? [], now))
    const missed = await missedFiles({ path, earlier: [first, ...others], isKnown, except })
    for (const { file, copied } of missed) {
      const before = this.#filesOf(path)
      const place =
        copied === undefined
          ? placeAtStart(this.#newId(), path, file.identity, now)
          : placeInCopy(copied, path, file.identity, now)
      place.isSettled = BigInt(place.offset) === file.stats.size
      this.#places.add(place)
      if (!place.isSettled) this.#follow(place, file.path, before)
    }
    return missed.length === 0
  }

  // `places` are those in files that had its inode.
  async #isKnown(found: FoundFile, path: string, places: readonly Place[], now: Micros): Promise<boolean> {
    const { identity, stats, path: at } = found
    if (this.#files.get(keyOf(identity))?.isAt(at, identity) === true) return true
    let isKnown = false
    for (const place of places.filter((each) => isOne(each.identity, identity))) {
      // Whether those of other paths are what they were is seen when these are looked for.
      if (place.path !== path || this.#inUse().has(place)) isKnown = true
      else if (await this.#isStill(found, place)) {
        this.#seeAgain(place, at, stats.size, now)
        isKnown = true
      } else if (place.isSettled && !isInDoubt(place.identity, identity)) {
        // Somebody has copied another generation over it.
        this.#places.remove(place)
      }
    }
    return isKnown
  }

  // A program may go on into a file that was rotated away and read to its end, also while this node did not run.
  #seeAgain(place: Place, at: string, size: bigint, now: Micros): void {
    place.seen = now
    if (!place.isSettled || size <= BigInt(place.offset) || this.#inUse().has(place)) return
    place.isSettled = false
    this.#follow(place, at, [])
  }

  #follow(place: Place, at: string, before: readonly FollowedFile[]): FollowedFile {
    const key = keyOf(place.identity)
    place.quietSince = undefined
    const file = new FollowedFile(this.#parts, place, this.#sourceOf(place.path), at)
    this.#files.set(key, file)
    const letGo = () => {
      if (this.#files.get(key) === file) this.#files.delete(key)
    }
    this.#run(file.run(before).finally(letGo))
    return file
  }

  #filesOf(path: string): FollowedFile[] {
    return [...this.#files.values()].filter(({ place }) => place.path === path)
  }

  #inUse(): ReadonlySet<Place> {
    return new Set(Array.from(this.#files.values(), ({ place }) => place))
  }

  get #isFull(): boolean {
    return this.#files.size >= this.#bounds.files
  }

  #isNamed(path: string): boolean {
    return this.#patterns.some((pattern) => isNamedBy(pattern, path))
  }

  #sourceOf(path: string): LineSource {
    const { mappings, timeZone, intake } = this.#options
    return {
      by: path,
      hostName: intake.hostName,
      component: intake.component,
      mapping: mappings.find(({ pattern }) => isNamedBy(pattern, path)),
      times: new RecentTimes(timeZone),
    }
  }

  // Again and again while it lasts, but not all the time.
  #sayLeft(left: readonly string[], isCut: boolean): void {
    this.#left = left.length
    const [file] = left
    const { clock, logger } = this.#options
    const now = clock.monotonicMicros()
    if (now < this.#leftSaid + this.#timing.letGoMs * 1000) return
    if (isCut) logger.warn({ paths: followPaths }, 'patterns name more paths than are looked at')
    if (file !== undefined) {
      const { files } = this.#bounds
      const reason = `it is left out, with ${left.length - 1} other files: ${files} files are followed already, or ${followNewest} newer ones are there`
      logger.warn({ file, files: left.length }, 'no more files can be followed: some are left out')
      this.#run(this.#suspect({ id: randomUUID(), file, reason }))
    }
    if (isCut || file !== undefined) this.#leftSaid = now
  }

  async #suspect({ id, file, reason }: Suspicion): Promise<void> {
    const { intake, recordSelf } = this.#options
    const { hostName, component } = intake
    const fields = { file, reason }
    const event = selfEvent({ id, code: 29073, actor: '*system', hostName, component, fields })
    for (;;) {
      try {
        return await recordSelf(event)
      } catch (error) {
        // It was said before a crash, in other words.
        if (isAnnalsError(error, 'ID_CONFLICT')) return
        if (!isAnnalsError(error) || error.code === 'UNAVAILABLE') throw error
      }
      await sleep(deliveryRetryMostMs, undefined, { signal: this.#aborted.signal })
    }
  }

  async #keep(): Promise<void> {
    await this.#places
      .keep()
      .catch((error: unknown) =>
        this.#options.logger.warn({ err: error }, 'the places in followed files could not be kept'),
      )
  }
}

// All of them; where there are more than `most`, in the order of their last change.
function newestFirst<T>(all: readonly T[], most: number, statsOf: (each: T) => BigIntStats): readonly T[] {
  if (all.length <= most) return all
  return all.toSorted((a, b) => Number(statsOf(b).mtimeNs - statsOf(a).mtimeNs))
}
