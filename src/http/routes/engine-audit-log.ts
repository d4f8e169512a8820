// GET /audit-trail/api/v1/engine/<host>/type/auditlog (A2): the audit log of one engine. No engine can be
// connected yet, so that every one is unknown (E1), once the caller's rights and parameters have been checked.

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow } from '../../entry/window.ts'
import { AnnalsError } from '../../errors.ts'
import { parseAsked, rawQuery } from '../asked.ts'
import { asReader } from '../call.ts'
import type { Portal } from '../portal.ts'

/** Refuses with UNKNOWN_ENGINE whoever may read. */
export function engineAuditLog(portal: Portal): RouteHandlerMethod {
  return (request, reply) => {
    const { host: engine } = request.params as { host: string }
    return asReader(portal, request, reply, `engine/${nameOf(engine)}`, async () => {
      parseAsked(request.raw)
      parseWindow(rawQuery(request.raw), portal.timeZone)
      throw new AnnalsError('UNKNOWN_ENGINE', 'no engine of this name is connected', { engine })
    })
  }
}

// An entry keeps what could be a host name, and nothing else that somebody typed (S7).
function nameOf(engine: string): string {
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(engine) ? engine : '(no host name)'
}
