// POST /oauth2/default/v1/revoke (RFC 7009): a client ends one of its own tokens.

import type { RouteHandlerMethod } from 'fastify'
import { oauthEndpoint } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers once the token has ended. No client needs the body, but some refuse one that is no JSON. */
export function oauthRevoke(portal: Portal): RouteHandlerMethod {
  return oauthEndpoint(portal, async (request, source) => {
    await portal.authorization.revoke(request, source)
    return {}
  })
}
