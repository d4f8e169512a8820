// The event that a line of somebody else's log file stands for (contract L5, W9). Nothing of the line is thrown away:
// what is in none of the forms is kept whole, and marked.

import { randomUUID } from 'node:crypto'
import type { AuditEvent, Element, Via } from '../entry/event.ts'
import type { ForeignLine } from '../entry/foreign.ts'
import { readHeader } from '../entry/header.ts'

/** What is known of a line besides itself. */
export interface LineContext {
  /** How it comes: an import unless it is given. */
  readonly via?: Via
  /** Who imports or sends it. */
  readonly by: string
  /** The event's id; made here unless it is given. */
  readonly id?: string
  /** This node's name, for lines that name none. */
  readonly hostName: string
}

/** A line that can be kept: any but a blank one. */
export type KeptLine = Exclude<ForeignLine, { form: 'blank' }>

const notice = 5

/** The event of a line. `raw` is the line itself; `problem` says why its time was not taken. */
export function eventOfLine(
  line: KeptLine,
  raw: Uint8Array,
  context: LineContext,
  problem?: string,
): AuditEvent {
  const reason = problem ?? (line.form === 'unreadable' ? line.reason : undefined)
  if (line.form === 'unreadable' || reason !== undefined) return rawEvent(raw, reason ?? '', context)
  const header = readHeader(line.message)
  const msgId = line.form === 'rfc5424' ? line.msgId : undefined
  const code = header?.code ?? msgId ?? '-'
  return {
    id: context.id ?? randomUUID(),
    via: context.via ?? 'import',
    by: context.by,
    code,
    severity: line.form === 'rfc5424' ? line.severity : notice,
    hostName: line.hostName ?? context.hostName,
    appName: line.appName ?? '-',
    ...(line.procId === undefined ? {} : { procId: line.procId }),
    ...(line.form === 'rfc5424' ? { facility: line.facility } : { escaped: true }),
    ...(header === undefined ? {} : { actor: header.actor, component: header.component }),
    ...(header?.category === undefined ? {} : { category: header.category }),
    ...detailsOf(line, code),
    ...elementsOf(line),
    message: line.message,
  }
}

/** The event of a line that cannot be read, for a reason: kept whole. */
export function rawEvent(raw: Uint8Array, reason: string, context: LineContext): AuditEvent {
  const { by, hostName, via = 'import', id = randomUUID() } = context
  const details = [['unreadable', reason]] as const
  return { id, via, by, code: '-', severity: notice, hostName, details, message: raw }
}

// What the entry's own header has no place for.
function detailsOf(line: KeptLine, code: string): Pick<AuditEvent, 'details'> {
  if (line.form === 'traditional' || line.form === 'unreadable') return {}
  const details: [string, string][] = []
  if (line.form === 'rfc5424') {
    if (line.msgId !== undefined && line.msgId !== code) details.push(['msgid', line.msgId])
    if (line.hadBom) details.push(['bom', 'true'])
    if (line.time === undefined) details.push(['timestamp', '-'])
  }
  if (line.written !== undefined) details.push(['timestamp', line.written])
  return details.length === 0 ? {} : { details }
}

function elementsOf(line: KeptLine): { elements?: readonly Element[] } {
  return line.form === 'rfc5424' && line.elements.length > 0 ? { elements: line.elements } : {}
}
