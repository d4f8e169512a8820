// POST /oauth2/default/v1/introspect (RFC 7662): what one of its own tokens is worth, for a client.

import type { RouteHandlerMethod } from 'fastify'
import { oauthEndpoint } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers with what is known of the token. */
export function oauthIntrospect(portal: Portal): RouteHandlerMethod {
  return oauthEndpoint(portal, (request, source) => portal.authorization.introspect(request, source))
}
