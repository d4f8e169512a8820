// The events of one request on their way into the log: many at once, bounded, and their results in order. They go in
// groups, because a promise for each would cost more than the rest; where one of a group is refused, they go one by one.
// Where the log has no room they wait and are tried again under the same ids: a stream is slowed down, not refused.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Draft } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { AnnalsError, type ErrorCode } from '../errors.ts'
import { parsePosted, type PostedContext } from '../intake/posted-event.ts'
import {
  groupBytes,
  recordFlightBytes,
  recordFlightEntries,
  receiptsUnflushed,
  recordUnflushed,
  recordGroupEntries,
  recordPatienceMs,
  recordRetryMostMs,
  recordRetryMs,
} from '../limits.ts'
import type { Recorded } from '../log/audit-log.ts'
import { toRefusal } from './errors.ts'
import { jsonProblem } from './json-problem.ts'
import type { Receipts } from './receipts.ts'
import { refusedText } from './record-result.ts'
import { mayNotRecord, mayRecordEvent, type RecorderCall, type RecordingNode } from './recording.ts'

/** Takes results in order. */
export interface ResultSink {
  /** `refusal` where the result is one. */
  add(text: string, refusal?: AnnalsError): void
  /** All that is there for now has been added. */
  push(): void
}

/** Renders the result of an event that is durable. */
export type ResultText = (index: number, id: string, recorded: Recorded, more: string) => string

/** How results come about. */
export interface FlowOptions {
  readonly textOf: ResultText
  /** What is added to them; undefined where nothing is. */
  readonly receipts: Receipts | undefined
  /** Told of the bytes of events that are no longer held. */
  readonly released?: (bytes: number) => void
}

interface Refused {
  readonly text: string
  readonly refusal: AnnalsError
}

/** Events that are recorded together: their drafts, and beside each its place among those of the request. */
interface Group {
  readonly drafts: Draft[]
  readonly indexes: number[]
  /** As they were sent, and as entries at the most. */
  sentBytes: number
  entryBytes: number
  /** Set once it is not known what became of them: then nobody may say that nothing of them was recorded. */
  unknown: AnnalsError | undefined
}

/** See the head of this file. */
export class RecordFlow {
  readonly #node: RecordingNode
  readonly #call: RecorderCall
  readonly #sink: ResultSink
  readonly #textOf: ResultText
  readonly #receipts: Receipts | undefined
  readonly #context: PostedContext
  readonly #released: (bytes: number) => void
  readonly #unflushed: number
  // The results from `#first` on; undefined where one is not there yet.
  readonly #results: (string | Refused | undefined)[] = []
  #first = 0
  #next: Group = emptyGroup()
  #flying = 0
  #sentBytes = 0
  #forbidden = 0
  #stop: AnnalsError | undefined
  #waiting: Group[] = []
  #retrying: Promise<void> | undefined
  #lastDurable = 0
  #isFlushing = false
  #whenFlushed: (() => void) | undefined

  constructor(
    node: RecordingNode,
    call: RecorderCall,
    sink: ResultSink,
    { textOf, receipts, released = () => undefined }: FlowOptions,
  ) {
    const { hostName, component } = node.recording.intake
    this.#node = node
    this.#call = call
    this.#sink = sink
    this.#textOf = textOf
    this.#receipts = receipts
    this.#unflushed = receipts === undefined ? recordUnflushed : receiptsUnflushed
    this.#released = released
    this.#context = { via: 'http', by: call.caller.name, hostName, component }
  }

  /** Events that were refused because their sender may not record them. */
  get forbidden(): number {
    return this.#forbidden
  }

  /** Why no event can be recorded any more, once that is so. */
  get stop(): AnnalsError | undefined {
    return this.#stop
  }

  /** Whether so much is on its way that more should wait. */
  get isFull(): boolean {
    return (
      this.#flying >= recordFlightEntries ||
      this.#results.length >= this.#unflushed ||
      this.#sentBytes >= recordFlightBytes ||
      this.#retrying !== undefined
    )
  }

