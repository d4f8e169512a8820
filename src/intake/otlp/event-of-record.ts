// The event that an exported log record stands for. Attributes named `audit.…` say what posted events say under the rest of
// the name, and are held to the same rules; all others become details. Nothing is thrown away: what has a name that no
// detail may have stands in an element of its own, `[otlp@32473 …]`. Where the body itself begins with a header, that is what
// readers will take for the event's (L4): so it is what the sender is held to.

import { isIP } from 'node:net'
import type { AuditEvent } from '../../entry/event.ts'
import { type Header, readHeader } from '../../entry/header.ts'
import { AnnalsError } from '../../errors.ts'
import { detailNameCharacters } from '../../limits.ts'
import { parsePosted, type PostedContext } from '../posted-event.ts'
import { Attributes, type Pair } from './attributes.ts'
import type { LogRecord } from './log-record.ts'
import { dropped, type Origin, said } from './origin.ts'
import { idOfUid, isUuid } from './record-id.ts'
import { severityOf } from './severity.ts'
import type { Value } from './value.ts'

/** What is known of a record besides itself. */
export interface RecordContext extends Omit<PostedContext, 'via'> {
  /** What its resource and its scope say. */
  readonly origin: Origin
  /** The id of a record that brings none. */
  readonly id: string
}

/** The event of a record. Throws INVALID_EVENT, naming the field that is wrong and what was expected. */
export function eventOfRecord(record: LogRecord, context: RecordContext): AuditEvent {
  const { by, hostName, component, origin } = context
  const attributes = new Attributes(record.attributes)
  const id = idOf(attributes) ?? context.id
  const code = attributes.take('audit.code')
  const header = code === undefined ? headerIn(textOf(record.body) ?? '') : undefined
  const facts = { ...(header === undefined ? namesIn(attributes) : {}), ...factsIn(record, attributes) }
  const posted = code === undefined ? uncoded(facts, record, attributes) : coded(facts, code, attributes)
  const event = parsePosted(posted, { via: 'otlp', by, hostName, component })
  return {
    ...(code === undefined ? withoutHeader(event, posted, facts) : event),
    ...header,
    id,
    ...senderOf(origin, hostName),
    ...occurredOf(record),
    ...restOf([...attributes.rest, ...ownPairs(record), ...origin.rest]),
  }
}

/** The header that a text begins with, as a reader sees it who does not mind white space before it. */
export function headerIn(text: string): Header | undefined {
  return readHeader(text.trimStart())
}

type Posted = Readonly<Record<string, unknown>>

// Who did it, and in what. Where a header says that, attributes that do are kept as details, for they may say otherwise.
function namesIn(attributes: Attributes): Posted {
  return defined({
    component: attributes.take('audit.component'),
    category: attributes.take('audit.category'),
    actor: attributes.take('audit.actor') ?? attributes.take('enduser.id') ?? attributes.take('user.id'),
  })
}

// What a record says in the words of a posted event; whether it may say it is checked there.
function factsIn(record: LogRecord, attributes: Attributes): Posted {
  return defined({
    message: textOf(record.body),
    severity: severityOf(record.severityNumber),
    outcome: attributes.take('audit.outcome'),
    sourceAddress: attributes.take('audit.sourceAddress') ?? attributes.take('client.address', isAddress),
    session: attributes.take('audit.session') ?? attributes.take('session.id'),
    target: attributes.take('audit.target'),
  })
}

function coded(facts: Posted, code: string, attributes: Attributes): Posted {
  const number = /^[0-9]{1,9}$/.test(code) ? Number(code) : code
  return { ...facts, code: number, fields: attributes.takeUnder('audit.fields.') }
}

// A record that is no audit event, but is to be kept: what an event must have stands in for it, and is taken off again.
function uncoded(facts: Posted, record: LogRecord, attributes: Attributes): Posted {
  const name = record.eventName === '' ? attributes.peek('event.name') : record.eventName
  return { actor: '-', message: name ?? '', ...facts, code: 0 }
}

function withoutHeader(event: AuditEvent, posted: Posted, facts: Posted): AuditEvent {
  const { actor, component, ...rest } = event
  return {
    ...rest,
    code: '-',
    message: String(posted['message']),
    ...(facts['actor'] === undefined || actor === undefined ? {} : { actor }),
    ...(facts['component'] === undefined || component === undefined ? {} : { component }),
  }
}

function defined(values: Posted): Posted {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function idOf(attributes: Attributes): string | undefined {
  const uid = attributes.take('log.record.uid', isUuid) ?? attributes.peek('log.record.uid')
  return uid === undefined ? undefined : idOfUid(uid)
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0
}

function textOf(body: Value): string | undefined {
  if (body === null) return undefined
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function senderOf(origin: Origin, hostName: string): Pick<AuditEvent, 'hostName' | 'appName' | 'procId'> {
  return {
    hostName: origin.hostName ?? hostName,
    ...(origin.appName === undefined ? {} : { appName: origin.appName }),
    ...(origin.procId === undefined ? {} : { procId: origin.procId }),
  }
}

// Where the event was seen late, its own time counts; where nobody noted that, the time at which it was seen.
function occurredOf({ time, observed }: LogRecord): Pick<AuditEvent, 'occurred'> {
  const occurred = time ?? observed
  if (occurred === undefined) return {}
  if (Number.isSafeInteger(occurred)) return { occurred }
  throw new AnnalsError('INVALID_EVENT', '"timeUnixNano" lies behind the year 2255', {
    field: 'timeUnixNano',
  })
}

// What the record says beside its attributes.
function ownPairs(record: LogRecord): Pair[] {
  const { eventName, severityNumber, severityText, traceId, spanId, flags, droppedAttributes } = record
  const isOdd = severityNumber !== 0 && severityOf(severityNumber) === undefined
  return [
    ...said('event.name', eventName),
    ...said('severity_number', isOdd ? String(severityNumber) : ''),
    ...said('severity_text', severityText),
    ...said('trace_id', traceId),
    ...said('span_id', spanId),
    ...said('trace_flags', flags === 0 ? '' : flags.toString(16).padStart(2, '0')),
    ...dropped('dropped_attributes', droppedAttributes),
  ]
}

const detailName = new RegExp(`^[A-Za-z0-9_.-]{1,${detailNameCharacters}}$`)

function restOf(rest: readonly Pair[]): Pick<AuditEvent, 'details' | 'elements'> {
  const details = rest.filter(([name]) => detailName.test(name))
  const others = rest.filter(([name]) => !detailName.test(name))
  return {
    ...(details.length === 0 ? {} : { details }),
    ...(others.length === 0 ? {} : { elements: [{ name: 'otlp@32473', params: others }] }),
  }
}
