// GET /.well-known/oauth-protected-resource/audit-trail/api (RFC 9728): whose tokens open the Audit Trail API.

import type { RouteHandlerMethod } from 'fastify'
import { oauthDocument } from '../oauth.ts'
import type { Portal } from '../portal.ts'

/** Answers with the metadata. */
export function oauthResourceMetadata(portal: Portal): RouteHandlerMethod {
  return oauthDocument(portal, () => portal.authorization.resourceMetadata())
}
