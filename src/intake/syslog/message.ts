// A syslog message as it comes over the wire (contract L5), read in this order:
//
//   <13>1 2025-12-10T07:34:00.267655Z host app 900 20101 [origin ip="10.2.0.2"] text    RFC 5424
//   <13>2025-12-10T08:31:35.279971+01:00 host tag[900]: text                            as rsyslog forwards
//   <13>Dec 10 08:06:26 host tag[900]: text                                             RFC 3164
//   <13>Dec 10 08:06:26 tag[900]: text                                                  as syslog(3) and logger write
//   <13>text                                                                            RFC 3164 section 4.3.2
//   text                                                                                RFC 3164 section 4.3.3
//
// Nothing is guessed: where no host or tag can be told from the text, all of it is text; what is RFC 5424 by its version
// and not by the rest is kept whole, and says why. Other than in files, the text is not escaped (L3): it is the bytes that
// were sent. Made of scans and expressions that cannot backtrack: this is run a hundred thousand times a second.

import type { Element, Micros } from '../../entry/event.ts'
import { readHeader } from '../../entry/header.ts'
import { readElement, unquoteValue } from '../../entry/structured-data.ts'
import { isSaturated } from '../../entry/time-zone.ts'
import { isoTime, SenderTimes } from './sender-times.ts'

/** A message, read. What the sender did not say is undefined. */
export interface SyslogMessage {
  facility: number
  severity: number
  /** Undefined where none is said. */
  time?: Micros
  /** The time as it was written, where it says more than `time` can. */
  written?: string
  hostName?: string
  appName?: string
  procId?: string
  msgId?: string
  elements?: readonly Element[]
  /** True for an RFC 5424 message whose text began with a byte order mark; `text` is without it. */
  hadBom?: boolean
  text: string
  /** Why the message was kept whole. */
  unreadable?: string
}

/** The priority of a message that has none (RFC 3164 section 4.3.3): user-level, notice. */
const defaultPriority = 13
const hostForm = /([!-~]{1,255}) /y
/** `tag:`, `tag[pid]:` or, as rsyslog forwards RFC 5424, `tag[pid]`; the space behind it is not the text's. */
const tagForm = /([!-Z\\^-~]+?)(?:\[([!-Z\\^-~]*)\]:?|:)(?: |$)/y
const byteOrderMark = 0xfeff

/** Reads messages, and remembers of each what the next one has in common with it. */
export class SyslogReader {
  readonly #times: SenderTimes

  /** RFC 3164 has neither year nor zone: the zone is `timeZone`, and the year the one that is nearest to now. */
  constructor(parts: { readonly timeZone: string; readonly clock: { wallMicros(): Micros } }) {
    this.#times = new SenderTimes(parts)
  }

  /** Reads one, given without what ends it. Never throws. */
  read(message: string): SyslogMessage {
    const priority = readPriority(message)
    if (priority === undefined) return whole(message, defaultPriority)
    const start = priority < 10 ? 3 : priority < 100 ? 4 : 5
    if (message.startsWith('1 ', start)) return this.#rfc5424(message, start + 2, priority)
    return this.#older(message, start, priority)
  }

  #rfc5424(message: string, start: number, priority: number): SyslogMessage {
    // TIMESTAMP HOSTNAME APP-NAME PROCID MSGID, each with the space behind it.
    const hostAt = endOfField(message, start, 64)
    const appAt = endOfField(message, hostAt, 255)
    const procAt = endOfField(message, appAt, 48)
    const msgIdAt = endOfField(message, procAt, 128)
    const dataAt = endOfField(message, msgIdAt, 32)
    if (dataAt === -1) return whole(message, priority, 'its header is not that of RFC 5424')
    const read: SyslogMessage = { facility: priority >> 3, severity: priority & 7, text: '' }
    const written = field(message, start, hostAt)
    const time = written === undefined ? undefined : this.#times.iso(written)
    if (typeof time === 'string') return whole(message, priority, time)
    if (time !== undefined && written !== undefined) setTime(read, time, written)
    const hostName = field(message, hostAt, appAt)
    if (hostName !== undefined) read.hostName = hostName
    const appName = field(message, appAt, procAt)
    if (appName !== undefined) read.appName = appName
    const procId = field(message, procAt, msgIdAt)
    if (procId !== undefined) read.procId = procId
    const msgId = field(message, msgIdAt, dataAt)
    if (msgId !== undefined) read.msgId = msgId
    const problem = readRest(read, message, dataAt)
    return problem === undefined ? read : whole(message, priority, problem)
  }

  #older(message: string, start: number, priority: number): SyslogMessage {
    const read: SyslogMessage = { facility: priority >> 3, severity: priority & 7, text: '' }
    const timeEnd = this.#readTime(read, message, start)
    if (timeEnd === undefined) readTagOfHeader(read, message, start)
    else readSender(read, message, timeEnd)
    return read
  }

  // Where the time ends, its space included; undefined where there is none.
  #readTime(read: SyslogMessage, message: string, start: number): number | undefined {
    const end = isoTime(message, start) ? message.indexOf(' ', start) : -1
    if (end !== -1) {
      const written = message.slice(start, end)
      const time = this.#times.iso(written)
      if (typeof time === 'string') return undefined
      setTime(read, time, written)
      return end + 1
    }
    const time = this.#times.traditional(message, start)
    if (time === undefined) return undefined
    read.time = time
    return start + 'Dec 10 08:06:26 '.length
  }
}

