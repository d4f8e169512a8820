// How an engine joins its portal: one request and one answer, safe over any transport. Each side authenticates the
// exact bytes of what it says with the key that both have of the token, so that somebody in the middle can read it all
// and change none of it. The answer is bound to the request by its hash, so that neither is good for another join.
// Pure, but for what it computes. What is allowed is decided by the registry.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { LogId } from '../entry/event.ts'
import { isHostName } from '../entry/host-name.ts'
import { AnnalsError } from '../errors.ts'
import { logIdOf } from '../log/description.ts'
import { parseAddress } from './address.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { isTokenId } from './join-token.ts'
import { readNodeKeys } from './node-keys.ts'

/** The header that authenticates a body, on its way to the portal and back. */
export const joinMacHeader = 'Annals-Join-Mac'

/** The path that engines post to, below the portal's public URL. */
export const joinPath = '/audit-trail/api/v2/engines'

/** What a node says of itself when it joins or is joined. */
export interface JoinedNode {
  /** In lower case. */
  readonly hostName: string
  /** The log's id, which fits the host name and the key. */
  readonly log: LogId
  /** The log's public key: Ed25519, base64. */
  readonly logKey: string
  /** The log's keys and those of the node's witness (`node-keys.ts`); undefined where the node has told none. */
  readonly keys?: string | undefined
  /** The certificate that it shows over TLS. */
  readonly certificate: Certificate
}

/** What an engine asks for. */
export interface JoinRequest extends JoinedNode {
  /** The id of its token. */
  readonly token: string
  /** Where the portal reaches it: `host:port`. */
  readonly address: string
  /** 16 random bytes in base64url, so that no two requests are the same. */
  readonly nonce: string
}

/** What the portal answers. */
export interface JoinAnswer extends JoinedNode {
  /** As in the request. */
  readonly nonce: string
  /** The SHA-256 of the request's body, in hexadecimal. */
  readonly request: string
}

/** Which side says something: what one has said is never good for what the other says. */
export type Side = 'engine' | 'portal'

/** The bytes of a request. */
export function renderRequest({ token, address, nonce, ...node }: JoinRequest): Buffer {
  return render({ version, token, ...fieldsOf(node), address, nonce })
}

/** The id of the token that a request names, before anything else of it is believed. Throws INVALID_INPUT. */
export function tokenIdOf(body: Uint8Array): string {
  const { token } = readObject(body)
  if (typeof token !== 'string' || !isTokenId(token)) throw malformed('"token" is to be the id of a token')
  return token
}

/** Reads a request whose MAC was checked. Throws INVALID_INPUT, which says what is wrong with it. */
export function parseRequest(body: Uint8Array): JoinRequest {
  const fields = readFields(body, ['token', ...nodeKeys, 'address', 'nonce'])
  const address = fields['address'] ?? ''
  if (parseAddress(address) === undefined)
    throw malformed('"address" is to be HOST:PORT, where the portal can call')
  return { token: tokenIdOf(body), ...readNode(fields), address, nonce: readNonce(fields) }
}

/** The bytes of an answer. */
export function renderAnswer({ nonce, request, ...node }: JoinAnswer): Buffer {
  return render({ version, ...fieldsOf(node), nonce, request })
}

/** What is said where an answer does not come, as it is, from the portal that made the token. */
const notFromPortal =
  'the answer does not come from the portal that made the token, or was changed on its way: nothing was joined. ' +
  'Check the URL, and that nobody sits between this engine and its portal'

/**
 * Reads the portal's answer to a request. Throws JOIN_REFUSED where it does not come from the portal that made the
 * token, was changed on its way, or answers another request.
 */
export function parseAnswer(
  key: Uint8Array,
  body: Uint8Array,
  mac: string,
  requestBody: Uint8Array,
): JoinAnswer {
  if (!checkMac(key, 'portal', body, mac)) throw new AnnalsError('JOIN_REFUSED', notFromPortal)
  const fields = readFields(body, [...nodeKeys, 'nonce', 'request'])
  const { request = '' } = fields
  if (request !== hashOf(requestBody)) throw new AnnalsError('JOIN_REFUSED', notFromPortal)
  return { ...readNode(fields), nonce: readNonce(fields), request }
}

/** What an answer binds itself to: the SHA-256 of the request's body, in hexadecimal. */
export function hashOf(requestBody: Uint8Array): string {
  return createHash('sha256').update(requestBody).digest('hex')
}

/** Authenticates what a side says: HMAC-SHA256 in hexadecimal. */
export function macOf(key: Uint8Array, side: Side, body: Uint8Array): string {
  return createHmac('sha256', key).update(side).update(body).digest('hex')
}

/** Whether that side said this; in constant time. */
export function checkMac(key: Uint8Array, side: Side, body: Uint8Array, mac: string): boolean {
  const given = Buffer.from(mac, 'latin1')
  const expected = Buffer.from(macOf(key, side, body), 'latin1')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** The version of both messages. */
const version = 1
const nodeKeys = ['hostName', 'log', 'logKey', 'certificate'] as const
// Nodes that are older do not tell it.
const optionalKeys = ['keys'] as const

type Fields = Readonly<Record<string, string>>

function render(message: object): Buffer {
  return Buffer.from(JSON.stringify(message))
}

function fieldsOf({ hostName, log, logKey, keys, certificate }: JoinedNode): object {
  return { hostName, log, logKey, keys, certificate: certificate.pem }
}

function readObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Said below, as for any other body that is none.
  }
  throw malformed('it is to be a JSON object')
}

// Exactly the keys that this version has, and a text under each.
function readFields(body: Uint8Array, keys: readonly string[]): Fields {
  const { version: given, ...message } = readObject(body)
  if (given !== version) throw malformed(`"version" is to be ${version}: are both of the same version?`)
  const fields: Record<string, string> = {}
  for (const key of keys) {
    const value = message[key]
    if (typeof value !== 'string') throw malformed(`"${key}" is to be a text`)
    fields[key] = value
  }
  for (const key of optionalKeys) {
    const value = message[key]
    if (typeof value === 'string') fields[key] = value
  }
  if (Object.keys(message).length > Object.keys(fields).length)
    throw malformed(`there is to be nothing but ${[...keys, ...optionalKeys].join(', ')}`)
  return fields
}

function readNode(fields: Fields): JoinedNode {
  const { hostName = '', log = '', logKey = '', keys } = fields
  if (!isHostName(hostName) || hostName !== hostName.toLowerCase())
    throw malformed('"hostName" is to be a host name (RFC 1123) in lower case')
  const key = Buffer.from(logKey, 'base64')
  if (key.length !== 32 || key.toString('base64') !== logKey)
    throw malformed('"logKey" is to be an Ed25519 public key, 32 bytes in base64')
  const id = logIdOf(hostName, key)
  if (log !== id) throw malformed('"log" does not fit the host name and the key')
  const node = { hostName, log: id, logKey, certificate: readCertificate(fields, hostName) }
  if (keys === undefined) return node
  readNodeKeys(keys, node)
  return { ...node, keys }
}

function readCertificate({ certificate: pem = '' }: Fields, hostName: string): Certificate {
  const certificate = parseCertificate(pem)
  if (certificate.hostName !== hostName) throw malformed('"certificate" is for another host name')
  return certificate
}

function readNonce({ nonce = '' }: Fields): string {
  if (!/^[A-Za-z0-9_-]{22}$/.test(nonce)) throw malformed('"nonce" is to be 16 bytes in base64url')
  return nonce
}

function malformed(why: string): AnnalsError {
  return new AnnalsError('INVALID_INPUT', `this is no message of a join: ${why}`)
}
