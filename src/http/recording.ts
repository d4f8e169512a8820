// Who may record here, and the gate before it: what every route that takes events begins with.

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { AuditEvent } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { AnnalsError, isAnnalsError, isUnrecordable } from '../errors.ts'
import type { CallerClaim, Principal } from '../identity/principal.ts'
import { mayRecord } from '../identity/rights.ts'
import { recordScope } from '../identity/scope.ts'
import type { Intake } from '../intake/intake.ts'
import type { Loss } from '../intake/losses.ts'
import { deliveryRetryMs, postedNameCharacters, refusalTries } from '../limits.ts'
import { notRecorded } from './content.ts'
import { toRefusal } from './errors.ts'
import type { Node } from './node.ts'
import { BrokenTransfer } from './outlet.ts'
import { sourceOf } from './source.ts'
import { hasLargeBody } from './unread-body.ts'

/** What a face that takes events needs: who calls, and where events go. */
export interface Recording {
  /** As `Identity.authenticate`; at the record socket it asks for nothing. */
  authenticate(claim: CallerClaim): Promise<Principal>
  readonly intake: Intake
}

/** A node whose face takes events. */
export interface RecordingNode extends Node {
  readonly recording: Recording
}

/** One call by somebody who may record something. */
export interface RecorderCall {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly caller: Principal
  /** The address that it came from. */
  readonly source: string
}

/** How a route refuses a whole request; `headers` go with the answer. */
export type RecordingRefusal = (call: Arriving, error: unknown, headers: readonly string[]) => void

/** A request that has not been read yet, and what answers it. */
export type Arriving = Pick<RecorderCall, 'request' | 'reply'>

/**
 * Makes the handler of a route that takes events. It lets a caller in who has valid credentials and may record something,
 * in the contract's order: 503 (E10), 401 (E5), 403 (E6), then whatever `work` refuses. None of the body is read before.
 * What may not be recorded is an entry before it is an answer (S7).
 */
export function recorderRoute(
  node: RecordingNode,
  refuseWith: RecordingRefusal,
  work: (call: RecorderCall) => Promise<void>,
): RouteHandlerMethod {
  return async (request, reply) => {
    node.calls.begin()
    try {
      await admitted(node, { request, reply }, refuseWith, work)
    } catch (error) {
      abandonOrRefuse(node, { request, reply }, error, refuseWith)
    } finally {
      node.calls.end()
    }
  }
}

async function admitted(
  node: RecordingNode,
  arriving: Arriving,
  refuseWith: RecordingRefusal,
  work: (call: RecorderCall) => Promise<void>,
): Promise<void> {
  if (!node.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
  const source = sourceOf(node, arriving.request)
  const { authorization } = arriving.request.raw.headers
  const caller = await node.recording.authenticate({ authorization, source })
  const call = { ...arriving, caller, source }
  if (caller.rights.records !== undefined) return await work(call)
  refuseArriving(arriving, mayNotRecord(caller), await recordForbidden(node, call, 'all'), refuseWith)
}

function abandonOrRefuse(
  node: RecordingNode,
  arriving: Arriving,
  error: unknown,
  refuseWith: RecordingRefusal,
): void {
  if (!(error instanceof BrokenTransfer)) return refuseArriving(arriving, error, [], refuseWith)
  // What was recorded stays. Nobody is there to be told, or the answer has broken off: it must not look as if it had ended.
  arriving.reply.hijack()
  arriving.request.raw.socket.destroy()
  node.metrics.broken(error.reason)
}

// The rest of a large body is not waited for, nor that of one which did not come.
function refuseArriving(
  arriving: Arriving,
  error: unknown,
  headers: readonly string[],
  refuseWith: RecordingRefusal,
): void {
  const { request, reply } = arriving
  const isLate = isAnnalsError(error, 'REQUEST_TIMEOUT')
  if (!request.raw.complete && (isLate || hasLargeBody(request.raw))) reply.raw.shouldKeepAlive = false
  refuseWith(arriving, error, headers)
}

/** What is counted of a refusal: one thing that came over HTTP, unless it is given. */
export type Counting = Partial<Pick<Loss, 'via' | 'count'>>

/** Does what may refuse an event, or a request with events. A refusal is counted as a loss (I7), and thrown. */
export function counted<T>(node: RecordingNode, call: RecorderCall, work: () => T, counting?: Counting): T {
  try {
    return work()
  } catch (error) {
    countLoss(node, call, error, counting)
    throw error
  }
}

/** The same for what takes time. */
export async function countedLater<T>(
  node: RecordingNode,
  call: RecorderCall,
  work: () => Promise<T>,
  counting?: Counting,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    countLoss(node, call, error, counting)
    throw error
  }
}

function countLoss(
  { recording: { intake } }: RecordingNode,
  { caller }: RecorderCall,
  error: unknown,
  counting?: Counting,
): void {
  // A client that has gone knows that it has no answer.
  if (!(error instanceof BrokenTransfer))
    intake.refused({ via: 'http', source: caller.name, reason: toRefusal(error).code, ...counting })
}

/** Whether a caller may record an event. */
export function mayRecordEvent({ rights }: Principal, { component = '', code }: AuditEvent): boolean {
  const number = Number(code)
  return mayRecord(rights, component, number, number >= 29_000 && number <= 29_999)
}

/** Why somebody with valid credentials may record nothing, or not this event (E6; RFC 6750 section 3.1). */
export function mayNotRecord({ scheme }: Principal, event?: AuditEvent): AnnalsError {
  const what = event === undefined ? 'events' : nameOf(event)
  if (scheme === 'Basic') return new AnnalsError('FORBIDDEN', `this account may not record ${what}`)
  if (scheme === 'Local')
    return new AnnalsError('FORBIDDEN', `the record socket does not allow to record ${what}`)
  return new AnnalsError('FORBIDDEN', `this access token does not allow to record ${what}`, {
    bearer: { error: 'insufficient_scope', scope: recordScope },
  })
}

// As it was judged: what it did not say has been filled in.
function nameOf({ code, component }: AuditEvent): string {
  const what = code === '-' ? 'what has no code' : `code ${code}`
  return component === undefined ? what : `${what} of ${component.slice(0, postedNameCharacters)}`
}

/**
 * Records that valid credentials were refused, for so many events: 29072, which is durable before the answer (S7).
 * Returns the headers by which the answer says that this could not be recorded.
 */
export async function recordForbidden(
  node: RecordingNode,
  { request, caller, source }: RecorderCall,
  events: number | 'all',
): Promise<readonly string[]> {
  const { hostName, component, log } = node
  const event = selfEvent({
    code: 29072,
    actor: caller.name,
    session: caller.session,
    hostName,
    component,
    outcome: 'failure',
    target: hostName,
    fields: { reason: 'FORBIDDEN', events: String(events) },
    details: [
      ['source', source],
      ['method', request.method],
    ],
  })
  const draft = draftOf(event, log.id)
  for (let tries = 1, pauseMs = deliveryRetryMs; ; tries += 1, pauseMs *= 2) {
    try {
      await log.record(draft)
      return []
    } catch (error) {
      if (tries === refusalTries || isUnrecordable(error)) break
    }
    await sleep(pauseMs)
  }
  // What was recorded of the request is recorded: its answer is not to be another for that.
  node.metrics.unrecorded()
  return notRecorded
}
