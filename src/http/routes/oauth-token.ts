// POST /oauth2/default/v1/token (S2; RFC 6749 section 4.4): an access token for a client.

import type { RouteHandlerMethod } from 'fastify'
import { oauthEndpoint } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers with a token. */
export function oauthToken(portal: Portal): RouteHandlerMethod {
  return oauthEndpoint(portal, (request, source) => portal.authorization.token(request, source))
}
