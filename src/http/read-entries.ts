// The entries that the portal writes about its own API (S7): a log was read, a read was refused, a transfer
// broke. They say parsed values only, never what was typed: queries may hold anything.

import type { AuditEvent, Draft, Micros } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { isHostName } from '../entry/host-name.ts'
import { selfEvent } from '../entry/self-event.ts'
import { formatMicros } from '../entry/time.ts'
import { resolveWindow, type Window } from '../entry/window.ts'
import { type AnnalsError, eachOf } from '../errors.ts'
import { namedEngines } from '../limits.ts'
import type { ReadPlace, Snapshot } from '../log/audit-log.ts'
import type { Call } from './call.ts'
import type { BreakReason } from './metrics.ts'
import type { Node } from './node.ts'

/** A transfer that broke: bytes of the content that were given to the network, of how many. */
export interface Break {
  readonly reason: BreakReason
  readonly sent: number
  readonly bytes: number
}

type Details = NonNullable<AuditEvent['details']>

/** What a read came to. */
export type ReadExtent = Pick<ReadPlace, 'start' | 'end' | 'from' | 'to' | 'bytes'>

/** 29001: what was read, by whom. `details` say more: by way of which portal, from which log. */
export function readEntry(node: Node, call: Call, read: ReadExtent, details: Details = []): Draft {
  const fields = {
    start: momentOf(read.start),
    end: formatMicros(read.end),
    from: String(read.from),
    to: String(read.to),
    bytes: String(read.bytes),
  }
  return draft(node, call, 29001, 'success', fields, details)
}

/** 29006: the logs of all engines were read. Each engine's own entry says which positions. */
function allReadEntry(node: Node, call: Call, all: AllRead, now: Micros): Draft {
  const { start, end } = resolveWindow(all.window, now)
  const { engines, bytes, set, manifest } = all
  const window = { start: momentOf(start), end: formatMicros(end) }
  return draft(node, call, 29006, 'success', {
    engines: String(engines),
    ...window,
    bytes: String(bytes),
    set,
    manifest,
  })
}

/** What a read of all engines came to. */
export interface AllRead {
  readonly window: Window
  readonly engines: number
  readonly bytes: number
  /** Names which positions of which logs (R4). */
  readonly set: string
  /** The SHA-256 of the manifest (`verify/engines-manifest.ts`), in hexadecimal digits. */
  readonly manifest: string
}

/** What the portal's own entry of a read that it passes on came to. */
export type PassedOn = Pick<Snapshot, 'now' | 'mark'>

/**
 * Records in the portal's log that it passes on a read of others. A window of no length is read of its own log: so
 * "now" is fixed, and the read goes on where there is no room to record it (I9).
 */
export function recordPassedOn(
  portal: Node,
  call: Call,
  { log, ...read }: ReadExtent & { readonly log: string },
): Promise<PassedOn> {
  return portal.log.read({ elapsed: 0 }, () => readEntry(portal, call, read, [['log', log]]))
}

/** The same for a read of all engines. */
export function recordAllPassedOn(portal: Node, call: Call, all: AllRead): Promise<PassedOn> {
  return portal.log.read({ elapsed: 0 }, ({ time }) => allReadEntry(portal, call, all, time))
}

/** 29002: valid credentials, and still refused. Names the engines that it is about, where there are such. */
export function refusedEntry(node: Node, call: Call, error: AnnalsError): Draft {
  const engines = eachOf(error).flatMap(({ engine }) =>
    engine !== undefined && isHostName(engine) ? [engine] : [],
  )
  const named = engines.slice(0, namedEngines).join(' ')
  return draft(node, call, 29002, 'failure', {
    reason: error.code,
    ...(named === '' ? {} : { engines: named }),
    ...(engines.length > namedEngines ? { engineCount: String(engines.length) } : {}),
  })
}

/** 29003: the answer's head went out, or was about to, and not all of its body. */
export function brokenEntry(node: Node, call: Call, { reason, sent, bytes }: Break): Draft {
  return draft(node, call, 29003, 'failure', { reason, sent: String(sent), bytes: String(bytes) })
}

function nonceOf({ nonce }: Call): Details {
  return nonce === undefined ? [] : [['nonce', nonce]]
}

// The beginning of all time: the window has no start.
function momentOf(start: Micros): string {
  return start <= Number.MIN_SAFE_INTEGER ? '-' : formatMicros(start)
}

function draft(
  node: Node,
  call: Call,
  code: number,
  outcome: 'success' | 'failure',
  fields: Readonly<Record<string, string>>,
  details: Details = [],
): Draft {
  const event = selfEvent({
    code,
    actor: call.caller.name,
    session: call.caller.session,
    hostName: node.hostName,
    component: node.component,
    outcome,
    target: call.target,
    fields,
    details: [
      ['source', call.source],
      ['method', call.method ?? call.request.method],
      ...nonceOf(call),
      ...details,
    ],
  })
  return draftOf(event, node.log.id)
}
