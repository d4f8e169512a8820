// One HTTP face of a node: its route table on a server with our bounds. Fastify routes; everything that is refused,
// wherever, is answered in one form (`errors.ts`), and answers are written to the raw response.

import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteHandlerMethod,
  type RouteOptions,
} from 'fastify'
import { AnnalsError } from '../errors.ts'
import { hostNameCharacters } from '../limits.ts'
import { refuse } from './errors.ts'
import { createHttpServer, type TlsIdentity } from './http-server.ts'
import type { Node } from './node.ts'
import { refusalAt } from './parser-errors.ts'
import { expectsContinue, hasLargeBody } from './unread-body.ts'

/** A resource: its path, in the router's syntax, its methods, and what answers it. */
export interface Route<N extends Node> {
  readonly path: string
  readonly methods: readonly ('GET' | 'HEAD' | 'POST' | 'PUT')[]
  readonly handler: (node: N) => RouteHandlerMethod
  /** The longest body that it takes. */
  readonly bodyBytes?: number
  /** Its handler reads the body itself, and before that decides whether it wants it (`body-stream.ts`). */
  readonly readsBody?: boolean
}

/**
 * Makes the face. The caller listens and closes. Closing stops new connections and waits until the calls under way are
 * over, entries and all; who cannot wait for slow readers breaks them off with `server.closeAllConnections()`. The
 * log must be closed after it.
 */
export function createFace<N extends Node>(
  node: N,
  routes: readonly Route<N>[],
  tls?: TlsIdentity,
): FastifyInstance {
  const allowedAt = allowedAtOf(routes)
  const readers = new Set(routes.flatMap(({ path, readsBody }) => (readsBody === true ? [path] : [])))
  const answerError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
    refuse(node, request, reply, error)
  const app = fastify({
    serverFactory: (listener) =>
      createHttpServer(listener, node.bounds, node, allowedAt, node.deadlines, tls),
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
  // Whatever a body claims to be, its bytes are parsed by whoever wants them.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, done) => {
    if (readers.has(request.routeOptions.url ?? '')) return done(refusalOf(request, allowedAt))
    if (hasLargeBody(request.raw)) reply.raw.shouldKeepAlive = false
    const refusal = refusalOf(request, allowedAt)
    if (refusal === undefined && expectsContinue(request.raw)) reply.raw.writeContinue()
    done(refusal)
  })
  app.addHook('onClose', () => node.calls.idle())
  for (const route of routes) app.route(routeOptions(node, route))
  return app
}

function routeOptions<N extends Node>(
  node: N,
  { path, methods, handler, bodyBytes, readsBody }: Route<N>,
): RouteOptions {
  const common = { method: [...methods], url: path, handler: handler(node) }
  if (readsBody !== true) return bodyBytes === undefined ? common : { ...common, bodyLimit: bodyBytes }
  // Before fastify reads the body. It goes no further than this: the handler has answered.
  return {
    ...common,
    async onRequest(request, reply) {
      await common.handler.call(this, request, reply)
    },
  }
}

/** Tells, for any path, the methods of the resource there, so that another method is 405 and not 404 (E7). */
export function allowedAtOf(
  routes: readonly Pick<Route<never>, 'path' | 'methods'>[],
): (path: string) => string | undefined {
  const known = routes.map(({ path, methods }) => ({
    pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]*').replace(/\*$/, '.*')}$`),
    allow: methods.join(', '),
  }))
  return (path) => {
    const decoded = decodePath(path)
    return known.find(({ pattern }) => pattern.test(decoded))?.allow
  }
}

function decodePath(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

const noQuery = {}

// What is wrong with a request before anybody asks who sent it (E7). A `#` cannot be part of a request's
// target, and the router would cut off what follows it: a typing error must not return the whole log (W7).
function refusalOf(
  request: FastifyRequest,
  allowedAt: (path: string) => string | undefined,
): AnnalsError | undefined {
  const { headers, httpVersionMinor, url = '' } = request.raw
  if (headers.host === undefined && httpVersionMinor === 1) {
    return new AnnalsError('MALFORMED_REQUEST', 'a request of HTTP/1.1 needs a Host header')
  }
  if (url.includes('#')) return new AnnalsError('MALFORMED_REQUEST', 'a request target has no fragment')
  return request.is404 ? refusalAt(pathOf(url), allowedAt) : undefined
}

/** The path of a request target, which may be in absolute form (RFC 9112 section 3.2.2). */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '')
  const mark = path.indexOf('?')
  return mark === -1 ? path : path.slice(0, mark)
}
