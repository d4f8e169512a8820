// A text that is too long for one entry, from a sender who cannot be told, becomes consecutive entries
// `part="1/3" of="<id>"` (contract L3). Nothing of it is lost: the messages of the parts, decoded and joined, are the
// message.
//
// Every part says who did what; what the sender sent beside the message is with the first. Each part has an id of its
// own, made from the whole's, so that the same event that comes twice is recorded once (I4).

import { hash } from 'node:crypto'
import { entryBytes } from '../limits.ts'
import type { AuditEvent, Draft, Element, LogId } from './event.ts'
import { draftOf, draftOfAnySize, placeBytes, storedText } from './line.ts'
import { renderElement } from './structured-data.ts'

// A part that has less left for its text has something else that is too long.
const leastTextBytes = 16_384
// What a field may then still take: ten of them, at twelve bytes for the worst character, leave half of an entry.
const fieldUnits = 256

/** The event, or the parts that it has to come in, in their order. Every one fits into an entry of `log`. */
export function splitEvent(event: AuditEvent, log: LogId): AuditEvent[] {
  const once = escapedOnce(event)
  const fits = !isTooLong(once) && draftOfAnySize(once, log).bytes <= entryBytes
  return fits ? [event] : partsOf(once, log)
}

/** The drafts of the event, or of its parts: as `splitEvent`, without drafting almost every event twice. */
export function draftsOf(event: AuditEvent, log: LogId): Draft[] {
  const once = escapedOnce(event)
  if (!isTooLong(once)) {
    const draft = draftOfAnySize(once, log)
    if (draft.bytes <= entryBytes) return [draft]
  }
  return partsOf(once, log).map((part) => draftOf(part, log))
}

// A text that may have to be cut is looked at several times.
function escapedOnce(event: AuditEvent): AuditEvent {
  if (event.message.length < leastTextBytes) return event
  return { ...event, message: storedText(event), escaped: true }
}

// The text alone is.
function isTooLong({ message }: AuditEvent): boolean {
  return message.length > entryBytes
}

function partsOf(event: AuditEvent, log: LogId): AuditEvent[] {
  const whole = roomFor(event, log) < leastTextBytes ? foldIntoText(event) : event
  const { elements: _elements, details: _details, ...rest } = whole
  const pieces = cut(Buffer.from(storedText(whole)), roomFor(whole, log), roomFor(rest, log))
  return pieces.map((message, k) => ({
    ...(k === 0 ? whole : rest),
    id: partId(event.id, k + 1),
    part: { index: k + 1, count: pieces.length, of: event.id },
    message,
    escaped: true,
  }))
}

// The bytes that a part has left for its text, with the longest `part` that there can be.
function roomFor(event: AuditEvent, log: LogId): number {
  const part = { index: 9_999_999, count: 9_999_999, of: event.id }
  const { head, origin, stamp, rest } = draftOfAnySize({ ...event, part, message: '' }, log)
  return entryBytes - placeBytes - Buffer.byteLength(head + origin + stamp + rest)
}

const foldable = [
  'hostName',
  'appName',
  'procId',
  'code',
  'actor',
  'component',
  'category',
  'outcome',
  'session',
  'target',
] as const

// Where it is not the message that is too long, what is goes in front of the message, as structured data.
function foldIntoText(event: AuditEvent): AuditEvent {
  const { elements = [], details = [], eventParams = [], ...rest } = event
  const long: [(typeof foldable)[number], string][] = []
  for (const name of foldable) {
    const value = event[name]
    if (value !== undefined && value.length > fieldUnits) long.push([name, value])
  }
  const folded = [
    ...ours('event@32473', [...long, ...eventParams]),
    ...ours('detail@32473', details),
    ...elements,
  ]
  const cutFields = Object.fromEntries(long.map(([name, value]) => [name, start(value)]))
  return {
    ...rest,
    ...cutFields,
    message: `${folded.map(renderElement).join('')} ${storedText(event)}`,
    escaped: true,
  }
}

function ours(name: string, params: Element['params']): Element[] {
  return params.length === 0 ? [] : [{ name, params }]
}

// Not the first half of a character alone.
function start(value: string): string {
  return value.slice(0, fieldUnits).replace(/[\ud800-\udbff]$/, '')
}

// Cuts between characters, and never within `#ooo`.
function cut(text: Buffer, firstBytes: number, otherBytes: number): string[] {
  const pieces: string[] = []
  let from = 0
  while (from < text.length) {
    const to = endOf(text, from + (from === 0 ? firstBytes : otherBytes))
    pieces.push(text.toString('utf8', from, to))
    from = to
  }
  return pieces
}

function endOf(text: Buffer, most: number): number {
  if (most >= text.length) return text.length
  let end = most
  while (((text[end] ?? 0) & 0xc0) === 0x80) end -= 1
  const before = text.toString('latin1', end - 3, end + 3)
  const escape = before.search(/#[0-3][0-7]{2}/)
  return escape === -1 || escape > 2 ? end : end - 3 + escape
}

// In the form of a UUID: version 8, or of the whole's own time where that is a version 7, so that its age is known.
function partId(of: string, index: number): string {
  const digits = hash('sha256', `${of}/${index}`)
  const isTimed = of.charAt(14) === '7'
  const head = isTimed ? of.slice(0, 13) : `${digits.slice(0, 8)}-${digits.slice(8, 12)}`
  return `${head}-${isTimed ? 7 : 8}${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`
}
