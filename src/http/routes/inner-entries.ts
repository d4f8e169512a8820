// GET /audit-trail/inner/v1/entries?from=…&to=…: the bytes of a run that was fixed before, for the portal. Nothing is
// recorded and nothing is compressed: the portal has done the one and does the other.

import type { RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import { parseRun } from '../../federation/inner-api.ts'
import { answerContent } from '../answer.ts'
import { parseAsked, rawQuery } from '../asked.ts'
import { sourceOf } from '../source.ts'
import { runContent } from '../content.ts'
import { asPortal, type EngineNode } from '../engine-node.ts'

/** Answers with the run, or the range of it that is asked for. */
export function innerEntries(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const { from, to } = parseRun(rawQuery(request.raw))
      const run = await node.log.run(from, to)
      if (run === undefined) throw new AnnalsError('NOT_FOUND', 'this log has no such run of entries')
      const caller = { name: node.side.portalName }
      const target = `engine/${node.hostName}`
      const call = { request, reply, caller, source: sourceOf(node, request), target }
      await answerContent(node, call, parseAsked(request.raw), runContent(run), true)
    })
}
