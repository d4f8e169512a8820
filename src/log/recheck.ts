// Always checking: in the background every sealed segment is read and hashed again, once in each interval, and compared with
// its seal, its index and the tiles over it; at the end of a pass the hashes of all of them, with those of what follows,
// must make the root that the checkpoint signs. Damage is told once, by an entry, and stays in the log's status until it
// is gone. Nothing is ever rewritten, and whoever reads meets damage as before.
//
// It takes a bounded share of the machine: slices of `recheckSliceBytes`, each a millisecond or so of hashing, at a pace that ends
// a pass in half of its interval.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Micros } from '../entry/event.ts'
import { recheckLeastBytesPerSecond, recheckLookMs, recheckMostBytesPerSecond } from '../limits.ts'
import type { SegmentStore, StoredSegment } from '../store/segment-store.ts'
import { CompactRange } from '../tree/compact-range.ts'
import type { Hash } from '../tree/hash.ts'
import { tileHeight } from '../tree/tile.ts'
import { type LeafRange, subtreesOf } from '../tree/range.ts'
import { parseSignedCheckpoint } from '../tree/signed-checkpoint.ts'
import type { SignedHead } from './head.ts'
import { recheckName } from './layout.ts'
import type { Ledger, Segment } from './ledger.ts'
import {
  firstState,
  formatState,
  type KnownFault,
  type Pass,
  parseState,
  type RecheckState,
  withVerdict,
} from './recheck-state.ts'
import { checkSegment } from './segment-check.ts'

/** How a log is to be checked while it is open. */
export interface RecheckOptions {
  /** How long after a pass has ended the next one begins at the latest. */
  readonly intervalMicros: Micros
  /** Follows from the log's size and the interval where it is not given. */
  readonly bytesPerSecond?: number
  /** How long it waits between looking whether there is something to do. */
  readonly lookMs?: number
}

/** What the check knows. */
export interface RecheckStatus {
  /** Since when this log is checked, and when the last pass over all that was sealed then ended. */
  readonly since: Micros
  readonly lastFull: Micros | undefined
  /** How long ago the latter was; before the first pass, the former. */
  readonly ageMicros: Micros
  /** Bytes that this process has read again. */
  readonly bytes: number
  /** Damage that was found and is not gone. */
  readonly faults: readonly { readonly place: string; readonly reason: string }[]
}

/** What checking needs of an open log. */
export interface RecheckParts extends RecheckOptions {
  readonly store: SegmentStore
  readonly ledger: Ledger
  readonly head: () => SignedHead | undefined
  readonly subtrees: (range: LeafRange) => Promise<Hash[]>
  readonly wallMicros: () => Micros
  /** Makes an entry of the log's own with this id, once. */
  readonly record: (code: number, fields: Record<string, string>, id: string) => Promise<unknown>
  readonly warn: (message: string, error?: unknown) => void
}

/** Checks a log while it is open. Disposed of, it stops within one slice. */
export class Recheck implements AsyncDisposable {
  readonly #parts: RecheckParts
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #state: RecheckState
  #bytes = 0
  #lastProblem: string | undefined

  private constructor(parts: RecheckParts, state: RecheckState) {
    this.#parts = parts
    this.#state = state
    this.#running = this.#run()
  }

  /** Begins, or goes on where it stopped. */
  static async start(parts: RecheckParts): Promise<Recheck> {
    const state = parseState(await parts.store.getDerived(recheckName))
    return new Recheck(parts, state ?? firstState(parts.wallMicros()))
  }

  /** What is known now. */
  get status(): RecheckStatus {
    const { since, lastFull, faults } = this.#state
    const there = faults.filter(({ state }) => state !== 'gone')
    return {
      since,
      lastFull,
      ageMicros: Math.max(0, this.#parts.wallMicros() - (lastFull ?? since)),
      bytes: this.#bytes,
      faults: there.map(({ place, reason }) => ({ place, reason })),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#tell()
        if (this.#isDue()) await this.#pass()
        this.#lastProblem = undefined
      } catch (error) {
        if (!signal.aborted) this.#noteProblem(error)
      }
      await this.#wait(this.#parts.lookMs ?? recheckLookMs).catch(() => undefined)
    }
  }

  // A clock that was set back is no reason to wait for longer.
  #isDue(): boolean {
    const { pass, lastFull } = this.#state
    if (pass !== undefined || lastFull === undefined) return true
    const age = this.#parts.wallMicros() - lastFull
    return age < 0 || age >= this.#parts.intervalMicros
  }

