// What a client sends to an endpoint of the authorization server: a form (RFC 6749 appendix B). A parameter that is there
// twice is an error, one without a value is none, and one that is not known is ignored (section 3.2).

import { isUtf8 } from 'node:buffer'
import { OAuthError } from './oauth-error.ts'

/** A request to an endpoint. */
export interface OAuthRequest {
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}

/** Its parameters, by name. Those that are empty are not there. */
export type OAuthForm = ReadonlyMap<string, string>

/** Reads the form. Throws `OAuthError`. */
export function parseForm({ contentType, body }: OAuthRequest): OAuthForm {
  const [type = ''] = (contentType ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new OAuthError('invalid_request', 'the body is expected to be application/x-www-form-urlencoded')
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body)) {
    if (value === '') continue
    if (form.has(name)) throw new OAuthError('invalid_request', `a parameter is there twice: ${plain(name)}`)
    form.set(name, value)
  }
  return form
}

/** The value of a parameter that must be there. Throws `OAuthError`. */
export function demand(form: OAuthForm, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `the parameter ${name} is missing`)
  return value
}

/** The text of base64, if it is that. */
export function textOf(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

// What is repeated to the client is only what the standard has words for.
function plain(name: string): string {
  return /^[a-z_]{1,40}$/.test(name) ? name : 'one that is not known here'
}
