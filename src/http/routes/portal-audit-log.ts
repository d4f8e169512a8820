// GET /audit-trail/api/v1/portal/type/auditlog (A1): the portal's own audit log.

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow, type Window } from '../../entry/window.ts'
import { mayReadAll } from '../../identity/rights.ts'
import type { ReadPlace, Snapshot } from '../../log/audit-log.ts'
import { answerContent } from '../answer.ts'
import { parseAsked, rawQuery, type Asked } from '../asked.ts'
import { asReader, type Call } from '../call.ts'
import { contentOf } from '../content.ts'
import { parseRunTag } from '../etag.ts'
import { nonceOf, proofHeaders } from '../proof-headers.ts'
import type { Portal } from '../portal.ts'
import { readEntry } from '../read-entries.ts'

/** Answers with the window of the portal's log that the query names (W1 to W7). */
export function portalAuditLog(portal: Portal): RouteHandlerMethod {
  return (request, reply) =>
    asReader(portal, request, reply, { target: 'portal', isAllowed: mayReadAll }, async (call) => {
      const asked = parseAsked(request.raw)
      const window = parseWindow(rawQuery(request.raw), portal.timeZone)
      const named = { ...call, nonce: nonceOf(request) }
      const { snapshot, isResumed, rangeHolds } = await fix(portal, named, asked, window)
      const proof = isResumed ? [] : proofHeaders(portal, snapshot.log, snapshot.mark)
      await answerContent(portal, named, asked, contentOf(snapshot, proof), rangeHolds)
    })
}

// R4: the rest of a download comes from the snapshot that its beginning came from, though the window has moved.
async function fix(
  portal: Portal,
  call: Call,
  asked: Asked,
  window: Window,
): Promise<{ snapshot: Snapshot; isResumed: boolean; rangeHolds: boolean }> {
  const { log } = portal
  const describe = (read: ReadPlace) => readEntry(portal, call, read)
  if (asked.range === undefined || asked.ifRange === undefined) {
    return { snapshot: await log.read(window, describe), isResumed: false, rangeHolds: true }
  }
  const run = parseRunTag(asked.ifRange, log.id)
  const resumed = run && (await log.readRun(run.from, run.to, describe))
  if (resumed !== undefined) return { snapshot: resumed, isResumed: true, rangeHolds: true }
  return { snapshot: await log.read(window, describe), isResumed: false, rangeHolds: false }
}
