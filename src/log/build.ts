// Builds a log out of entries whose times are given: history, which is imported only into a log that has no entry
// yet (contract W9). It is built beside its place and appears there whole, by one rename, so that an import that is
// interrupted leaves nothing. The caller holds the lock of the data directory (I5).

import fs from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Draft, Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import { batchBytes, batchEntries } from '../limits.ts'
import { realDisk } from '../store/disk.ts'
import { openFileSegmentStore } from '../store/file-segment-store.ts'
import type { SegmentStore } from '../store/segment-store.ts'
import type { NoteSigner } from '../tree/note-key.ts'
import { Committer, type Line, lineAt, putIndex } from './committer.ts'
import {
  createDescription,
  type LogDescription,
  originOf,
  readDescription,
  readSigners,
} from './description.ts'
import { HeadKeeper } from './head.ts'
import { fingerprintOf, identityOf } from './horizon.ts'
import { dataLayout } from './layout.ts'
import { Ledger } from './ledger.ts'
import { LogText } from './log-text.ts'

/** How to build a log. */
export interface BuildOptions {
  readonly data: string
  readonly hostName: string
  /** When it is built: part of its description. */
  readonly created: Micros
  readonly segmentBytes?: number
}

/** Demands that a data directory has no log, or one without an entry. Throws LOG_EXISTS. */
export async function demandNoLog(data: string): Promise<void> {
  const { log } = dataLayout(data)
  const description = await readDescription(realDisk, log)
  if (description === undefined) return
  await using store = await openFileSegmentStore(realDisk, {
    directory: log,
    cutDirectory: dataLayout(data).cut,
  })
  const isEmpty = (await store.list()).every((segment) => segment.bytes === 0)
  // One that continues another has to say so in its first entry.
  if (isEmpty && description.continues === undefined) return
  throw new AnnalsError(
    'LOG_EXISTS',
    `the log in ${data} has entries already: history goes only into a log that has none. Import into another data directory`,
  )
}

/** Begins to build the log of a data directory. Throws LOG_EXISTS where it has one with entries. */
export async function buildLog(options: BuildOptions): Promise<LogBuilder> {
  await demandNoLog(options.data)
  const place = dataLayout(options.data).log
  const directory = `${place}.new`
  await fs.rm(directory, { recursive: true, force: true })
  const { hostName, created } = options
  const description = await createDescription(realDisk, directory, { hostName, created })
  const store = await openFileSegmentStore(realDisk, {
    directory,
    cutDirectory: dataLayout(options.data).cut,
  })
  const signers = await readSigners(realDisk, directory, description)
  return new LogBuilder({ description, signers, created, store }, { place, directory }, options.segmentBytes)
}

interface BuilderParts {
  readonly description: LogDescription
  readonly signers: readonly NoteSigner[]
  readonly created: Micros
  readonly store: SegmentStore
}

/** A log that is being built. Disposed before `finish`, it leaves nothing. */
export class LogBuilder implements AsyncDisposable {
  readonly description: LogDescription
  readonly #store: SegmentStore
  readonly #places: { readonly place: string; readonly directory: string }
  readonly #ledger = new Ledger()
  readonly #committer: Committer
  readonly #head: HeadKeeper
  #lines: Line[] = []
  #bytes = 0
  #failure: unknown
  #finished = false

  constructor(
    { description, signers, created, store }: BuilderParts,
    places: { readonly place: string; readonly directory: string },
    segmentBytes: number | undefined,
  ) {
    this.description = description
    this.#store = store
    this.#places = places
    const failed = (_what: string, error: unknown) => {
      this.#failure ??= error
    }
    const text = new LogText(store, this.#ledger, description.id, () => undefined)
    this.#head = new HeadKeeper(
      {
        store,
        ledger: this.#ledger,
        origin: originOf(description),
        signers: () => signers,
        seconds: () => Math.floor(created / 1_000_000),
        stored: undefined,
      },
      failed,
    )
    this.#committer = new Committer({
      store,
      ledger: this.#ledger,
      text,
      flushHead: () => this.#head.flush(),
      failed,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    })
  }

  /** How many entries it has. */
  get size(): number {
    return this.#ledger.size + this.#lines.length
  }

  /** Adds an entry, whose time must not lie before that of the entry before it. Throws what the disk throws. */
  async add(draft: Draft, time: Micros): Promise<void> {
    const bytes = draft.bytes + 1
    if (
      this.#lines.length >= Math.min(batchEntries, this.#committer.room) ||
      this.#bytes + bytes > batchBytes
    ) {
      await this.#commit()
    }
    this.#lines.push(lineAt({ position: this.size, time }, draft, fingerprintOf(identityOf(draft))))
    this.#bytes += bytes
  }

  /** Makes all of it durable and puts it in its place. */
  async finish(): Promise<{ size: number; bytes: number }> {
    const { place, directory } = this.#places
    await this.#commit()
    await this.#committer.settled()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ledger.active !== undefined) await putIndex(this.#store, this.#ledger.active)
    await this.#head.flush()
    await this.#store[Symbol.asyncDispose]()
    // A log without an entry may stand there: a node was begun and never ran.
    await fs.rm(place, { recursive: true, force: true })
    // A crash before this leaves no log; behind it, the whole one.
    await realDisk.rename(directory, place)
    await realDisk.syncDirectory(dirname(place))
    this.#finished = true
    return { size: this.#ledger.size, bytes: this.#ledger.bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished) return
    await this.#committer.settled()
    await this.#store[Symbol.asyncDispose]()
    await fs.rm(this.#places.directory, { recursive: true, force: true })
  }

  async #commit(): Promise<void> {
    if (this.#lines.length === 0) return
    const outcome = await this.#committer.commit(this.#lines)
    if (outcome.outcome !== 'durable') throw outcome.cause
    this.#lines = []
    this.#bytes = 0
  }
}
