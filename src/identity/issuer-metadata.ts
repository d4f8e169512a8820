// Where another authorization server keeps its keys, by what it says of itself: RFC 8414 first, then OpenID Connect
// Discovery. A document that names another issuer is of another server, whoever sends it (RFC 8414 section 3.3).

import { type Documents, isGuardedUrl } from './remote-documents.ts'

/** Where the metadata of an issuer may be, in the order in which it is looked for. */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname, search } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}${search}`,
    `${origin}${path}/.well-known/openid-configuration${search}`,
  ]
}

/** The `jwks_uri` of an issuer. Rejects, saying of each place why not, where there is none to be had. */
export async function findJwksUri(documents: Documents, issuer: string): Promise<string> {
  const problems: string[] = []
  for (const url of metadataUrls(issuer)) {
    try {
      return jwksUriOf(await documents.get(url), issuer)
    } catch (error) {
      problems.push(`${url}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`there is no metadata: ${problems.join('; ')}`)
}

function jwksUriOf(document: unknown, issuer: string): string {
  if (typeof document !== 'object' || document === null) throw new Error('it is no JSON object')
  const { issuer: named, jwks_uri: uri } = document as Record<string, unknown>
  if (named !== issuer) throw new Error('it is the metadata of another issuer')
  if (typeof uri === 'string' && isGuardedUrl(uri)) return uri
  throw new Error('it has no jwks_uri that is an https URL')
}
