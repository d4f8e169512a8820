// GET /audit-trail/api/v1/engine/<host>/type/auditlog (A2): the audit log of one engine, through the portal. The engine
// fixes the snapshot and records the read in its own log; the portal records that it passed it on, before the head
// of the answer goes out (S7).

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow, type Window } from '../../entry/window.ts'
import type { EngineRun } from '../../federation/engine-run.ts'
import type { FoundEngine } from '../../federation/engines.ts'
import type { Run } from '../../federation/inner-api.ts'
import { unreachable, EngineFailure } from '../../federation/failure.ts'
import { mayReadEngine, type Rights } from '../../identity/rights.ts'
import { answerContent } from '../answer.ts'
import { type Asked, parseAsked, rawQuery } from '../asked.ts'
import { asReader, type Call, demandGranted, readerOf, whenGone } from '../call.ts'
import { engineContent } from '../content.ts'
import { parseRunTag } from '../etag.ts'
import { nonceOf, proofHeaders } from '../proof-headers.ts'
import type { Portal } from '../portal.ts'
import { recordPassedOn } from '../read-entries.ts'

/** Answers with the window of the engine's log that the query names. */
export function engineAuditLog(portal: Portal): RouteHandlerMethod {
  return (request, reply) => {
    const { host } = request.params as { host: string }
    const reading = {
      target: `engine/${nameOf(host)}`,
      isAllowed: (rights: Rights) => mayReadEngine(rights, host),
    }
    return asReader(portal, request, reply, reading, async (call) => {
      const asked = parseAsked(request.raw)
      const window = parseWindow(rawQuery(request.raw), portal.timeZone)
      const engine = await portal.engines.find(host)
      await demandGranted(portal, call.caller, engine)
      const nonce = nonceOf(request)
      const named = { ...call, target: `engine/${engine.hostName}`, nonce }
      using gone = whenGone(call)
      const { run, isResumed, rangeHolds } = await fix(engine, named, asked, window, gone.signal)
      const read = await recordPassedOn(portal, named, run)
      const proof = isResumed ? [] : proofHeaders(portal, run.log, run.mark)
      await answerContent(portal, named, asked, engineContent(run, read, proof, gone.signal), rangeHolds)
    })
  }
}

// R4: the rest of a download comes from the snapshot that its beginning came from.
async function fix(
  engine: FoundEngine,
  call: Call,
  asked: Asked,
  window: Window,
  signal: AbortSignal,
): Promise<{ run: EngineRun; isResumed: boolean; rangeHolds: boolean }> {
  const fixed = (of: Window | Run) => engine.fix({ of, reader: readerOf(call) }, signal)
  const isResumed = asked.range !== undefined && asked.ifRange !== undefined
  const known = isResumed ? parseRunTag(asked.ifRange ?? '', engine.log) : undefined
  const resumed = known && (await fixed(known))
  if (resumed !== undefined) return { run: resumed, isResumed: true, rangeHolds: true }
  const run = await fixed(window)
  if (run === undefined) throw unreachable(engine.hostName, new EngineFailure('answer'))
  return { run, isResumed: false, rangeHolds: !isResumed }
}

// An entry keeps what could be a host name, and nothing else that somebody typed (S7).
function nameOf(engine: string): string {
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(engine) ? engine : '(no host name)'
}
