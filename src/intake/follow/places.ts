// Where the places of all followed files are kept: one small file, replaced as a whole. A place is kept after the lines
// before it are durable. A crash in between reads those lines again, and they are recognised by their ids (I4); for
// that, only so many may be recorded whose place is not kept yet.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import type { Micros } from '../../entry/event.ts'
import { AnnalsError } from '../../errors.ts'
import { followForgetMicros, followPlaces, followRetryMs, followUnsavedLines } from '../../limits.ts'
import type { Disk } from '../../store/disk.ts'
import { readWhole, replaceFile } from '../../store/durable-file.ts'
import type { Place } from './place.ts'

const mark = Type.Object({ bytes: Type.Number(), sha256: Type.String() })

const keptPlace = Type.Object({
  id: Type.String(),
  path: Type.String(),
  identity: Type.Object({
    device: Type.String(),
    inode: Type.String(),
    born: Type.Optional(Type.String()),
    isFresh: Type.Optional(Type.Boolean()),
  }),
  since: Type.Number(),
  seen: Type.Number(),
  offset: Type.Number(),
  isWithin: Type.Boolean(),
  lines: Type.Number(),
  size: Type.Number(),
  head: mark,
  tail: mark,
  restarts: Type.Number(),
  former: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        offset: Type.Number(),
        isWithin: Type.Boolean(),
        head: mark,
        tail: mark,
      }),
    ),
  ),
  isSettled: Type.Boolean(),
  quietSince: Type.Optional(Type.String()),
})

const keptPlaces = Type.Object({ version: Type.Literal(1), places: Type.Array(keptPlace) })

const fileName = 'places.json'

/** The places. */
export class Places {
  readonly #disk: Disk
  readonly #file: string
  readonly #warn: (error: unknown) => void
  readonly #places: Set<Place>
  #isChanged = false
  #unsavedLines = 0
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  private constructor(disk: Disk, file: string, warn: (error: unknown) => void, places: readonly Place[]) {
    this.#disk = disk
    this.#file = file
    this.#warn = warn
    this.#places = new Set(places)
  }

  /**
   * Reads what is kept in a directory, which is made where it is not there. `warn` is told why places cannot be kept.
   * Throws STORAGE_FAILED where what is kept cannot be read: to begin again would record every line twice.
   */
  static async open(disk: Disk, directory: string, warn: (error: unknown) => void): Promise<Places> {
    await disk.makeDirectory(directory)
    const file = join(directory, fileName)
    return new Places(disk, file, warn, parsePlaces(await readWhole(disk, file), file))
  }

  /** All of them, in the order in which they were added. */
  all(): readonly Place[] {
    return [...this.#places]
  }

  /** Adds a place; it is kept when `keep` has returned. */
  add(place: Place): void {
    this.#places.add(place)
    this.#isChanged = true
  }

  /** Forgets a place. */
  remove(place: Place): void {
    this.#isChanged = this.#places.delete(place) || this.#isChanged
  }

  /** Says that a place has changed, and how many lines were recorded for that. */
  changed(lines: number): void {
    this.#isChanged = true
    this.#unsavedLines += lines
  }

  /** Keeps all of them as they are now. Durable when it returns. Throws what the disk throws. */
  keep(): Promise<void> {
    // What is being written may not hold the last changes: one more write will, for all who ask meanwhile.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        this.#running = this.#write()
        return this.#running
      })
    return this.#next
  }

  /** As `keep`, and tried again until it is done. Throws only when `signal` aborts. */
  async keepSurely(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await this.keep()
      } catch (error) {
        this.#warn(error)
      }
      await sleep(followRetryMs, undefined, { signal })
    }
  }

  /** Returns once few enough lines are recorded whose place is not kept. Throws only when `signal` aborts. */
  async demandRoom(signal: AbortSignal): Promise<void> {
    if (this.#unsavedLines >= followUnsavedLines) await this.keepSurely(signal)
  }

  /** Forgets the files that have not been seen for long, and those beyond the bound; never one that is in use. */
  forgetOld(now: Micros, isInUse: (place: Place) => boolean): void {
    const unused = this.all()
      .filter((place) => !isInUse(place))
      .toSorted((a, b) => a.seen - b.seen)
    const beyond = this.#places.size - followPlaces
    for (const [k, place] of unused.entries())
      if (k < beyond || place.seen < now - followForgetMicros) this.remove(place)
  }

  async #write(): Promise<void> {
    if (!this.#isChanged) return
    const lines = this.#unsavedLines
    const bytes = Buffer.from(JSON.stringify({ version: 1, places: this.all() }))
    this.#isChanged = false
    try {
      await replaceFile(this.#disk, this.#file, bytes)
      this.#unsavedLines -= lines
    } catch (error) {
      this.#isChanged = true
      throw error
    }
  }
}

function parsePlaces(bytes: Buffer | undefined, file: string): Place[] {
  if (bytes === undefined) return []
  const kept = parseJson(bytes.toString())
  if (Check(keptPlaces, kept)) return kept.places.map(placeOf)
  throw new AnnalsError(
    'STORAGE_FAILED',
    'the places in followed files cannot be read: put back the file, or remove it to record these files from their beginning',
    { detail: file },
  )
}

function placeOf({ identity, former = [], quietSince, ...place }: Static<typeof keptPlace>): Place {
  return { ...place, former, quietSince, identity: { ...identity, born: identity.born } }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
