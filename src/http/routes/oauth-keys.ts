// GET /oauth2/default/v1/keys (RFC 7517 section 5): the public keys that access tokens are verified with.

import type { RouteHandlerMethod } from 'fastify'
import { oauthDocument } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers with the key set. */
export function oauthKeys(portal: Portal): RouteHandlerMethod {
  return oauthDocument(portal, () => portal.authorization.jwks())
}
