// Makes the connections to one instance: to exactly the server that is configured, by the authorities that vouch for it or
// by its own certificate.

import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, createSecureContext, type TLSSocket } from 'node:tls'
import type { Instance } from './instance.ts'
import { InstanceSilent } from './silence.ts'

/** A connection that is begun. Nothing may be said on it before `readyOn`, nor where `demandTrust` throws then. */
export interface Connection {
  readonly socket: Socket
  readonly readyOn: 'connect' | 'secureConnect'
  readonly demandTrust: () => void
}

/** Begins a connection that reads as it is told to. */
export type Connect = (onread: OnReadOpts) => Connection

/** Makes the connections to an instance. */
export function connectorOf({ url, ca, pin }: Pick<Instance, 'url' | 'ca' | 'pin'>): Connect {
  const { protocol, hostname, port } = new URL(url)
  // As URLs write it, an IPv6 address has brackets.
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol === 'http:') return plainConnector(host, port === '' ? 80 : Number(port))
  const options: ConnectionOptions = {
    host,
    port: port === '' ? 443 : Number(port),
    ALPNProtocols: ['http/1.1'],
    // Read once: it takes longer than all the rest of a connection.
    secureContext: createSecureContext({ minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // The certificate that is pinned need not be valid in any other way: it is this one, or none.
    rejectUnauthorized: pin === undefined,
  }
  return tlsConnector(options, pin)
}

function plainConnector(host: string, port: number): Connect {
  return (onread) => ({
    socket: connectPlain({ host, port, onread }),
    readyOn: 'connect',
    demandTrust: () => undefined,
  })
}

function tlsConnector(options: ConnectionOptions, pin: string | undefined): Connect {
  return (onread) => {
    // `onread` is documented for TLS sockets too, and missing in their types.
    const all: ConnectionOptions & { onread: OnReadOpts } = { ...options, onread }
    const socket = connectTls(all)
    return { socket, readyOn: 'secureConnect', demandTrust: () => demandPin(socket, pin) }
  }
}

function demandPin(socket: TLSSocket, pin: string | undefined): void {
  if (pin === undefined) return
  const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase()
  if (shown !== pin) throw new InstanceSilent('untrusted')
}
