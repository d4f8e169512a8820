// Records what was exported in one request. A record that is wrong is refused by itself; where there is no room, the whole
// request is to be sent again, and what of it had been recorded by then is not recorded twice (I4).

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { AuditEvent, Draft } from '../../entry/event.ts'
import { decodeText, unescape } from '../../entry/escape.ts'
import { draftOf, storedText } from '../../entry/line.ts'
import { splitEvent } from '../../entry/split.ts'
import { otlpTextCharacters, otlpTurnRecords, otlpWindowBytes, otlpWindowRecords } from '../../limits.ts'
import type { Intake } from '../intake.ts'
import { eventOfRecord, headerIn } from './event-of-record.ts'
import { type LogRecord, tooLarge } from './log-record.ts'
import { type Origin, originOf } from './origin.ts'
import { idAt } from './record-id.ts'
import { type Exported, isLasting, Refusals } from './refusals.ts'

/** Who exports, and what that may be. */
export interface Exporter {
  readonly intake: Pick<Intake, 'log' | 'hostName' | 'component' | 'recordDraft' | 'refused'>
  readonly by: string
  /** Throws FORBIDDEN where this event may not be recorded. */
  readonly demandAllowed: (event: AuditEvent) => void
}

/**
 * Records the log records of a request, given with its digest (`record-id.ts`). Resolves once all that can be recorded
 * is durable. Throws what passes, and a fault: then the request may be sent again as it is.
 */
export async function recordExport(
  records: readonly LogRecord[],
  digest: Uint8Array,
  exporter: Exporter,
): Promise<Exported> {
  const refusals = new Refusals()
  const events = await eventsOf(records, digest, exporter, refusals)
  for (const window of windowsOf(events, exporter, refusals)) await recordWindow(window, exporter, refusals)
  refusals.tell(exporter.intake, exporter.by)
  return refusals.sum()
}

interface Numbered {
  readonly index: number
  readonly event: AuditEvent
}

// All of them before the first is recorded: a request that is too large as a whole leaves nothing behind.
async function eventsOf(
  records: readonly LogRecord[],
  digest: Uint8Array,
  exporter: Exporter,
  refusals: Refusals,
): Promise<Numbered[]> {
  const origins = new Origins()
  const { hostName, component } = exporter.intake
  const events: Numbered[] = []
  let characters = 0
  for (const [index, record] of records.entries()) {
    if (index % otlpTurnRecords === otlpTurnRecords - 1) await turn()
    refusals.ofOne(index, () => {
      const context = { by: exporter.by, hostName, component, origin: origins.of(record) }
      const event = eventOfRecord(record, { ...context, id: idOf(record, digest, index) })
      exporter.demandAllowed(event)
      characters += charactersOf(event)
      events.push({ index, event })
    })
    if (characters <= otlpTextCharacters) continue
    const error = tooLarge(`what becomes ${otlpTextCharacters} characters of text`)
    exporter.intake.refused({ via: 'otlp', source: exporter.by, reason: error.code, count: records.length })
    throw error
  }
  return events
}

// Who says no time at all may well say the same again and mean another event: better twice than not at all.
function idOf({ time, observed }: LogRecord, digest: Uint8Array, index: number): string {
  return time === undefined && observed === undefined ? randomUUID() : idAt(digest, index)
}

// What `make` gives, or throws, every time.
function once<T>(make: () => T): () => T {
  try {
    const made = make()
    return () => made
  } catch (error) {
    return () => {
      throw error
    }
  }
}

// Records of one resource and scope come one after the other.
class Origins {
  #last: LogRecord | undefined
  #origin: () => Origin = () => assert.fail('there was no record')

  of(record: LogRecord): Origin {
    const isSame = record.resource === this.#last?.resource && record.scope === this.#last.scope
    if (!isSame) this.#origin = once(() => originOf(record.resource, record.scope))
    this.#last = record
    return this.#origin()
  }
}

function charactersOf({ message, details = [], elements = [] }: AuditEvent): number {
  const pairs = [...details, ...elements.flatMap(({ params }) => params)]
  return pairs.reduce((sum, [name, text]) => sum + name.length + text.length, message.length)
}

interface Drafted {
  readonly index: number
  readonly draft: Draft
}

// By what they are as entries, for that is what the queue counts; also the parts of one record may be many.
function* windowsOf(
  events: readonly Numbered[],
  exporter: Exporter,
  refusals: Refusals,
): Generator<readonly Drafted[]> {
  let window: Drafted[] = []
  let bytes = 0
  for (const { index, event } of events) {
    for (const part of partsOf({ index, event }, exporter, refusals)) {
      const draft = draftOf(part, exporter.intake.log)
      if (window.length === otlpWindowRecords || bytes + draft.bytes > otlpWindowBytes) {
        yield window
        window = []
        bytes = 0
      }
      window.push({ index, draft })
      bytes += draft.bytes
    }
  }
  if (window.length > 0) yield window
}

// They enter the log's queue in their order, and share its commits.
async function recordWindow(
  window: readonly Drafted[],
  { intake }: Exporter,
  refusals: Refusals,
): Promise<void> {
  const entered = window.map(async ({ index, draft }) => {
    try {
      await intake.recordDraft(draft)
    } catch (error) {
      return { index, error }
    }
    return undefined
  })
  const failures = (await Promise.all(entered)).filter((failure) => failure !== undefined)
  const passing = failures.find(({ error }) => !isLasting(error))
  if (passing !== undefined) throw passing.error
  for (const { index, error } of failures) refusals.add(index, error)
}

// The sender chooses where a text that is too long is cut, and what comes in front of it where it is not the text that is too
// long: what then begins with a header is held to it, too (L4).
function partsOf(
  { index, event }: Numbered,
  { intake, demandAllowed }: Exporter,
  refusals: Refusals,
): readonly AuditEvent[] {
  const parts = splitEvent(event, intake.log)
  if (parts.length === 1) return parts
  const isAllowed = refusals.ofOne(index, () => {
    for (const part of parts) demandAllowed({ ...part, ...headerIn(textOf(part)) })
  })
  return isAllowed ? parts : []
}

function textOf(part: AuditEvent): string {
  return decodeText(unescape(storedText(part)))
}
