// The stored line (contract L1 to L3), made and read:
//
//   <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [audit@32473 v="1" log="…" pos="…" id="…" via="…" by="…"
//     occurred="…" clock="…" part="1/3" of="…"][event@32473 …][detail@32473 …][source@32473 …][sender's own …] MSG
//
// in one line, each of occurred, clock, part with of, and the elements behind the first only where there is such.
// An event is drafted once, before it waits for its place; what is left to do when it has one is concatenation.
// What is read is held to the same form, byte for byte: `renderEntry(parseLine(line))` is `line`.

import assert from 'node:assert/strict'
import { AnnalsError } from '../errors.ts'
import { entryBytes } from '../limits.ts'
import { escapeBytes, escapeKept, escapeText, indexOfUnprintable, unescape } from './escape.ts'
import type { AuditEvent, Draft, Element, LogId, Place, StoredEntry, Via } from './event.ts'
import { fit, fitName, isOurs } from './fit.ts'
import { readElement, renderElement, renderOurs, renderParam, unescapeValue } from './structured-data.ts'
import { formatMicros, parseStoredTime, readTime, timeLength } from './time.ts'

/** What a place adds to a draft at the most: a time, 16 digits of position, and a clock. */
export const placeBytes = timeLength + 16 + ' clock=""'.length + timeLength

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const plainHeader = /^ [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} $/

/**
 * Renders all of an event that needs no place. Throws ENTRY_TOO_LARGE where the line could exceed
 * `limits.entryBytes` with the longest place (L3); `splitEvent` is for those who cannot be told.
 */
export function draftOf(event: AuditEvent, log: LogId): Draft {
  const draft = draftOfAnySize(event, log)
  const { bytes } = draft
  if (bytes <= entryBytes) return draft
  throw new AnnalsError(
    'ENTRY_TOO_LARGE',
    `the event would take ${bytes} bytes as an entry of the audit log; expected at most ${entryBytes}`,
  )
}

/** As `draftOf`, of an event of any size: to see how large it is. */
export function draftOfAnySize(event: AuditEvent, log: LogId): Draft {
  const { id, via, by, occurred, part } = event
  assert(uuid.test(id), 'the id of an event is a UUID in lower case')
  let sent = ''
  let origin = event.elements === undefined ? plainOrigin(event, log) : undefined
  if (origin === undefined) {
    const fitted = fit(event)
    origin = originOf(` ${fitted.hostName} ${fitted.appName} ${fitted.procId} ${fitted.msgId} `, log)
    sent = renderOurs('source@32473', renderParams(fitted.source))
    for (const element of fitted.elements) sent += renderElement(element)
  }
  const head = heads[(event.facility ?? 13) * 8 + event.severity]
  assert(head !== undefined, 'a priority is at most 191')
  const end = stampEnd(via, by)
  const identity = `" id="${id}${end.text}`
  const stamp = occurred === undefined ? identity : `${identity} occurred="${formatMicros(occurred)}"`
  const whole = part === undefined ? '' : ` part="${part.index}/${part.count}" of="${part.of}"`
  const rest = `${whole}]${renderEvent(event)}${renderDetails(event)}${sent} ${storedText(event)}`
  // All but who sent it and the rest is ASCII. Measuring the rest lays it out in one piece. That is due sooner or later, and
  // a draft that waits is then a few texts, and not the dozens that they were put together from, which make waiting expensive.
  const ascii = head.length + origin.length + stamp.length - end.text.length
  const bytes = ascii + end.bytes + Buffer.byteLength(rest) + placeBytes
  return { id, via, by, head, origin, stamp, rest, bytes }
}

// `<PRI>1 `, of every priority.
const heads: readonly string[] = Array.from({ length: 192 }, (_, priority) => `<${priority}>1 `)

function originOf(header: string, log: LogId): string {
  return `${header}[audit@32473 v="1" log="${log}" pos="`
}

interface Sender {
  readonly hostName: string
  readonly appName: string | undefined
  readonly procId: string | undefined
  readonly code: string
}

// Events that come behind each other mostly come from the same sender: what that makes of a line is kept.
let lastOrigin: (Sender & { readonly log: LogId; readonly text: string | undefined }) | undefined
let lastStamp: (StampEnd & { readonly via: Via; readonly by: string }) | undefined

