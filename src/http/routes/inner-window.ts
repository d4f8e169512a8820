// POST /audit-trail/inner/v1/window: fixes a window, or the run of an earlier answer, for a reader of the portal. The read
// is an entry here before it is answered (S7).

import type { RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import { type FixedWindow, isRun, parseQuestion, type Question } from '../../federation/inner-api.ts'
import type { ReadPlace } from '../../log/audit-log.ts'
import type { Call } from '../call.ts'
import { asPortal, type EngineNode } from '../engine-node.ts'
import { readEntry } from '../read-entries.ts'
import { jsonOf } from '../request-body.ts'
import { sendJson } from '../send.ts'

/** Answers with `FixedWindow`; NOT_FOUND where the log has no such run. */
export function innerWindow(node: EngineNode): RouteHandlerMethod {
  return (request, reply) =>
    asPortal(node, request, async () => {
      const question = parseQuestion(jsonOf(request))
      const { name, session, source, method, nonce } = question.reader
      const caller = { name, ...(session === undefined ? {} : { session }) }
      const target = `engine/${node.hostName}`
      const fixed = await fix(node, question, { request, reply, caller, source, method, target, nonce })
      if (fixed === undefined) throw new AnnalsError('NOT_FOUND', 'this log has no such run of entries')
      sendJson(node.metrics, request, reply, fixed)
    })
}

async function fix(node: EngineNode, { of }: Question, call: Call): Promise<FixedWindow | undefined> {
  let place: ReadPlace | undefined
  const describe = (read: ReadPlace) => {
    place = read
    return readEntry(node, call, read, [['through', node.side.portalLog]])
  }
  const snapshot = isRun(of)
    ? await node.log.readRun(of.from, of.to, describe)
    : await node.log.read(of, describe)
  if (snapshot === undefined) return undefined
  const { log, from, to, bytes, now, mark } = snapshot
  // Where nothing can be recorded, nobody was asked to describe the read.
  const { start, end } = place ?? { start: Number.MIN_SAFE_INTEGER, end: now }
  return { log, from, to, bytes, now, mark, start, end }
}
