// The endpoints of the authorization server over HTTP: forms in, JSON out, and errors as the objects of RFC 6749
// section 5.2 and not as the contract's arrays (S2).

import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { OAuthError } from '../identity/oauth-error.ts'
import { plainDescription } from './challenge.ts'
import { report, retryHeaders, toRefusal } from './errors.ts'
import { kept, neverStored } from './headers.ts'
import type { OAuthRequest } from '../identity/oauth-form.ts'
import type { Portal } from './portal.ts'
import { bodyOf } from './request-body.ts'
import { routeOf, send } from './send.ts'
import { sourceOf } from './source.ts'
import { statusOf } from './status.ts'

/** Makes the handler of an endpoint for clients. What `answer` returns is sent as JSON. */
export function oauthEndpoint(
  portal: Portal,
  answer: (request: OAuthRequest, source: string) => Promise<object>,
): RouteHandlerMethod {
  return async (request, reply) => {
    portal.calls.begin()
    try {
      demandReady(portal)
      const body = JSON.stringify(await answer(asked(request), sourceOf(portal, request)))
      send(portal.metrics, request, reply, 200, [...notKept, ...json], body)
    } catch (error) {
      refuse(portal, request, reply, error)
    } finally {
      portal.calls.end()
    }
  }
}

/** Makes the handler of a document that anybody may read and keep for a while: keys, metadata. */
export function oauthDocument(portal: Portal, document: () => Promise<object> | object): RouteHandlerMethod {
  return async (request, reply) => {
    portal.calls.begin()
    try {
      demandReady(portal)
      send(portal.metrics, request, reply, 200, [...kept, ...json], JSON.stringify(await document()))
    } finally {
      portal.calls.end()
    }
  }
}

function demandReady(portal: Portal): void {
  if (!portal.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
}

// What comes in the URL is not read: secrets do not belong there (RFC 6749 section 2.3.1).
function asked(request: FastifyRequest): OAuthRequest {
  const { authorization, 'content-type': contentType } = request.raw.headers
  return { authorization, contentType, body: bodyOf(request).toString('utf8') }
}

function refuse(portal: Portal, request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
  if (thrown instanceof OAuthError) {
    const { status, error, message, challengesBasic } = thrown
    const challenge = challengesBasic ? ['WWW-Authenticate', 'Basic realm="annals", charset="UTF-8"'] : []
    portal.metrics.refused(status === 401 ? 'UNAUTHENTICATED' : 'INVALID_PARAMETER')
    const body = errorObject(error, message)
    return send(portal.metrics, request, reply, status, [...notKept, ...json, ...challenge], body)
  }
  const error = toRefusal(thrown)
  report(portal, error, routeOf(request))
  const retry = retryHeaders(error)
  const body = errorObject(retry.length > 0 ? 'temporarily_unavailable' : 'server_error', error.message)
  const headers = [...notKept, ...json, ...retry]
  send(portal.metrics, request, reply, statusOf[error.code], headers, body)
}

function errorObject(error: string, description: string): string {
  return JSON.stringify({ error, error_description: plainDescription(description) })
}

const json = ['Content-Type', 'application/json']
// RFC 6749 section 5.1 asks for both.
const notKept = [...neverStored, 'Pragma', 'no-cache']
