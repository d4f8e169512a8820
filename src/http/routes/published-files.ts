// GET below /audit-trail/api/v2/logs/{log}/: what a log publishes of itself, so that whoever may read it can prove what was
// read. The checkpoint and the keys are for everybody: an auditor can ask an engine past its portal.

import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../../errors.ts'
import { mayReadAll, mayReadEngine, type Rights } from '../../identity/rights.ts'
import { asReader, demandGranted } from '../call.ts'
import { enginesProof } from '../engines-proof.ts'
import { hostOfLogId, isNodesLog } from '../log-name.ts'
import type { Node } from '../node.ts'
import type { Portal } from '../portal.ts'
import { type Published, published, publishedPathOf } from '../published.ts'
import { sendPublished } from '../send-published.ts'

/** The paths; `:log` is the log's id, or the name of its host. */
export const publishedPaths = {
  checkpoint: '/audit-trail/api/v2/logs/:log/checkpoint',
  keys: '/audit-trail/api/v2/logs/:log/keys',
  tile: '/audit-trail/api/v2/logs/:log/tile/*',
  entryProof: '/audit-trail/api/v2/logs/:log/entries/:position/proof',
  readProof: '/audit-trail/api/v2/logs/:log/reads/:position/proof',
} as const

/** What everybody may ask for. */
export type OpenFile = 'checkpoint' | 'keys'

/** Answers with such a file of the node's own log. */
export function openFile(path: OpenFile): (node: Node) => RouteHandlerMethod {
  return (node) => async (request, reply) => {
    const { log } = request.params as { readonly log: string }
    if (!isNodesLog(node, log))
      throw new AnnalsError('NOT_FOUND', `this is ${node.hostName}, and not that log's node`)
    await sendPublished(node, request, reply, path, await published(node.log, path))
  }
}

/** Answers with such a file of the portal's own log, or of a connected engine's. */
export function portalOpenFile(path: OpenFile): (portal: Portal) => RouteHandlerMethod {
  return (portal) => async (request, reply) => {
    const { log } = request.params as { readonly log: string }
    const send = (file: Published) => sendPublished(portal, request, reply, path, file)
    if (isNodesLog(portal, log)) return await send(await published(portal.log, path))
    if (!portal.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
    const engine = await portal.engines.findLog(log)
    await send(await (path === 'keys' ? engine.keys() : engine.checkpoint()))
  }
}

/** Answers with a file of the portal's own log, or of a connected engine's, to whoever may read that log. */
export function portalFile(portal: Portal): RouteHandlerMethod {
  return (request, reply) => {
    const { log } = request.params as { readonly log: string }
    return isNodesLog(portal, log) ? ownFile(portal, request, reply) : engineFile(portal, request, reply, log)
  }
}

function ownFile(portal: Portal, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return asReader(portal, request, reply, { target: 'portal', isAllowed: mayReadAll }, async () => {
    const path = publishedPathOf(request)
    const file = (await enginesProof(portal, path)) ?? (await published(portal.log, path))
    await sendPublished(portal, request, reply, path, file)
  })
}

function engineFile(
  portal: Portal,
  request: FastifyRequest,
  reply: FastifyReply,
  log: string,
): Promise<void> {
  // The right comes before the engine (E6), which goes by the name of its host or by the id of its log.
  const isAllowed = (rights: Rights) => mayReadEngine(rights, log) || mayReadEngine(rights, hostOfLogId(log))
  const reading = { target: 'engine', isAllowed }
  return asReader(portal, request, reply, reading, async (call) => {
    const engine = await portal.engines.findLog(log)
    await demandGranted(portal, call.caller, engine)
    const path = publishedPathOf(request)
    await sendPublished(portal, request, reply, path, await engine.published(path))
  })
}
