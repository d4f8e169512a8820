// GET /audit-trail/api/v1/engine/<host>/type/auditlog (A2): the audit log of one engine, through the portal. The engine
// fixes the snapshot and records the read in its own log; the portal records that it passed it on, before the head
// of the answer goes out (S7).

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow, type Window } from '../../entry/window.ts'
import type { EngineRun } from '../../federation/engine-run.ts'
import type { FoundEngine } from '../../federation/engines.ts'
import type { Run } from '../../federation/inner-api.ts'
import { unreachable, EngineFailure } from '../../federation/failure.ts'
import type { Principal } from '../../identity/principal.ts'
import { mayReadEngine, type Rights } from '../../identity/rights.ts'
import { isAnnalsError } from '../../errors.ts'
import { answerContent } from '../answer.ts'
import { type Asked, parseAsked, rawQuery } from '../asked.ts'
import { asReader, type Call, forbidden, readerOf, whenGone } from '../call.ts'
import { engineContent } from '../content.ts'
import { parseRunTag } from '../etag.ts'
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
      const named = { ...call, target: `engine/${engine.hostName}` }
      using gone = whenGone(call)
      const { run, rangeHolds } = await fix(engine, named, asked, window, gone.signal)
      const read = await recordPassedOn(portal, named, run)
      await answerContent(portal, named, asked, engineContent(run, read, gone.signal), rangeHolds)
    })
  }
}

// A short name may have been granted, and another engine of the same short name been found (E6).
async function demandGranted(
  { engines }: Portal,
  caller: Principal,
  { hostName }: FoundEngine,
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

// R4: the rest of a download comes from the snapshot that its beginning came from.
async function fix(
  engine: FoundEngine,
  call: Call,
  asked: Asked,
  window: Window,
  signal: AbortSignal,
): Promise<{ run: EngineRun; rangeHolds: boolean }> {
  const fixed = (of: Window | Run) => engine.fix({ of, reader: readerOf(call) }, signal)
  const isResumed = asked.range !== undefined && asked.ifRange !== undefined
  const known = isResumed ? parseRunTag(asked.ifRange ?? '', engine.log) : undefined
  const resumed = known && (await fixed(known))
  if (resumed !== undefined) return { run: resumed, rangeHolds: true }
  const run = await fixed(window)
  if (run === undefined) throw unreachable(engine.hostName, new EngineFailure('answer'))
  return { run, rangeHolds: !isResumed }
}

// An entry keeps what could be a host name, and nothing else that somebody typed (S7).
function nameOf(engine: string): string {
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(engine) ? engine : '(no host name)'
}
