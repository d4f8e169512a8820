// GET /audit-trail/api/v1/engines/type/auditlog (A3): the logs of all connected engines, one after the other. Not a byte
// is sent before every one of them has fixed its snapshot (R8); one that cannot makes the answer E3.

import type { RouteHandlerMethod } from 'fastify'
import { parseWindow, type Window } from '../../entry/window.ts'
import type { EngineSet } from '../../federation/engine-set.ts'
import { mayReadAll } from '../../identity/rights.ts'
import { answerContent } from '../answer.ts'
import { type Asked, parseAsked, rawQuery } from '../asked.ts'
import { asReader, type Call, readerOf, whenGone } from '../call.ts'
import { enginesContent } from '../content.ts'
import { parseTag } from '../etag.ts'
import { manifestOf, sha256 } from '../manifests.ts'
import { nonceOf, proofHeaders } from '../proof-headers.ts'
import type { Portal } from '../portal.ts'
import { recordAllPassedOn } from '../read-entries.ts'

/** Answers with the window of every engine's log that the query names. */
export function enginesAuditLog(portal: Portal): RouteHandlerMethod {
  return (request, reply) =>
    asReader(portal, request, reply, { target: 'engines', isAllowed: mayReadAll }, async (call) => {
      const asked = parseAsked(request.raw)
      const window = parseWindow(rawQuery(request.raw), portal.timeZone)
      using gone = whenGone(call)
      const named = { ...call, nonce: nonceOf(request) }
      // Before the engines are asked: what is answered has at least the changes up to there.
      const registry = await portal.registryPosition()
      const { set, isResumed, rangeHolds } = await fix(portal, named, asked, window, gone.signal)
      const manifest = manifestOf(registry, set.runs)
      const all = { window, engines: set.runs.length, bytes: set.bytes, set: set.tag }
      const read = await recordAllPassedOn(portal, named, { ...all, manifest: sha256(manifest) })
      const isProved = !isResumed && set.recorded && read.mark !== undefined
      if (isProved) portal.manifests.keep(read.mark, manifest)
      const proof = isProved ? proofHeaders(portal, portal.log.id, read.mark) : []
      await answerContent(portal, named, asked, enginesContent(set, read, proof, gone.signal), rangeHolds)
    })
}

// R4: the rest of a download comes from the snapshots that its beginning came from, while they are remembered.
async function fix(
  { engines }: Portal,
  call: Call,
  asked: Asked,
  window: Window,
  signal: AbortSignal,
): Promise<{ set: EngineSet; isResumed: boolean; rangeHolds: boolean }> {
  const reader = readerOf(call)
  const isResumed = asked.range !== undefined && asked.ifRange !== undefined
  const tag = isResumed ? parseTag(asked.ifRange ?? '') : undefined
  const resumed = tag === undefined ? undefined : await engines.fixSet(tag, reader, signal)
  if (resumed !== undefined) return { set: resumed, isResumed: true, rangeHolds: true }
  const set = await engines.fixAll(window, reader, signal)
  return { set, isResumed: false, rangeHolds: !isResumed }
}
