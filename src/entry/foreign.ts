// Lines that others wrote, in files and over syslog, in the three forms of contract L5:
//
//   rfc5424       <110>1 2025-12-10T07:34:00.267655Z engine-02 nxengine 900 10001 [origin ip="10.2.0.2"] message
//   iso           2025-12-10T08:31:35.279971+01:00 portal-01 nxauditlog: message
//   traditional   Dec 10 08:06:26 engine-01 nxengine[800]: message
//
// The message of the last two is escaped already (L3, `AuditEvent.escaped`). A line is read as it is or not at all:
// what is in none of the forms is `unreadable`, and says why, so that it can be kept whole.

import { decodeText } from './escape.ts'
import type { Element, Micros } from './event.ts'
import { readElement, unquoteValue } from './structured-data.ts'
import { isSaturated, saturate } from './time-zone.ts'
import { isDate, isTimeOfDay, utcSeconds } from './time.ts'

/** What all three forms may say of the sender. Undefined: not said. */
export interface Sender {
  readonly hostName: string | undefined
  readonly appName: string | undefined
  readonly procId: string | undefined
}

/** RFC 5424, strictly. */
export interface Rfc5424Line extends Sender {
  readonly form: 'rfc5424'
  readonly facility: number
  readonly severity: number
  readonly time: Micros | undefined
  /** The time as it was written, where it says more than `time` can. */
  readonly written?: string
  readonly msgId: string | undefined
  /** Values unescaped; bytes in them that are no UTF-8 are lone surrogates (`escape.ts`). */
  readonly elements: readonly Element[]
  /** Without the byte order mark that it may have begun with. */
  readonly message: Uint8Array
  readonly hadBom: boolean
}

/** A line with a whole date; its message is escaped already. */
export interface IsoLine extends Sender {
  readonly form: 'iso'
  /** What is finer than a microsecond is cut off. */
  readonly time: Micros
  /** The time as it was written, where it says more than `time` can. */
  readonly written?: string
  readonly message: Uint8Array
}

/** A line of RFC 3164's form, with neither year nor zone; its message is escaped already. */
export interface TraditionalLine extends Sender {
  readonly form: 'traditional'
  /** 1 to 12. */
  readonly month: number
  /** A day that the month has in some year: February has 29. */
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly message: Uint8Array
}

/** A line in none of the forms, and why. */
export interface UnreadableLine {
  readonly form: 'unreadable'
  readonly reason: string
}

/** A line that others wrote. `blank` holds nothing but white space. */
export type ForeignLine =
  | Rfc5424Line
  | IsoLine
  | TraditionalLine
  | UnreadableLine
  | { readonly form: 'blank' }

/** Reads a line, given as bytes without its newline. Never throws. */
export function parseForeign(line: Uint8Array): ForeignLine {
  // One character for each byte: what is no text must survive.
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1')
  if (/^[ \t\r\v\f]*$/.test(text)) return { form: 'blank' }
  if (text.startsWith('<')) return parseRfc5424(line, text)
  if (/^[0-9]{4}-/.test(text)) return parseIso(line, text)
  if (/^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) /.test(text)) return parseTraditional(line, text)
  return unreadable('it begins with neither a priority nor a time')
}

function unreadable(reason: string): UnreadableLine {
  return { form: 'unreadable', reason }
}

