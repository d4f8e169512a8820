// The entries that the portal writes about its own API (S7): a log was read, a read was refused, a transfer
// broke. They say parsed values only, never what was typed: queries may hold anything.

import type { Draft } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { formatMicros } from '../entry/time.ts'
import type { ErrorCode } from '../errors.ts'
import type { ReadPlace } from '../log/audit-log.ts'
import type { Call } from './call.ts'
import type { BreakReason } from './metrics.ts'
import type { Portal } from './portal.ts'

/** A transfer that broke: bytes of the content that were given to the network, of how many. */
export interface Break {
  readonly reason: BreakReason
  readonly sent: number
  readonly bytes: number
}

/** What a read came to. A read of several logs has positions in none of them. */
export type ReadExtent = Pick<ReadPlace, 'start' | 'end' | 'bytes'> & Partial<Pick<ReadPlace, 'from' | 'to'>>

/** 29001: what was read, by whom. */
export function readEntry(portal: Portal, call: Call, read: ReadExtent): Draft {
  return draft(portal, call, 29001, 'success', {
    // The beginning of all time: the window has no start.
    start: read.start <= Number.MIN_SAFE_INTEGER ? '-' : formatMicros(read.start),
    end: formatMicros(read.end),
    from: String(read.from ?? '-'),
    to: String(read.to ?? '-'),
    bytes: String(read.bytes),
  })
}

/** 29002: valid credentials, and still refused. */
export function refusedEntry(portal: Portal, call: Call, code: ErrorCode): Draft {
  return draft(portal, call, 29002, 'failure', { reason: code })
}

/** 29003: the answer's head went out, or was about to, and not all of its body. */
export function brokenEntry(portal: Portal, call: Call, { reason, sent, bytes }: Break): Draft {
  return draft(portal, call, 29003, 'failure', { reason, sent: String(sent), bytes: String(bytes) })
}

function draft(
  portal: Portal,
  call: Call,
  code: number,
  outcome: 'success' | 'failure',
  fields: Readonly<Record<string, string>>,
): Draft {
  const event = selfEvent({
    code,
    actor: call.principal.name,
    session: call.principal.session,
    hostName: portal.hostName,
    component: portal.component,
    outcome,
    target: call.target,
    fields,
    details: [
      ['source', call.source],
      ['method', call.request.method],
    ],
  })
  return draftOf(event, portal.log.id)
}
