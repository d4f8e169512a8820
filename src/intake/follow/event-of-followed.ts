// The event of a line of a followed file: read by a mapping where the file has one, else in the three forms of contract
// L5. Whatever cannot be read is kept whole.

import type { AuditEvent, Micros } from '../../entry/event.ts'
import { parseForeign } from '../../entry/foreign.ts'
import { followLineBytes } from '../../limits.ts'
import { eventOfLine, rawEvent } from '../event-of-line.ts'
import type { FileMapping } from '../../entry/file-mapping.ts'
import { mappedEvent } from './mapped-event.ts'
import type { RecentTimes } from './recent-times.ts'

/** What is known of a file's lines. */
export interface LineSource {
  /** The path at which the file was first seen. */
  readonly by: string
  /** The node's own, for lines that name none. */
  readonly hostName: string
  readonly component: string
  readonly mapping: FileMapping | undefined
  readonly times: RecentTimes
}

/** The event of a line, given without its newline; undefined where it is blank. */
export function eventOfFollowed(
  line: Uint8Array,
  id: string,
  now: Micros,
  source: LineSource,
): AuditEvent | undefined {
  const { by, hostName, component, mapping, times } = source
  const parsed = parseForeign(line)
  if (parsed.form === 'blank') return undefined
  if (mapping !== undefined) return mappedEvent(line, mapping, { by, id, hostName, component })
  const occurred = times.of(parsed, now)
  const problem = typeof occurred === 'string' ? occurred : undefined
  const event = eventOfLine(parsed, line, { via: 'file', by, id, hostName }, problem)
  return typeof occurred === 'number' ? { ...event, occurred } : event
}

/** The event of a piece of a line that is too long; undefined where nothing is in it. */
export function eventOfPiece(
  piece: Uint8Array,
  id: string,
  { by, hostName }: Pick<LineSource, 'by' | 'hostName'>,
): AuditEvent | undefined {
  if (piece.length === 0) return undefined
  const reason = `a piece of a line that is longer than ${followLineBytes} bytes`
  return rawEvent(piece, reason, { via: 'file', by, id, hostName })
}
