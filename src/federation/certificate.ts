// The certificates that portal and engines know each other by. Nobody certifies them: each node makes its own, and
// each side trusts exactly what was exchanged when the engine joined. So what counts is the fingerprint. The names and
// the purposes in a certificate are there because TLS libraries want them.

import { createHash, KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import type { Micros } from '../entry/event.ts'
import { AnnalsError } from '../errors.ts'
import {
  certificateBackdateMicros,
  certificateCharacters,
  certificateValidMicros,
  commonNameCharacters,
} from '../limits.ts'

/** A certificate, read. */
export interface Certificate {
  /** The certificate and nothing else (RFC 7468, section 5). */
  readonly pem: string
  /** SHA-256 of its DER, 64 hexadecimal digits in lower case. */
  readonly fingerprint: string
  /** It is valid from this time to that, both inclusive (RFC 5280, section 4.1.2.5). */
  readonly notBefore: Micros
  readonly notAfter: Micros
  /** The one DNS name in it, in lower case. */
  readonly hostName: string
}

/** A certificate and its private key. */
export interface KeyPair {
  readonly certificate: Certificate
  /** PKCS #8, PEM. A secret. */
  readonly keyPem: string
}

/**
 * Makes a key (ECDSA, P-256) and a certificate for it that it signs itself, good for both ends of a connection. The key
 * identifiers in it are needed: OpenSSL finds what it trusts by the name, and without them refuses one of two
 * certificates of one name that are both trusted during a rotation.
 */
export async function makeCertificate(hostName: string, now: Micros): Promise<KeyPair> {
  // Loaded only here: 30 MB of memory, for what a node does once in years. The library's decorators want
  // `reflect-metadata` before it.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomSerial(),
      name: [{ CN: [hostName.slice(0, commonNameCharacters)] }],
      notBefore: dateOf(now - certificateBackdateMicros),
      notAfter: dateOf(now + certificateValidMicros),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: hostName }]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  )
  return {
    certificate: parseCertificate(certificate.toString('pem')),
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Reads exactly one certificate in PEM, with nothing around it. Throws INVALID_INPUT. */
export function parseCertificate(pem: string): Certificate {
  if (pem.length > certificateCharacters)
    throw refused(`at most ${certificateCharacters} characters`, `${pem.length} characters`)
  if (!onePem.test(pem)) throw refused('one certificate in PEM, and nothing else')
  const x509 = decode(pem)
  const hostName = oneName.exec(x509.subjectAltName ?? '')?.[1]
  if (hostName === undefined) throw refused('the one DNS name of its node in it')
  return {
    pem: x509.toString(),
    fingerprint: createHash('sha256').update(x509.raw).digest('hex'),
    notBefore: microsOf(x509.validFromDate),
    notAfter: microsOf(x509.validToDate),
    hostName: hostName.toLowerCase(),
  }
}

/**
 * Makes a `checkServerIdentity` for `node:tls` that lets in who shows one of these certificates, whatever it is called
 * there. It takes the place of the comparison of host names: what was pinned says more. Node asks it only where
 * `rejectUnauthorized` is true, and only after the chain was verified.
 */
export function checkPinned(
  pinned: readonly Certificate[],
): (host: string, shown: Pick<PeerCertificate, 'fingerprint256'>) => Error | undefined {
  const fingerprints = new Set(pinned.map(({ fingerprint }) => fingerprint))
  return (host, shown) => {
    const fingerprint = plainFingerprint(shown)
    return fingerprint !== undefined && fingerprints.has(fingerprint)
      ? undefined
      : Object.assign(
          new Error(`${host} shows another certificate than the pinned one: ${fingerprint ?? 'none'}`),
          { code: 'ERR_CERTIFICATE_NOT_PINNED' },
        )
  }
}

/** The fingerprint of a certificate that a peer shows, written as in `Certificate`; undefined where it shows none. */
export function plainFingerprint({
  fingerprint256,
}: Partial<Pick<PeerCertificate, 'fingerprint256'>>): string | undefined {
  return fingerprint256?.replaceAll(':', '').toLowerCase()
}

const onePem = /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/

// As Node renders alternative names; one with characters that no host name has would be in quotes, and does not fit.
const oneName = /^DNS:([\w.-]+)(?:, IP Address:[\dA-F.:]+)*$/i

function decode(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw refused('one certificate in PEM', undefined, cause)
  }
}

// 128 random bits less two: positive, and of the same length always (RFC 5280, section 4.1.2.2).
function randomSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

function dateOf(time: Micros): Date {
  return new Date(Math.floor(time / 1_000_000) * 1000)
}

// "No end" is the year 9999, which microseconds do not reach.
function microsOf(date: Date): Micros {
  const time = date.getTime() * 1000
  if (!Number.isSafeInteger(time)) throw refused('a time of validity before the year 2255')
  return time
}

function refused(expected: string, got?: string, cause?: unknown): AnnalsError {
  const found = got === undefined ? '' : `, not ${got}`
  return new AnnalsError('INVALID_INPUT', `a certificate is expected: ${expected}${found}`, { cause })
}