interface StampEnd {
  readonly text: string
  readonly bytes: number
}

// Undefined where something of the sender's has to be fitted.
function plainOrigin(event: AuditEvent, log: LogId): string | undefined {
  const { hostName, appName, procId, code } = event
  if (
    lastOrigin !== undefined &&
    lastOrigin.hostName === hostName &&
    lastOrigin.appName === appName &&
    lastOrigin.procId === procId &&
    lastOrigin.code === code &&
    lastOrigin.log === log
  )
    return lastOrigin.text
  const header = ` ${hostName} ${appName ?? 'annals'} ${procId ?? '-'} ${code} `
  const text = isPlain(header) ? originOf(header, log) : undefined
  lastOrigin = { hostName, appName, procId, code, log, text }
  return text
}

function stampEnd(via: Via, by: string): StampEnd {
  if (lastStamp?.via === via && lastStamp.by === by) return lastStamp
  const text = `" via="${via}"${renderParam('by', by)}`
  lastStamp = { via, by, text, bytes: Buffer.byteLength(text) }
  return lastStamp
}

/** An event's message as it stands in the line. */
export function storedText({ message, escaped }: AuditEvent): string {
  if (escaped === true) return escapeKept(message)
  return typeof message === 'string' ? escapeText(message) : escapeBytes(message)
}

/** The line of a draft at a place, without the final newline. */
export function renderLine(
  draft: Pick<Draft, 'head' | 'origin' | 'stamp' | 'rest'>,
  { position, time, clock }: Place,
): string {
  const line = draft.head + formatMicros(time) + draft.origin + position + draft.stamp
  return clock === undefined ? line + draft.rest : `${line} clock="${formatMicros(clock)}"${draft.rest}`
}

// What the lines of one sender in one batch begin with is kept.
let lastBegin = { head: '', origin: '', time: Number.NaN, text: '' }

/**
 * Writes the line of a draft at a place, with the final newline, into `target` from `at` on, which must have room for
 * `draft.bytes` and the newline. Returns where it ends. The same line as `renderLine` makes, without making a string.
 */
export function writeLine(
  target: Buffer,
  at: number,
  { head, origin, stamp, rest }: Pick<Draft, 'head' | 'origin' | 'stamp' | 'rest'>,
  { position, time, clock }: Place,
): number {
  if (lastBegin.time !== time || lastBegin.origin !== origin || lastBegin.head !== head)
    lastBegin = { head, origin, time, text: head + formatMicros(time) + origin }
  let end = at + target.write(lastBegin.text, at)
  end = writeDigits(target, end, position)
  end += target.write(stamp, end)
  if (clock !== undefined) end += target.write(` clock="${formatMicros(clock)}"`, end)
  end += target.write(rest, end)
  target[end] = newline
  return end + 1
}

const newline = 0x0a

function writeDigits(target: Buffer, at: number, value: number): number {
  let end = at + 1
  for (let limit = 10; value >= limit; limit *= 10) end += 1
  for (let left = value, k = end - 1; k >= at; k -= 1) {
    const tens = Math.floor(left / 10)
    target[k] = zero + (left - 10 * tens)
    left = tens
  }
  return end
}

// Four fields in four runs of characters: a space in one of them would make a fifth.
function isPlain(header: string): boolean {
  return plainHeader.test(header)
}

function renderEvent(event: AuditEvent): string {
  const { actor, component, category, outcome, session, target, eventParams } = event
  let params = ''
  if (actor !== undefined) params += renderParam('actor', actor)
  if (component !== undefined) params += renderParam('component', component)
  if (category !== undefined) params += renderParam('category', category)
  if (outcome !== undefined) params += renderParam('outcome', outcome)
  if (session !== undefined) params += renderParam('session', session)
  if (target !== undefined) params += renderParam('target', target)
  if (eventParams !== undefined) params += renderParams(eventParams)
  return renderOurs('event@32473', params)
}

function renderDetails({ details }: AuditEvent): string {
  return details === undefined ? '' : renderOurs('detail@32473', renderParams(details))
}

function renderParams(params: readonly (readonly [string, string])[]): string {
  let text = ''
  for (const [name, value] of params) text += renderParam(fitName(name), value)
  return text
}

