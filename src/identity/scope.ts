// OAuth 2.0 scopes: the product's own, which lets a client read everything, and narrower ones of ours.

import { isHostName } from '../entry/host-name.ts'
import { AnnalsError } from '../errors.ts'
import type { RecordBounds, Rights } from './rights.ts'

/** Reads all logs (S2). */
export const readScope = 'service:audit-trail'
/** Records events, within bounds that the client has. */
export const recordScope = 'service:audit-trail:record'
/** Before the host name of an engine: reads its log. */
export const engineScopePrefix = 'service:audit-trail:engine:'

/** What the metadata of the server names (RFC 8414); those of engines have no end. */
export const namedScopes: readonly string[] = [readScope, recordScope]

/** Whether there is such a scope. That of an engine holds a host name in lower case; the engine need not exist. */
export function isScope(token: string): boolean {
  if (namedScopes.includes(token)) return true
  const host = token.startsWith(engineScopePrefix) ? token.slice(engineScopePrefix.length) : ''
  return isHostName(host) && host === host.toLowerCase()
}

/** The tokens of a scope parameter (RFC 6749 section 3.3), each once, in their order. Undefined where it is not one. */
export function parseScope(text: string): readonly string[] | undefined {
  const tokens = text.split(' ')
  if (!tokens.every((token) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token))) return undefined
  return [...new Set(tokens)]
}

/** A scope that an administrator typed. Throws INVALID_INPUT, naming those that there are. */
export function demandScope(text: string): string {
  const token = text.startsWith(engineScopePrefix) ? text.toLowerCase() : text
  if (isScope(token)) return token
  throw new AnnalsError(
    'INVALID_INPUT',
    `"${text}" is no scope: expected ${readScope}, ${recordScope} or ${engineScopePrefix}HOST`,
  )
}

/** What scopes allow. `bounds` are the client's, and count where it may record at all. */
export function rightsOf(scopes: readonly string[], bounds: RecordBounds | undefined): Rights {
  const hosts = scopes
    .filter((scope) => scope.startsWith(engineScopePrefix))
    .map((scope) => scope.slice(engineScopePrefix.length))
  return {
    reads: scopes.includes(readScope) ? 'all' : hosts,
    records: scopes.includes(recordScope) ? bounds : undefined,
  }
}
