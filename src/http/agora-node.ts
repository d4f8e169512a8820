// What a gateway's routes work with, and the way of a call through it: who calls is told by the token alone, the token says
// which instance is asked, and the instance decides.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller, Instances } from '../agora/instances.ts'
import { InstanceSilent } from '../agora/silence.ts'
import { AnnalsError } from '../errors.ts'
import type { Failures } from '../identity/failures.ts'
import { noName } from '../identity/login-events.ts'
import { isBearer, presentedToken } from '../identity/presented-token.ts'
import { TokenRefused } from '../identity/token-refused.ts'
import { type Call, refuseCall, whenGone } from './call.ts'
import type { Node } from './node.ts'
import { passOn } from './pass-on.ts'
import { sourceOf } from './source.ts'
import { BrokenTransfer } from './outlet.ts'
import { recordBreak } from './transfer.ts'

/** A gateway, as its HTTP face sees it. */
export interface AgoraNode extends Node {
  readonly instances: Pick<Instances, 'callerOf' | 'noteSilent' | 'noteAnswer'>
  readonly failures: Pick<Failures, 'add'>
}

/** Passes a call on to the instance that its token names, in the contract's order: 503, 401 (E5), 403 (E6), 500 (E11). */
export async function passToInstance(
  agora: AgoraNode,
  request: FastifyRequest,
  reply: FastifyReply,
  target: string,
): Promise<void> {
  agora.calls.begin()
  try {
    if (!agora.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
    const source = sourceOf(agora, request)
    const caller = await callerOf(agora, request, source)
    const call = { request, reply, caller, source, target: `instance/${caller.instance}/${target}` }
    await passCall(agora, call, caller)
  } finally {
    agora.calls.end()
  }
}

async function callerOf(agora: AgoraNode, request: FastifyRequest, source: string): Promise<Caller> {
  const { authorization } = request.raw.headers
  try {
    return await agora.instances.callerOf(presentedToken(authorization))
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error
    const isToken = isBearer(authorization)
    const other = authorization === undefined || authorization === '' ? 'no-credentials' : 'other-scheme'
    await agora.failures.add({ account: noName, reason: isToken ? error.reason : other, source })
    throw new AnnalsError(
      'UNAUTHENTICATED',
      'an access token of an instance of this region is needed',
      isToken ? { bearer: { error: 'invalid_token' } } : {},
    )
  }
}

async function passCall(agora: AgoraNode, call: Call, caller: Caller): Promise<void> {
  using gone = whenGone(call)
  try {
    if (!caller.isOfRegion)
      throw new AnnalsError('FORBIDDEN', `the instance "${caller.instance}" is of another region`)
    await passOn(agora, call, caller, gone.signal)
  } catch (error) {
    if (error instanceof BrokenTransfer) return await abandon(agora, call, error)
    const refusal =
      error instanceof InstanceSilent ? await agora.instances.noteSilent(caller.instance, error) : error
    await refuseCall(agora, call, refusal)
  }
}

// The caller went away before there was anything to send.
async function abandon(agora: AgoraNode, call: Call, error: BrokenTransfer): Promise<void> {
  call.reply.hijack()
  call.request.raw.socket.destroy()
  await recordBreak(agora, call, { sent: 0, bytes: 0 }, error)
}