// Where the next field begins: behind one of 1 to `most` printable characters and a space; -1 where there is none.
function endOfField(message: string, start: number, most: number): number {
  if (start === -1) return -1
  const end = Math.min(message.length, start + most + 1)
  for (let at = start; at < end; at++) {
    const code = message.charCodeAt(at)
    if (code === 0x20) return at === start ? -1 : at + 1
    if (code < 0x21 || code > 0x7e) return -1
  }
  return -1
}

// The field between two such places; undefined for `-`.
function field(message: string, start: number, next: number): string | undefined {
  return next - start === 2 && message.charCodeAt(start) === 0x2d ? undefined : message.slice(start, next - 1)
}

// What is finer than a microsecond, or farther away than can be told, is in the entry only as it was written.
function setTime(read: SyslogMessage, time: Micros, written: string): void {
  read.time = time
  if (isSaturated(time)) read.written = written
  if (written.length > '2025-12-10T07:34:00.267655+01:00'.length - 5 && /\.[0-9]{7}/.test(written))
    read.written = written
}

// `<0>` to `<191>`, without leading zeros.
function readPriority(message: string): number | undefined {
  if (message.charCodeAt(0) !== 0x3c) return undefined
  let value = 0
  let at = 1
  for (; at < 4; at++) {
    const digit = message.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  if (at === 1 || message.charCodeAt(at) !== 0x3e || value > 191) return undefined
  return at > 2 && message.charCodeAt(1) === 0x30 ? undefined : value
}

function whole(text: string, priority: number, unreadable?: string): SyslogMessage {
  const read = { facility: priority >> 3, severity: priority & 7, text }
  return unreadable === undefined ? read : { ...read, unreadable }
}

// Structured data and text of RFC 5424. Says what is wrong with it.
function readRest(read: SyslogMessage, message: string, start: number): string | undefined {
  let end = start + 1
  if (message.charCodeAt(start) !== 0x2d) {
    const data = readElements(message, start)
    if (typeof data === 'string') return data
    read.elements = data.elements
    end = data.end
  }
  if (end < message.length && message.charCodeAt(end) !== 0x20)
    return 'its structured data ends without a space'
  const hadBom = message.charCodeAt(end + 1) === byteOrderMark
  if (hadBom) read.hadBom = true
  read.text = message.slice(hadBom ? end + 2 : end + 1)
  return undefined
}

function readElements(message: string, start: number): { elements: Element[]; end: number } | string {
  const elements: Element[] = []
  let end = start
  do {
    const found = readElement(message, end)
    if ('missing' in found) return `its structured data lacks ${found.missing} at character ${found.at}`
    elements.push({
      name: found.name,
      params: found.params.map(([name, value]) => [name, unquoteValue(value)]),
    })
    end = found.end
  } while (message.charCodeAt(end) === 0x5b)
  return { elements, end }
}

// Host and tag, or the tag alone: a host name does not end with a colon. Without a tag all is text.
function readSender(read: SyslogMessage, message: string, start: number): void {
  if (readTag(read, message, start)) return
  hostForm.lastIndex = start
  const hostName = hostForm.exec(message)?.[1]
  if (hostName !== undefined && readTag(read, message, start + hostName.length + 1)) read.hostName = hostName
  else read.text = message.slice(start)
}

function readTag(read: SyslogMessage, message: string, start: number): boolean {
  tagForm.lastIndex = start
  const found = tagForm.exec(message)
  if (found === null) return false
  const [, appName, procId] = found
  if (appName !== undefined) read.appName = appName
  if (procId !== undefined && procId !== '') read.procId = procId
  read.text = message.slice(tagForm.lastIndex)
  return true
}

// Without a time, all is text (RFC 3164 section 4.3.2), unless it is a tag with the product's header behind it.
function readTagOfHeader(read: SyslogMessage, message: string, start: number): void {
  tagForm.lastIndex = start
  const isTagged = tagForm.test(message) && readHeader(message.slice(tagForm.lastIndex)) !== undefined
  if (isTagged) readTag(read, message, start)
  else read.text = message.slice(start)
}
