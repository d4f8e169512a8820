// The text of a file that holds a certificate and its key, one after the other (RFC 7468). Above that of a rotation
// stand three lines that say who ordered it; once the rotation has ended they are its history, and nobody reads them.
//
//     Order: 0199c0de-…
//     Ordered-By: *cli:anna
//     Ordered-At: 2026-01-01T00:00:00.123456Z
//     -----BEGIN CERTIFICATE-----
//     …

import { strict as assert } from 'node:assert'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Micros } from '../entry/event.ts'
import { formatMicros, parseStoredTime } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import { type Certificate, type KeyPair, parseCertificate } from './certificate.ts'

/** Who ordered a rotation, and when. */
export interface RotationOrder {
  /** UUID. */
  readonly id: string
  /** As in the audit log: `*cli:<user of the operating system>`. */
  readonly actor: string
  readonly at: Micros
}

/** What a node will show its peers once they hold it. */
export interface NextKeyPair extends KeyPair {
  readonly order: RotationOrder
}

/** Renders a pair, and who ordered it where that is to be said. The result is a secret. */
export function renderPair({ certificate, keyPem }: KeyPair, order?: RotationOrder): Buffer {
  return Buffer.from(`${order === undefined ? '' : renderOrder(order)}${certificate.pem}${keyPem}`)
}

/**
 * Reads the pair in the text of a file. Throws INVALID_CONFIGURATION, naming the file, where it is none, or is that of
 * another node: two nodes that show one certificate cannot be told apart.
 */
export function parsePair(file: string, text: string, hostName: string): KeyPair {
  const [certificatePem] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(text) ?? []
  const [keyPem] = /-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----\n/.exec(text) ?? []
  if (certificatePem === undefined || keyPem === undefined)
    throw wrongFile(file, 'does not hold a certificate and its key (PEM)')
  const certificate = parseIn(file, certificatePem)
  if (!isKeyOf(certificate, keyPem)) throw wrongFile(file, 'holds a key that is not that of its certificate')
  if (certificate.hostName !== hostName.toLowerCase())
    throw wrongFile(file, `is the certificate of ${certificate.hostName}, and this node is ${hostName}`)
  return { certificate, keyPem }
}

/** Reads a pair and who ordered it. Throws as `parsePair` does. */
export function parseNextPair(file: string, text: string, hostName: string): NextKeyPair {
  const order = parseOrder(text)
  if (order === undefined) throw wrongFile(file, 'does not say who ordered it, and when')
  return { ...parsePair(file, text, hostName), order }
}

/** The refusal of a file. */
export function wrongFile(file: string, what: string, cause?: unknown): AnnalsError {
  return new AnnalsError('INVALID_CONFIGURATION', `${file} ${what}`, { cause })
}

function renderOrder({ id, actor, at }: RotationOrder): string {
  // A line of its own. No system has a user of such a name.
  assert.ok(/^[^\r\n]+$/.test(actor), 'an actor is one line')
  return `Order: ${id}\nOrdered-By: ${actor}\nOrdered-At: ${formatMicros(at)}\n`
}

function parseIn(file: string, pem: string): Certificate {
  try {
    return parseCertificate(pem)
  } catch (cause) {
    throw wrongFile(file, 'does not hold a certificate that can be read', cause)
  }
}

function isKeyOf({ pem }: Certificate, keyPem: string): boolean {
  try {
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(keyPem))
  } catch {
    // No key at all.
    return false
  }
}

function parseOrder(text: string): RotationOrder | undefined {
  const [, id, actor, time = ''] =
    /^Order: ([\da-f-]{36})\nOrdered-By: (.+)\nOrdered-At: (.+)\n/.exec(text) ?? []
  const at = parseStoredTime(time)
  return id === undefined || actor === undefined || at === undefined ? undefined : { id, actor, at }
}
