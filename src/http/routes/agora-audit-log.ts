// The paths of the Audit Trail API at a regional gateway (A4), and of what proves its answers: each is passed on to the instance that the token
// names, which knows what it means.

import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type AgoraNode, passToInstance } from '../agora-node.ts'
import { publishedPathOf } from '../published.ts'

/** Passes on a read of the portal's log. */
export function agoraPortalAuditLog(agora: AgoraNode): RouteHandlerMethod {
  return (request, reply) => passToInstance(agora, request, reply, 'portal')
}

/** Passes on a read of one engine's log. */
export function agoraEngineAuditLog(agora: AgoraNode): RouteHandlerMethod {
  return (request, reply) => passToInstance(agora, request, reply, `engine/${nameOf(request)}`)
}

/** Passes on a read of all engines' logs. */
export function agoraEnginesAuditLog(agora: AgoraNode): RouteHandlerMethod {
  return (request, reply) => passToInstance(agora, request, reply, 'engines')
}

/** Passes on the question for what a log publishes, and for nothing that a server behind it might take for another path. */
export function agoraPublished(agora: AgoraNode): RouteHandlerMethod {
  return async (request, reply) => {
    publishedPathOf(request)
    await passToInstance(agora, request, reply, 'published')
  }
}

// An entry keeps what could be a host name, and nothing else that somebody typed (S7).
function nameOf({ params }: FastifyRequest): string {
  const { host } = params as { host: string }
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host) ? host : '(no host name)'
}
