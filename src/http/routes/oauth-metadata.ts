// GET /.well-known/oauth-authorization-server/oauth2/default and its other places (RFC 8414): what the authorization server can.

import type { RouteHandlerMethod } from 'fastify'
import { oauthDocument } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers with the metadata. */
export function oauthMetadata(portal: Portal): RouteHandlerMethod {
  return oauthDocument(portal, () => portal.authorization.metadata())
}