/** The line of an entry: exactly the one that it was parsed from. */
export function renderEntry(entry: StoredEntry): string {
  const { id, via, by, occurred, part, hostName, appName, procId, code, elements, text } = entry
  const stamp = `" id="${id}" via="${via}"${renderParam('by', by)}`
  const whole = part === undefined ? '' : ` part="${part.index}/${part.count}" of="${part.of}"`
  const draft = {
    head: `<${entry.facility * 8 + entry.severity}>1 `,
    origin: ` ${hostName} ${appName} ${procId} ${code} [audit@32473 v="1" log="${entry.log}" pos="`,
    stamp: occurred === undefined ? stamp : `${stamp} occurred="${formatMicros(occurred)}"`,
    rest: `${whole}]${elements.map(renderElement).join('')} ${text}`,
  }
  return renderLine(draft, entry)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const priority = /^<(0|[1-9][0-9]{0,2})>1 /
const header = /(\S{27}) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /y
const audit = new RegExp(
  '\\[audit@32473 v="1" log="([^"\\\\\\]]+)" pos="(0|[1-9][0-9]{0,15})" id="([^"]{36})"' +
    ' via="(self|http|syslog|file|import|otlp)" by="((?:[^"\\\\\\]]|\\\\["\\\\\\]])*)"' +
    '(?: occurred="([^"]{27})")?(?: clock="([^"]{27})")?' +
    '(?: part="([1-9][0-9]{0,9})/([1-9][0-9]{0,9})" of="([^"]{36})")?\\]',
  'y',
)

/**
 * Reads a stored line, given without its newline. Throws LOG_DAMAGED, saying what is wrong at which byte, where the
 * line is not exactly one that the log writes.
 */
export function parseLine(line: Uint8Array): StoredEntry {
  const text = textOf(line)
  const pri = priority.exec(text) ?? damaged(text, 0, 'a priority and the version 1')
  const value = Number(pri[1])
  if (value > 191) damaged(text, 1, 'a priority of at most 191')
  header.lastIndex = pri[0].length
  const fields = header.exec(text) ?? damaged(text, pri[0].length, 'a time, and four fields of a header')
  const [, time = '', hostName = '', appName = '', procId = '', code = ''] = fields
  audit.lastIndex = header.lastIndex
  const found = audit.exec(text) ?? damaged(text, audit.lastIndex, "the log's own element")
  const start = pri[0].length + fields[0].length
  const { elements, end } = parseElements(text, start + found[0].length)
  if (text[end] !== ' ') damaged(text, end, 'a space before the message')
  const message = text.slice(end + 1)
  return {
    ...parseAudit(text, start, found),
    time: timeOf(text, pri[0].length, time),
    facility: value >> 3,
    severity: value & 7,
    hostName,
    appName,
    procId,
    code,
    elements,
    message: unescape(message),
    text: message,
  }
}

function textOf(line: Uint8Array): string {
  if (line.length > entryBytes) throw new AnnalsError('LOG_DAMAGED', `a line of ${line.length} bytes`)
  let text: string
  try {
    text = utf8.decode(line)
  } catch (cause) {
    throw new AnnalsError('LOG_DAMAGED', 'bytes that are no UTF-8', { cause })
  }
  const at = indexOfUnprintable(text)
  return at === -1 ? text : damaged(text, at, 'only printable characters')
}

type AuditElement = Pick<
  StoredEntry,
  'log' | 'position' | 'id' | 'via' | 'by' | 'occurred' | 'clock' | 'part'
>

function parseAudit(text: string, start: number, found: RegExpExecArray): AuditElement {
  const [, log = '', pos = '', id = '', via = '', by = '', occurred, clock, index, count, of] = found
  const position = Number(pos)
  if (!Number.isSafeInteger(position)) damaged(text, start, 'a position')
  if (!uuid.test(id)) damaged(text, start, 'a UUID as id')
  return {
    log: log as LogId,
    position,
    id,
    via: via as Via,
    by: unescapeValue(by) ?? damaged(text, start, 'a well-formed value of by'),
    ...(occurred === undefined ? {} : { occurred: timeOf(text, start, occurred) }),
    ...(clock === undefined ? {} : { clock: timeOf(text, start, clock) }),
    ...(index === undefined ? {} : { part: partOf(text, start, Number(index), Number(count), of ?? '') }),
  }
}

function partOf(
  text: string,
  at: number,
  index: number,
  count: number,
  of: string,
): StoredEntry['part'] & {} {
  if (index > count || !uuid.test(of)) damaged(text, at, 'a part of a whole, and its UUID')
  return { index, count, of }
}

function timeOf(text: string, at: number, written: string): number {
  return parseStoredTime(written) ?? damaged(text, at, 'a time in UTC with six digits of a second')
}

function parseElements(text: string, start: number): { elements: Element[]; end: number } {
  const elements: Element[] = []
  const names = new Set<string>()
  let rank = 0
  let end = start
  while (text[end] === '[') {
    const found = readElement(text, end)
    if ('missing' in found) damaged(text, found.at, found.missing)
    const at = rankOf(found.name, found.params.length)
    if (names.has(found.name) || at < rank)
      damaged(text, end, "no second and no forged element of the log's own")
    rank = at
    names.add(found.name)
    elements.push({ name: found.name, params: parseParams(text, end, found.params) })
    end = found.end
  }
  return { elements, end }
}

// Ours come first, in this order, and never without parameters.
function rankOf(name: string, params: number): number {
  if (!isOurs(name)) return 3
  return params === 0 ? -1 : ['event@32473', 'detail@32473', 'source@32473'].indexOf(name)
}

function parseParams(text: string, at: number, params: Element['params']): Element['params'] {
  return params.map(([name, written]) => [
    name,
    unescapeValue(written) ?? damaged(text, at, `a well-formed value of ${name}`),
  ])
}

function damaged(text: string, index: number, expected: string): never {
  const at = Buffer.byteLength(text.slice(0, index))
  throw new AnnalsError('LOG_DAMAGED', `not a line of an audit log: at byte ${at}, expected ${expected}`)
}

const auditStart = Buffer.from('[audit@32473 v="1" log="')
const positionStart = Buffer.from(' pos="')
const [space, quote, less, greater, zero, nine] = [0x20, 0x22, 0x3c, 0x3e, 0x30, 0x39]

/**
 * Reads only the place from the line in `bytes[start, end)`: where its time and position stand, and nothing else of
 * it, is checked. Undefined where that is not the line of a log. Made for hundreds of thousands of lines.
 */
export function parsePlace(
  bytes: Buffer,
  start: number,
  end: number,
): { time: number; position: number } | undefined {
  let at = start
  if (bytes[at] !== less) return undefined
  do at += 1
  while (at < start + 4 && bytes[at] !== greater)
  if (bytes[at] !== greater || bytes[at + 1] !== 0x31 || bytes[at + 2] !== space) return undefined
  const time = at + 3 + timeLength < end ? readTime(bytes, at + 3) : undefined
  at += 3 + timeLength
  if (time === undefined || bytes[at] !== space) return undefined
  for (let field = 0; field < 4; field++) {
    at += 1
    while (at < end && bytes[at] !== space) at += 1
  }
  at = afterMatch(bytes, at + 1, end, auditStart)
  if (at === -1) return undefined
  while (at < end && bytes[at] !== quote) at += 1
  at = afterMatch(bytes, at + 1, end, positionStart)
  if (at === -1) return undefined
  const position = readPosition(bytes, at, end)
  return position === undefined ? undefined : { time, position }
}

function afterMatch(bytes: Buffer, at: number, end: number, wanted: Buffer): number {
  if (at + wanted.length >= end) return -1
  for (let k = 0; k < wanted.length; k++) if (bytes[at + k] !== wanted[k]) return -1
  return at + wanted.length
}

function readPosition(bytes: Buffer, start: number, end: number): number | undefined {
  let position = 0
  let at = start
  for (; at < end && at < start + 16; at++) {
    const digit = bytes[at] ?? 0
    if (digit < zero || digit > nine) break
    position = position * 10 + (digit - zero)
  }
  const digits = at - start
  if (digits === 0 || (digits > 1 && bytes[start] === zero) || at >= end || bytes[at] !== quote)
    return undefined
  return Number.isSafeInteger(position) ? position : undefined
}
