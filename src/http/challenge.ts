// What WWW-Authenticate says (RFC 9110 section 11.6.1): how to prove who one is, and what was wrong with a Bearer token.

import type { AnnalsError } from '../errors.ts'

/** How callers of a face prove who they are. */
export interface Challenge {
  /** Whether HTTP Basic is accepted (S5). */
  readonly basic: boolean
  /** The URL of the metadata of the protected resource (RFC 9728 section 5.1), once it is known. */
  readonly resourceMetadata: () => string | undefined
}

/** The header's fields for a refusal, as a flat name-value list; none where it needs no other credentials. */
export function challengeHeaders(error: AnnalsError, challenge: Challenge | undefined): readonly string[] {
  if (challenge === undefined) return []
  if (error.code === 'UNAUTHENTICATED')
    return [...basicChallenge(challenge), wwwAuthenticate, bearerChallenge(error, challenge)]
  return error.bearer === undefined ? [] : [wwwAuthenticate, bearerChallenge(error, challenge)]
}

/** A message with only the characters of an `error_description` (RFC 6749 section 5.2, RFC 6750 section 3). */
export function plainDescription(message: string): string {
  return message.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'")
}

// Two fields rather than one list: clients that parse only the first challenge find Basic.
function basicChallenge({ basic }: Challenge): readonly string[] {
  return basic ? [wwwAuthenticate, 'Basic realm="annals", charset="UTF-8"'] : []
}

function bearerChallenge({ bearer, message }: AnnalsError, { resourceMetadata }: Challenge): string {
  const url = resourceMetadata()
  const parameters = [
    ['realm', 'annals'],
    ...(bearer === undefined ? [] : [['error', bearer.error]]),
    ...(bearer === undefined ? [] : [['error_description', plainDescription(message)]]),
    ...(bearer?.scope === undefined ? [] : [['scope', bearer.scope]]),
    ...(url === undefined ? [] : [['resource_metadata', url]]),
  ]
  return `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`
}

const wwwAuthenticate = 'WWW-Authenticate'
