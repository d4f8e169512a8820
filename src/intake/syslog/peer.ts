// Who is at the other end of a connection, as entries name it.

import { isIPv6 } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'

/** An address as it is written: an IPv4 address that came in IPv6 is an IPv4 address. */
export function addressOfPeer(address: string | undefined): string {
  // A connection that is gone already has none.
  if (address === undefined) return 'unknown'
  return isIPv6(address) && address.startsWith('::ffff:') && address.includes('.')
    ? address.slice('::ffff:'.length)
    : address
}

/** Whom a client's verified certificate names: its common name, else its first DNS name, else its fingerprint. */
export function nameOfPeer(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerCertificate()
  return Object.keys(certificate).length === 0 ? undefined : nameOfCertificate(certificate)
}

/** The same of a certificate. */
export function nameOfCertificate({ subject, subjectaltname, fingerprint256 }: PeerCertificate): string {
  const names: string | string[] | undefined = subject?.CN
  const name = typeof names === 'string' ? names : names?.[0]
  return name ?? /(?:^|, )DNS:([^,"]+)/.exec(subjectaltname ?? '')?.[1] ?? `sha256:${fingerprint256}`
}
