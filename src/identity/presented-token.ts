// An access token as it was presented, before anything of it is believed.

import { decodeJwt } from 'jose'
import { accessTokenCharacters } from '../limits.ts'
import { TokenRefused } from './token-refused.ts'

/** Whether an Authorization header presents a token, or tries to. */
export function isBearer(authorization: string | undefined): boolean {
  return authorization !== undefined && /^bearer(?: |$)/i.test(authorization)
}

/** The token in an Authorization header (RFC 6750 section 2.1): of three parts, as every JWT that is signed. */
export function presentedToken(authorization = ''): string {
  const [, token] = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? []
  if (token === undefined || token.length > accessTokenCharacters) throw new TokenRefused('token-malformed')
  return token
}

/** Who is said to have issued a token. That only decides who verifies it. */
export function claimedIssuer(token: string): string {
  try {
    const { iss } = decodeJwt(token)
    if (typeof iss === 'string') return iss
  } catch (cause) {
    throw new TokenRefused('token-malformed', { cause })
  }
  throw new TokenRefused('token-issuer')
}
