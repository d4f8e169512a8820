// The event that a syslog message stands for. Whose code it claims is kept as it is: how it came (`via="syslog"`) and
// from whom only the log says (contract L2).

import type { AuditEvent } from '../../entry/event.ts'
import { type Header, readHeader } from '../../entry/header.ts'
import type { Flaw } from './framing.ts'
import type { SyslogMessage } from './message.ts'

/** What is known of a message besides itself. */
export interface SyslogSource {
  /** The peer's address, its certificate's name, or `*local`. */
  readonly by: string
  /** Where it comes from, for messages that do not say. */
  readonly hostName: string
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The event of a message. */
export function eventOfMessage(
  id: string,
  message: SyslogMessage,
  source: SyslogSource,
  flaw?: Flaw,
): AuditEvent {
  const header = headerOf(message.text)
  const event: Mutable<AuditEvent> = {
    id,
    via: 'syslog',
    by: source.by,
    code: header?.code ?? message.msgId ?? '-',
    severity: message.severity,
    facility: message.facility,
    hostName: message.hostName ?? source.hostName,
    appName: message.appName ?? '-',
    message: message.text,
  }
  if (message.procId !== undefined) event.procId = message.procId
  if (message.time !== undefined) event.occurred = message.time
  if (message.elements !== undefined) event.elements = message.elements
  if (header !== undefined) {
    event.actor = header.actor
    event.component = header.component
    if (header.category !== undefined) event.category = header.category
  }
  const details = detailsOf(message, event.code, flaw)
  if (details.length > 0) event.details = details
  return event
}

// rsyslog puts a space before the text of what it sends as RFC 5424: the text keeps it.
function headerOf(text: string): Header | undefined {
  if (text.charCodeAt(0) === 0x5b) return readHeader(text)
  return text.startsWith(' [') ? readHeader(text.slice(1)) : undefined
}

const none: [string, string][] = []

// What the entry's own header has no place for.
function detailsOf(message: SyslogMessage, code: string, flaw: Flaw | undefined): [string, string][] {
  const { msgId, hadBom, written, unreadable } = message
  const isPlain =
    flaw === undefined && unreadable === undefined && hadBom === undefined && written === undefined
  if (isPlain && (msgId === undefined || msgId === code)) return none
  const details: [string, string][] = []
  if (msgId !== undefined && msgId !== code) details.push(['msgid', msgId])
  if (hadBom === true) details.push(['bom', 'true'])
  if (written !== undefined) details.push(['timestamp', written])
  if (unreadable !== undefined) details.push(['unreadable', unreadable])
  if (flaw !== undefined) details.push([flaw, 'true'])
  return details
}