  async #pass(): Promise<void> {
    const { store, ledger, wallMicros } = this.#parts
    const stored = new Map((await store.list()).map((segment) => [segment.first, segment]))
    // The last one that has ended may be about to be sealed.
    const ended = ledger.segments.filter((segment) => segment !== ledger.active)
    const sealed = ended.filter(
      (segment, k) => k < ended.length - 1 || stored.get(segment.first)?.seal !== undefined,
    )
    const pace = this.#paceOf(sealed)
    let pass = this.#state.pass ?? { next: 0, range: new CompactRange() }
    for (const segment of sealed) {
      if (segment.first < pass.next) continue
      pass = await this.#segment(pass, segment, stored.get(segment.first), pace)
    }
    await this.#compareRoot(pass)
    await this.#keep({ ...this.#state, lastFull: wallMicros(), pass: undefined })
    await this.#tell()
  }

  async #segment(
    pass: Pass,
    segment: Segment,
    stored: StoredSegment | undefined,
    pace: (bytes: number) => Promise<void>,
  ): Promise<Pass> {
    const { reason, roots } = await checkSegment(this.#parts.store, segment, stored, pace)
    const range = roots === undefined ? undefined : pass.range
    for (const root of roots ?? []) range?.append(root, tileHeight)
    const next = { next: segment.first + segment.entries, range }
    await this.#keep({ ...withVerdict(this.#state, `segment ${segment.first}`, reason), pass: next })
    await this.#tell()
    return next
  }

  // Whoever changed a text, its seal, its index and the tiles alike has not changed what is signed.
  async #compareRoot({ range, next }: Pass): Promise<void> {
    const head = this.#parts.head()
    if (range === undefined || head === undefined || head.size < next) return
    const checkpoint = parseSignedCheckpoint(head.note)
    assert(checkpoint !== undefined, 'what was signed can be read')
    const rest = { from: next, to: head.size }
    const whole = new CompactRange()
    appendAll(whole, { from: 0, to: next }, range.roots)
    appendAll(whole, rest, await this.#parts.subtrees(rest))
    const isSame = whole.root() === checkpoint.root
    const reason = isSame ? undefined : 'together they are not what the checkpoint signs'
    await this.#keep(withVerdict(this.#state, 'the sealed segments', reason))
  }

  // Without room for an entry the check goes on, and the entry is made later.
  async #tell(): Promise<void> {
    try {
      await this.#record()
    } catch (error) {
      this.#noteProblem(error)
    }
  }

  // A crash before the state is kept makes the entry again, under the same id.
  async #record(): Promise<void> {
    for (const fault of this.#state.faults) {
      if (fault.state === 'told') continue
      const { place, reason, id } = fault
      if (fault.state === 'found') this.#parts.warn(`damage was found in ${place}: ${reason}`)
      await this.#parts.record(fault.state === 'found' ? 29090 : 29091, { place, reason }, id)
      await this.#keep({ ...this.#state, faults: told(this.#state.faults, fault) })
    }
  }

  async #keep(state: RecheckState): Promise<void> {
    this.#state = state
    await this.#parts.store.putDerived(recheckName, formatState(state))
  }

  #paceOf(segments: readonly Segment[]): (bytes: number) => Promise<void> {
    const { intervalMicros, bytesPerSecond } = this.#parts
    const total = segments.reduce((sum, { bytes }) => sum + bytes, 0)
    const needed = (2 * total) / (intervalMicros / 1e6)
    const rate = bytesPerSecond ?? clamp(needed, recheckLeastBytesPerSecond, recheckMostBytesPerSecond)
    return async (bytes) => {
      await this.#wait((bytes / rate) * 1000)
      this.#bytes += bytes
    }
  }

  // Throws where it is to stop.
  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal, ref: false })
  }

  #noteProblem(error: unknown): void {
    const text = String(error)
    if (text !== this.#lastProblem)
      this.#parts.warn('the background check cannot go on; it is tried again', error)
    this.#lastProblem = text
  }
}

function appendAll(range: CompactRange, run: LeafRange, roots: readonly Hash[]): void {
  for (const [k, { height }] of subtreesOf(run).entries()) {
    const root = roots[k]
    assert(root !== undefined)
    range.append(root, height)
  }
}

function told(faults: readonly KnownFault[], of: KnownFault): KnownFault[] {
  return faults.flatMap((fault) =>
    fault !== of ? [fault] : of.state === 'gone' ? [] : [{ ...fault, state: 'told' }],
  )
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Number.isFinite(value) ? value : most))
}
