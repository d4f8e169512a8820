// Where the authorization server and what it protects are found, below the public URL of a portal. The issuer has a path, so
// its metadata stand where RFC 8414 section 3.1 puts them, and where clients of OpenID Connect look.

/** The path of the issuer. */
export const issuerPath = '/oauth2/default'

/** The endpoints (S2; RFC 7662, RFC 7009, RFC 7517). */
export const oauthPaths = {
  token: `${issuerPath}/v1/token`,
  keys: `${issuerPath}/v1/keys`,
  introspect: `${issuerPath}/v1/introspect`,
  revoke: `${issuerPath}/v1/revoke`,
} as const

/** The metadata of the authorization server: one document at three places. */
export const metadataPaths = [
  `/.well-known/oauth-authorization-server${issuerPath}`,
  `${issuerPath}/.well-known/oauth-authorization-server`,
  `${issuerPath}/.well-known/openid-configuration`,
] as const

/** The path of what access tokens are for, their audience. */
export const resourcePath = '/audit-trail/api'

/** Below it, the logs at engines, each by its id or the engine's host name: what tokens for recording there are for. */
export const logsPath = '/v2/logs/'

/** The metadata of that (RFC 9728 section 3.1). */
export const resourceMetadataPath = `/.well-known/oauth-protected-resource${resourcePath}`
