// The HTTP face of a portal. Fastify routes; everything that is refused, wherever, is answered in one form
// (`errors.ts`), and answers are written to the raw response.

import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { AnnalsError } from '../errors.ts'
import { hostNameCharacters, idleAnswerBuffers, unreadBodyBytes } from '../limits.ts'
import { defaultBounds, type HttpBounds } from './bounds.ts'
import { BufferPool } from './buffer-pool.ts'
import { Calls } from './calls.ts'
import { refuse } from './errors.ts'
import { createHttpServer, type TlsIdentity } from './http-server.ts'
import type { Portal } from './portal.ts'
import { isResource, routes } from './routes.ts'
import { Slots } from './slots.ts'

/** What `createApp` is given: a portal's parts, and what differs from the usual bounds. */
export interface AppOptions extends Pick<
  Portal,
  | 'log'
  | 'identity'
  | 'timeZone'
  | 'hostName'
  | 'component'
  | 'metrics'
  | 'logger'
  | 'isReady'
  | 'health'
  | 'version'
> {
  /** The certificate, where the node speaks TLS. */
  readonly tls?: TlsIdentity
  readonly bounds?: Partial<HttpBounds>
}

/**
 * Makes the portal's HTTP face. The caller listens and closes. Closing stops new connections and waits until
 * the calls under way are over, entries and all; who cannot wait for slow readers breaks them off with
 * `app.server.closeAllConnections()`. The log must be closed after it.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const portal = portalOf(options)
  const answerError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
    refuse(portal, request, reply, error)
  const app = fastify({
    serverFactory: (listener) => createHttpServer(listener, portal.bounds, portal, isResource, options.tls),
    // The server has its own listener already (`http-server.ts`).
    clientErrorHandler: () => undefined,
    frameworkErrors: answerError,
    // Answered in the common form, as `isReady` is false by then.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    // Queries are parsed once, exactly, from the raw URL (W5, W7).
    routerOptions: { querystringParser: () => noQuery, maxParamLength: hostNameCharacters },
  })
  app.setErrorHandler(answerError)
  app.addHook('onRequest', (request, reply, done) => {
    if (hasLargeBody(request)) reply.raw.shouldKeepAlive = false
    done(refusalOf(request))
  })
  app.addHook('onClose', () => portal.calls.idle())
  for (const { path, handler } of routes)
    app.route({ method: ['GET', 'HEAD'], url: path, handler: handler(portal) })
  return app
}

function portalOf(options: AppOptions): Portal {
  const bounds = { ...defaultBounds, ...options.bounds }
  return {
    ...options,
    bounds,
    buffers: new BufferPool(bounds.answerBufferBytes, idleAnswerBuffers),
    calls: new Calls(),
    bulkSlots: new Slots(bounds.bulkAnswers),
    compressionSlots: new Slots(bounds.compressedAnswers),
  }
}

const noQuery = {}

// What is wrong with a request before anybody asks who sent it (E7). A `#` cannot be part of a request's
// target, and the router would cut off what follows it: a typing error must not return the whole log (W7).
function refusalOf(request: FastifyRequest): AnnalsError | undefined {
  const { headers, httpVersionMinor, url = '' } = request.raw
  if (headers.host === undefined && httpVersionMinor === 1) {
    return new AnnalsError('MALFORMED_REQUEST', 'a request of HTTP/1.1 needs a Host header')
  }
  if (url.includes('#')) return new AnnalsError('MALFORMED_REQUEST', 'a request target has no fragment')
  if (!request.is404) return undefined
  return isResource(pathOf(url))
    ? new AnnalsError('METHOD_NOT_ALLOWED', 'this resource is read with GET or HEAD')
    : new AnnalsError('NOT_FOUND', 'there is nothing at this path')
}

/** The path of a request target, which may be in absolute form (RFC 9112 section 3.2.2). */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '')
  const mark = path.indexOf('?')
  return mark === -1 ? path : path.slice(0, mark)
}

// No resource takes a body. A small one is read and dropped; for a large one the connection is not kept.
function hasLargeBody(request: FastifyRequest): boolean {
  const { headers } = request.raw
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > unreadBodyBytes
  )
}
