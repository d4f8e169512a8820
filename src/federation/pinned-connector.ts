// Makes the TLS connections to one engine: version 1.3, our certificate shown, theirs pinned. A connection that is still
// being made ends with `signal`, so that a host which swallows packets does not hold up a portal that stops.

import { connect, type TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import { type Certificate, checkPinned, type KeyPair } from './certificate.ts'

/** Whom to expect, and as whom to call. */
export interface PinnedPeer {
  readonly hostName: string
  readonly certificates: readonly Certificate[]
  readonly identity: KeyPair
}

/** Makes undici's `connect` for one peer. `timeoutMs` is for a whole connection, TLS included. */
export function pinnedConnector(
  peer: PinnedPeer,
  timeoutMs: number,
  signal: AbortSignal,
): buildConnector.connector {
  return ({ hostname, port }, done) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: peer.certificates.map(({ pem }) => pem),
      cert: peer.identity.certificate.pem,
      key: peer.identity.keyPem,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      // Both together: without the first, Node never asks the second.
      rejectUnauthorized: true,
      checkServerIdentity: checkPinned(peer.certificates),
      servername: peer.hostName,
    })
    settle(socket.setNoDelay(true), timeoutMs, signal, done)
  }
}

function settle(
  socket: TLSSocket,
  timeoutMs: number,
  signal: AbortSignal,
  done: buildConnector.Callback,
): void {
  let isSettled = false
  const end = (error: Error | null): void => {
    if (isSettled) return
    isSettled = true
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    if (error === null) return done(null, socket)
    socket.destroy()
    done(error, null)
  }
  const abort = (): void => end(signal.reason as Error)
  const timer = setTimeout(() => end(coded('UND_ERR_CONNECT_TIMEOUT')), timeoutMs)
  signal.addEventListener('abort', abort, { once: true })
  socket.once('secureConnect', () => end(null))
  // It stays: a socket that was given up may still have something to say.
  socket.on('error', end)
  socket.once('close', () => end(coded('ECONNRESET')))
  if (signal.aborted) abort()
}

function coded(code: string): Error {
  return Object.assign(new Error('no connection came about'), { code })
}
