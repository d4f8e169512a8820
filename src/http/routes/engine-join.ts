// POST /audit-trail/api/v2/engines: an engine joins this portal. It has no account: it proves that it holds a token, and
// is answered in a form that proves the same of the portal (`federation/enrolment.ts`). A refusal is recorded as that of
// every other call without valid credentials is, before it is an answer (S7).

import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError, isAnnalsError } from '../../errors.ts'
import type { Enrolled } from '../../federation/enrol.ts'
import { joinMacHeader } from '../../federation/enrolment.ts'
import { neverStored } from '../headers.ts'
import type { Portal } from '../portal.ts'
import { bodyOf } from '../request-body.ts'
import { send } from '../send.ts'
import { sourceOf } from '../source.ts'

/** Answers with who the portal is, authenticated. */
export function engineJoin(portal: Portal): RouteHandlerMethod {
  return async (request, reply) => {
    portal.calls.begin()
    try {
      if (!portal.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
      const { body, mac } = await enrol(portal, request)
      const headers = [...neverStored, 'Content-Type', 'application/json', joinMacHeader, mac]
      send(portal.metrics, request, reply, 200, headers, body.toString())
    } finally {
      portal.calls.end()
    }
  }
}

async function enrol(portal: Portal, request: FastifyRequest): Promise<Enrolled> {
  const mac = request.headers[joinMacHeader.toLowerCase()]
  try {
    return await portal.enrol(bodyOf(request), typeof mac === 'string' ? mac : '')
  } catch (error) {
    if (isAnnalsError(error, 'JOIN_REFUSED'))
      await portal.identity.noteRefusedJoin('join-token', sourceOf(portal, request))
    if (isAnnalsError(error, 'ENGINE_EXISTS'))
      await portal.identity.noteRefusedJoin('join-name', sourceOf(portal, request))
    throw error
  }
}
