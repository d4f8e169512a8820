// Makes the TLS connections to one engine: version 1.3, our certificate shown, theirs pinned.

import type { OnReadOpts } from 'node:net'
import { connect, type ConnectionOptions, createSecureContext } from 'node:tls'
import { type Certificate, checkPinned, type KeyPair } from './certificate.ts'
import type { Connect } from './engine-socket.ts'

/** Whom to expect, and as whom to call. */
export interface PinnedPeer {
  readonly hostName: string
  readonly certificates: readonly Certificate[]
  readonly identity: KeyPair
}

/** Makes the connections to one peer at an address. */
export function pinnedConnector(
  { hostName, certificates, identity }: PinnedPeer,
  { host, port }: { readonly host: string; readonly port: number },
): Connect {
  // Read once: it takes longer than all the rest of a connection.
  const secureContext = createSecureContext({
    ca: certificates.map(({ pem }) => pem),
    cert: identity.certificate.pem,
    key: identity.keyPem,
    minVersion: 'TLSv1.3',
  })
  const checkServerIdentity = checkPinned(certificates)
  return (onread) => {
    // `onread` is documented for TLS sockets too, and missing in their types.
    const options: ConnectionOptions & { onread: OnReadOpts } = {
      host,
      port,
      onread,
      secureContext,
      ALPNProtocols: ['http/1.1'],
      // Both together: without the first, Node never asks the second.
      rejectUnauthorized: true,
      checkServerIdentity,
      servername: hostName,
    }
    return { socket: connect(options), readyOn: 'secureConnect' }
  }
}
