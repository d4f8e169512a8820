// HTTP Basic (RFC 7617): what an Authorization header presents. Names and passwords are UTF-8, in one Unicode
// form each; neither can hold a control character, and a name no colon.

import { isUtf8 } from 'node:buffer'
import { normalizeName } from './account.ts'

/** A name and a password, as they were presented. */
export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Why a header presents none. */
export type NotBasic = 'no-credentials' | 'other-scheme' | 'malformed'

/** Parses an Authorization header. The scheme's name is of any case; padding may be left out. */
export function parseBasic(authorization: string | undefined): Credentials | NotBasic {
  if (authorization === undefined || authorization === '') return 'no-credentials'
  if (!/^basic(?: |$)/i.test(authorization)) return 'other-scheme'
  const [, token, padding = ''] = /^basic +([A-Za-z0-9+/]*)(={0,2})$/i.exec(authorization) ?? []
  if (token === undefined || token.length % 4 === 1) return 'malformed'
  if (padding !== '' && (token.length + padding.length) % 4 !== 0) return 'malformed'
  return parseUserPass(Buffer.from(token, 'base64')) ?? 'malformed'
}

function parseUserPass(bytes: Buffer): Credentials | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1 || /\p{Cc}/u.test(text)) return undefined
  return { name: normalizeName(text.slice(0, colon)), password: text.slice(colon + 1).normalize('NFC') }
}