  /** Takes in the next event: a posted value that was sent in so many bytes. */
  add(value: unknown, sentBytes: number): void {
    const index = this.#first + this.#results.length
    try {
      const event = parsePosted(value, this.#context)
      if (mayRecordEvent(this.#call.caller, event))
        return this.#gather(index, draftOf(event, this.#node.recording.intake.log), sentBytes)
      this.#forbidden += 1
      this.#refuse(event.id, mayNotRecord(this.#call.caller, event))
    } catch (error) {
      this.#refuse(undefined, toRefusal(error))
    }
    this.#released(sentBytes)
  }

  /** The same of a line of NDJSON; undefined for one that is no UTF-8. */
  addLine(text: string | undefined, sentBytes: number): void {
    let value: unknown
    try {
      value = jsonOfLine(text)
    } catch (error) {
      this.#refuse(undefined, toRefusal(error))
      return this.#released(sentBytes)
    }
    this.add(value, sentBytes)
  }

  /** Refuses the next event, of which there may be only a part. */
  refuse(error: AnnalsError): void {
    this.#refuse(undefined, error)
  }

  /** Sends what was gathered on its way: no more is at hand. */
  launch(): void {
    const group = this.#next
    if (group.drafts.length === 0) return
    this.#next = emptyGroup()
    this.#attempt(group)
  }

  /** Resolves when results have been given to the sink: there may be room then. */
  async flushed(): Promise<void> {
    // What waits for room has its results already where the pause has not ended yet: timers must have their turn.
    if (this.#results.length === 0) return await this.#retrying
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#whenFlushed = resolve
    await promise
  }

  /** Resolves when every event has its result, and the sink all of them. */
  async settled(): Promise<void> {
    this.launch()
    while (this.#results.length > 0) await this.flushed()
  }

  #gather(index: number, draft: Draft, sentBytes: number): void {
    const entryBytes = draft.bytes + 1
    if (this.#next.entryBytes + entryBytes > groupBytes) this.launch()
    const group = this.#next
    group.drafts.push(draft)
    group.indexes.push(index)
    group.sentBytes += sentBytes
    group.entryBytes += entryBytes
    this.#results.push(undefined)
    this.#flying += 1
    this.#sentBytes += sentBytes
    if (group.drafts.length >= recordGroupEntries) this.launch()
  }

  #attempt(group: Group): void {
    this.#record(group.drafts).then(
      (all) => this.#proved(group, all),
      (error: unknown) => this.#failed(group, toRefusal(error)),
    )
  }

  #proved(group: Group, all: readonly Recorded[]): void {
    if (this.#receipts === undefined) return this.#land(group, all, [])
    void this.#receipts(all).then((receipts) => this.#land(group, all, receipts))
  }

  async #record(drafts: readonly Draft[]): Promise<readonly Recorded[]> {
    const { intake } = this.#node.recording
    const [first, second] = drafts
    return first !== undefined && second === undefined
      ? [await intake.attempt(first)]
      : await intake.attemptAll(drafts)
  }

  #failed(group: Group, error: AnnalsError): void {
    if (error.code === 'OUTCOME_UNKNOWN') group.unknown = error
    if (passing.has(error.code) && !this.#isTooLate()) {
      this.#waiting.push(group)
      this.#retrying ??= this.#retry()
      return
    }
    if (ending.has(error.code)) this.#stop ??= error
    else if (group.drafts.length > 1) return this.#attemptEach(group)
    const refusal = ending.has(error.code) ? (group.unknown ?? error) : error
    for (const [k, index] of group.indexes.entries()) {
      const text = refusedText(index, group.drafts[k]?.id, refusal)
      this.#count(refusal)
      this.#results[index - this.#first] = { text, refusal }
    }
    this.#landed(group)
  }

  // One of them is refused, and which one, only the log can tell.
  #attemptEach({ drafts, indexes, sentBytes, unknown }: Group): void {
    for (const [k, draft] of drafts.entries())
      this.#attempt({
        drafts: [draft],
        indexes: indexes.slice(k, k + 1),
        sentBytes: sentBytes / drafts.length,
        entryBytes: 0,
        unknown,
      })
  }

  // The time of patience begins with the first pause, and again with each event that becomes durable.
  #isTooLate(): boolean {
    if (this.#retrying === undefined) this.#lastDurable = performance.now()
    return performance.now() - this.#lastDurable > recordPatienceMs
  }

  // Those that found no room, again and again, in their order.
  async #retry(): Promise<void> {
    let pauseMs = recordRetryMs
    while (this.#waiting.length > 0) {
      await sleep(pauseMs)
      pauseMs = Math.min(2 * pauseMs, recordRetryMostMs)
      for (const group of this.#waiting.splice(0)) this.#attempt(group)
      // A queue that is full refuses at once.
      await sleep(0)
    }
    this.#retrying = undefined
    this.#flushSoon()
  }

  #land(group: Group, all: readonly Recorded[], receipts: readonly string[]): void {
    this.#lastDurable = performance.now()
    const { drafts, indexes } = group
    for (let k = 0; k < drafts.length; k++) {
      const draft = drafts[k]
      const index = indexes[k]
      const recorded = all[k]
      if (draft === undefined || index === undefined || recorded === undefined) continue
      this.#results[index - this.#first] = this.#textOf(index, draft.id, recorded, receipts[k] ?? '')
    }
    this.#landed(group)
  }

  #landed({ drafts, sentBytes }: Group): void {
    this.#flying -= drafts.length
    this.#sentBytes -= sentBytes
    this.#released(sentBytes)
    this.#flushSoon()
  }

  #refuse(id: string | undefined, refusal: AnnalsError): void {
    const index = this.#first + this.#results.length
    this.#results.push({ text: refusedText(index, id, refusal), refusal })
    this.#count(refusal)
    this.#flushSoon()
  }

  // What is forbidden has an entry of its own.
  #count({ code, cause }: AnnalsError): void {
    if (code === 'FORBIDDEN') return
    if (code === 'INTERNAL') this.#node.logger.error({ err: cause }, 'an event could not be recorded')
    this.#node.recording.intake.refused({ via: 'http', source: this.#call.caller.name, reason: code })
  }

  // Once for all that lands in a turn of the event loop.
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(): void {
    let count = 0
    for (let next = this.#results[0]; next !== undefined; next = this.#results[count]) {
      if (typeof next === 'string') this.#sink.add(next)
      else this.#sink.add(next.text, next.refusal)
      count += 1
    }
    this.#results.splice(0, count)
    this.#first += count
    this.#sink.push()
    this.#whenFlushed?.()
  }
}

function emptyGroup(): Group {
  return { drafts: [], indexes: [], sentBytes: 0, entryBytes: 0, unknown: undefined }
}

// Nothing was recorded, or it is not known: the same id again is safe either way (I4).
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['TOO_MANY_REQUESTS', 'OUTCOME_UNKNOWN'])

// The next event would fare no better.
const ending: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...passing,
  'STORAGE_FULL',
  'LOG_READ_ONLY',
  'STORAGE_FAILED',
  'UNAVAILABLE',
])

/** A line as JSON. Throws INVALID_EVENT where it is none, or undefined for one that is no UTF-8. */
export function jsonOfLine(text: string | undefined): unknown {
  if (text === undefined) throw new AnnalsError('INVALID_EVENT', 'an event is expected to be in UTF-8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `an event is expected to be one line of JSON: ${jsonProblem(text, cause)}`
    throw new AnnalsError('INVALID_EVENT', message, { cause })
  }
}
