// GET /audit-trail/api/v1/engines/type/auditlog (A3): the logs of all connected engines. None can be connected
// yet, so that the answer is empty; the read is an entry in the portal's log all the same (S7).

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow, resolveWindow } from '../../entry/window.ts'
import { answerContent } from '../answer.ts'
import { parseAsked, rawQuery } from '../asked.ts'
import { asReader } from '../call.ts'
import { emptyContent } from '../content.ts'
import { entityTag } from '../etag.ts'
import type { Portal } from '../portal.ts'
import { readEntry } from '../read-entries.ts'

/** Answers with the empty set of engines' logs. */
export function enginesAuditLog(portal: Portal): RouteHandlerMethod {
  return (request, reply) =>
    asReader(portal, request, reply, 'engines', async (call) => {
      const asked = parseAsked(request.raw)
      const window = parseWindow(rawQuery(request.raw), portal.timeZone)
      // A window of no length: nothing of the portal's own log is read, but "now" is fixed and the read
      // recorded as every other one is, also where there is no room for it (I9).
      const read = await portal.log.read({ elapsed: 0 }, ({ time }) =>
        readEntry(portal, call, { ...resolveWindow(window, time), bytes: 0 }),
      )
      const content = emptyContent(read)
      const rangeHolds = asked.ifRange === undefined || asked.ifRange === entityTag(content.tag, 'identity')
      await answerContent(portal, call, asked, content, rangeHolds)
    })
}
