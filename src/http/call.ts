// A call of the Audit Trail API by somebody: who it is, whether they may, and what becomes of a refusal.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../identity/principal.ts'
import type { Rights } from '../identity/rights.ts'
import { readScope } from '../identity/scope.ts'
import { AnnalsError, isAnnalsError, type ErrorCode, isUnrecordable } from '../errors.ts'
import type { FoundEngine } from '../federation/engines.ts'
import type { Reader } from '../federation/inner-api.ts'
import { notRecorded } from './content.ts'
import { refuse } from './errors.ts'
import type { Node } from './node.ts'
import { BrokenTransfer } from './outlet.ts'
import type { Portal } from './portal.ts'
import { refusedEntry } from './read-entries.ts'
import { sourceOf } from './source.ts'
import { recordBreak } from './transfer.ts'

/** Who calls, as entries name them. */
export type Caller = Pick<Principal, 'name'> & Partial<Omit<Principal, 'name'>>

/** One authenticated call. */
export interface Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly caller: Caller
  /** The address that it came from. */
  readonly source: string
  /** The request's method, where it is not the one that entries should name. */
  readonly method?: string
  /** Whose log is asked for, as entries name it: `portal`, `engine/<host name>` or `engines`. */
  readonly target: string
  /** What the caller wants to find in the entry of the read (`proof-headers.ts`). */
  readonly nonce?: string | undefined
}

/** One call by somebody who may read. */
export type ReaderCall = Call & { readonly caller: Principal }

/** What a route is about: whose log, as entries name it, and whether a caller may read it. */
export interface Reading {
  readonly target: string
  readonly isAllowed: (rights: Rights) => boolean
}

/**
 * Lets a caller with valid credentials and the right to read do `work`, in the contract's order: 503 (E10),
 * 401 (E5), 403 (E6), then whatever `work` refuses. Every refusal after 401 is an entry before it is an
 * answer (S7).
 */
export async function asReader(
  portal: Portal,
  request: FastifyRequest,
  reply: FastifyReply,
  reading: Reading,
  work: (call: ReaderCall) => Promise<void>,
): Promise<void> {
  portal.calls.begin()
  try {
    await asReadyReader(portal, request, reply, reading, work)
  } finally {
    portal.calls.end()
  }
}

async function asReadyReader(
  portal: Portal,
  request: FastifyRequest,
  reply: FastifyReply,
  { target, isAllowed }: Reading,
  work: (call: ReaderCall) => Promise<void>,
): Promise<void> {
  if (!portal.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
  const source = sourceOf(portal, request)
  const { authorization } = request.raw.headers
  const caller = await portal.identity.authenticate({ authorization, source })
  const call = { request, reply, caller, source, target }
  try {
    if (!isAllowed(caller.rights)) throw forbidden(caller)
    await work(call)
  } catch (error) {
    if (error instanceof BrokenTransfer) return await abandon(portal, call, error)
    await refuseCall(portal, call, error)
  }
}

/** Why somebody with valid credentials may not (E6; RFC 6750 section 3.1). */
export function forbidden({ scheme, rights }: Principal): AnnalsError {
  if (scheme === 'Basic')
    return new AnnalsError(
      'FORBIDDEN',
      'this account may not read audit logs: it has no administrator rights',
    )
  const others = rights.reads.length > 0 ? 'it is for other logs only' : 'it has no scope for that'
  return new AnnalsError('FORBIDDEN', `this access token does not allow to read this log: ${others}`, {
    bearer: { error: 'insufficient_scope', scope: readScope },
  })
}

// The caller went away before there was anything to send. No engine is to blame for that, and nobody is there to be told.
async function abandon(node: Node, call: Call, error: BrokenTransfer): Promise<void> {
  call.reply.hijack()
  call.request.raw.socket.destroy()
  await recordBreak(node, call, { sent: 0, bytes: 0 }, error)
}

/** Records the refusal of a call, and answers with it. `headers` go with the answer. */
export async function refuseCall(
  node: Node,
  call: Call,
  error: unknown,
  headers: readonly string[] = [],
): Promise<void> {
  const answer = (error: unknown, more: readonly string[] = []) =>
    refuse(node, call.request, call.reply, error, [...headers, ...more])
  if (!isAnnalsError(error) || !recordedCodes.has(error.code)) return answer(error)
  try {
    await node.log.record(refusedEntry(node, call, error))
  } catch (failure) {
    node.metrics.unrecorded()
    // I9: no room is no reason to answer otherwise. Any other failure is, for the entry may come too late.
    if (isUnrecordable(failure)) return answer(error, notRecorded)
    return answer(failure)
  }
  return answer(error)
}

// The rest is a fault of ours, or a log that could not record the refusal either.
const recordedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FORBIDDEN',
  'NOT_ACCEPTABLE',
  'INVALID_PARAMETER',
  'UNKNOWN_ENGINE',
  'UNREACHABLE_ENGINE',
  'UNREACHABLE_INSTANCE',
  'RANGE_NOT_SATISFIABLE',
  'UNAVAILABLE',
])

/** Who reads, as an engine's own entry is to say it. */
export function readerOf({ caller: { name, session }, source, request: { method }, nonce }: Call): Reader {
  return {
    name,
    source,
    method,
    ...(session === undefined ? {} : { session }),
    ...(nonce === undefined ? {} : { nonce }),
  }
}

/** Demands that a caller was granted this engine: a short name may have been, and another of that name been found (E6). */
export async function demandGranted(
  { engines }: Portal,
  caller: Principal,
  { hostName }: Pick<FoundEngine, 'hostName'>,
): Promise<void> {
  const { reads } = caller.rights
  if (reads === 'all' || reads.includes(hostName)) return
  for (const granted of reads) {
    const engine = await engines.find(granted).catch((error: unknown) => {
      if (!isAnnalsError(error, 'UNKNOWN_ENGINE')) throw error
    })
    if (engine?.hostName === hostName) return
  }
  throw forbidden(caller)
}

/** Aborts, with a `BrokenTransfer`, when the caller has gone. Dispose of it when the answer is over. */
export function whenGone({ request: { raw } }: Call): Disposable & { readonly signal: AbortSignal } {
  const gone = new AbortController()
  const abort = () => gone.abort(new BrokenTransfer('gone'))
  // As many calls as a client has sent on one connection wait for its end.
  raw.socket.setMaxListeners(0)
  raw.socket.once('close', abort)
  if (raw.socket.destroyed) abort()
  return { signal: gone.signal, [Symbol.dispose]: () => void raw.socket.off('close', abort) }
}