const priority = /^<(0|[1-9][0-9]{0,2})>/
const header = /(\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /y
const byteOrderMark = '\xef\xbb\xbf'

function parseRfc5424(line: Uint8Array, text: string): ForeignLine {
  const pri = priority.exec(text)
  const value = Number(pri?.[1])
  if (pri === null || value > 191) return unreadable('its priority is not <0> to <191>')
  if (!text.startsWith('1 ', pri[0].length)) return unreadable('its version is not 1')
  header.lastIndex = pri[0].length + 2
  const fields = header.exec(text)
  if (fields === null) return unreadable('its header is not that of RFC 5424')
  const [, written = '', hostName = '', appName = '', procId = '', msgId = ''] = fields
  const time = written === '-' ? undefined : parseTimestamp(written, 6)
  if (typeof time === 'string') return unreadable(time)
  const data = parseStructuredData(text, header.lastIndex)
  if (typeof data === 'string') return unreadable(data)
  const { elements, end } = data
  if (end < text.length && text[end] !== ' ') return unreadable('its structured data ends without a space')
  const start = Math.min(end + 1, text.length)
  const hadBom = text.startsWith(byteOrderMark, start)
  return {
    form: 'rfc5424',
    facility: value >> 3,
    severity: value & 7,
    time,
    ...(time === undefined ? {} : writtenOf(written, time)),
    hostName: said(hostName),
    appName: said(appName),
    procId: said(procId),
    msgId: said(msgId),
    elements,
    message: line.subarray(hadBom ? start + byteOrderMark.length : start),
    hadBom,
  }
}

function said(field: string): string | undefined {
  return field === '-' ? undefined : field
}

function parseStructuredData(text: string, start: number): { elements: Element[]; end: number } | string {
  if (text[start] === '-') return { elements: [], end: start + 1 }
  const elements: Element[] = []
  let end = start
  do {
    const found = readElement(text, end)
    if ('missing' in found) return `its structured data lacks ${found.missing} at byte ${found.at}`
    elements.push({ name: found.name, params: found.params.map(([name, value]) => [name, valueOf(value)]) })
    end = found.end
  } while (text[end] === '[')
  return { elements, end }
}

function valueOf(written: string): string {
  return decodeText(Buffer.from(unquoteValue(written), 'latin1'))
}

const isoForm = /^(\S+) ([!-~]{1,255}) /
const tagForm = /([!-Z\\^-~]+?)(?:\[([!-Z\\^-~]*)\])?:(?: |$)/y

function parseIso(line: Uint8Array, text: string): ForeignLine {
  const found = isoForm.exec(text)
  if (found === null) return unreadable('it has no host name')
  const time = parseTimestamp(found[1] ?? '', 9)
  if (typeof time === 'string') return unreadable(time)
  const tagged = parseTagged(line, text, found[0].length)
  return tagged === undefined
    ? unreadable('it has no tag with a colon behind the host name')
    : { form: 'iso', time, ...writtenOf(found[1] ?? '', time), hostName: found[2], ...tagged }
}

function writtenOf(written: string, time: Micros): { written?: string } {
  return isSaturated(time) || /\.[0-9]{7}/.test(written) ? { written } : {}
}

const traditionalForm = /^([A-Z][a-z]{2}) ([ 0-3][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([!-~]{1,255}) /
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const leapYear = 2024

function parseTraditional(line: Uint8Array, text: string): ForeignLine {
  const found = traditionalForm.exec(text)
  if (found === null) return unreadable('it is not of the form Mmm dd hh:mm:ss host')
  const [whole, monthName = '', ...others] = found
  const month = months.indexOf(monthName) / 3 + 1
  const [day = 0, hour = 0, minute = 0, second = 0] = others.slice(0, 4).map(Number)
  if (!isDate(leapYear, month, day)) return unreadable('there is no such date')
  if (!isTimeOfDay(hour, minute, second)) return unreadable('there is no such time')
  const tagged = parseTagged(line, text, whole.length)
  if (tagged === undefined) return unreadable('it has no tag with a colon behind the host name')
  return { form: 'traditional', month, day, hour, minute, second, hostName: others[4], ...tagged }
}

type Tagged = Pick<IsoLine, 'appName' | 'procId' | 'message'>

// `tag: message` or `tag[pid]: message`; the space behind the colon is not the message's.
function parseTagged(line: Uint8Array, text: string, start: number): Tagged | undefined {
  tagForm.lastIndex = start
  const found = tagForm.exec(text)
  if (found === null) return undefined
  return { appName: found[1], procId: found[2] || undefined, message: line.subarray(tagForm.lastIndex) }
}

/** Reads a time with an offset, with at most so many digits of a second; what is finer than a microsecond is cut off. A text
 *  says what is wrong with it. */
export function parseTimestamp(written: string, mostDigits: number): Micros | string {
  const seconds = secondsOf(written.slice(0, dateTimeLength))
  const found = restForm.exec(written.slice(dateTimeLength))
  if (typeof seconds === 'string' || found === null) return typeof seconds === 'string' ? seconds : noTime
  const [, fraction = '', sign, offsetHour, offsetMinute] = found
  if (fraction.length > mostDigits) return `the fraction of its second has more than ${mostDigits} digits`
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'))
  if (sign === undefined) return saturate(seconds, micros)
  const [hours, minutes] = [Number(offsetHour), Number(offsetMinute)]
  if (hours > 23 || minutes > 59) return 'there is no such offset'
  const offset = hours * 3600 + minutes * 60
  return saturate(sign === '-' ? seconds + offset : seconds - offset, micros)
}

const noTime = 'its time is not of the form yyyy-mm-ddThh:mm:ss with an offset'
const dateTimeForm = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})$/
const dateTimeLength = 19
const restForm = /^(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/

// Lines and events that come behind each other are mostly of one second.
let lastDateTime = ''
let lastSeconds: number | string = noTime

function secondsOf(written: string): number | string {
  if (written === lastDateTime) return lastSeconds
  const found = dateTimeForm.exec(written)
  if (found === null) return noTime
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number)
  lastSeconds = utcSeconds(year, month, day, hour, minute, second) ?? 'there is no such date or time'
  lastDateTime = written
  return lastSeconds
}
