// What an engine's routes for its portal work with, and the gate before them: only the portal that was joined may call,
// and it is known by the certificate that it shows.

import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { plainFingerprint } from '../federation/certificate.ts'
import type { EngineSide } from '../federation/engine-side.ts'
import type { Node } from './node.ts'

/** An engine, as its portal sees it. */
export interface EngineNode extends Node {
  readonly side: Pick<EngineSide, 'isPortal' | 'describe' | 'hold' | 'portalName' | 'portalLog'>
}

/** Lets the portal do `work`. Throws UNAVAILABLE while the engine starts or stops, and FORBIDDEN to all others. */
export async function asPortal(
  node: EngineNode,
  request: FastifyRequest,
  work: () => Promise<void>,
): Promise<void> {
  node.calls.begin()
  try {
    if (!node.isReady()) throw new AnnalsError('UNAVAILABLE', 'this node is starting or stopping')
    // Asked at each request: a connection may be older than the last rotation.
    if (!(await node.side.isPortal(fingerprintOf(request)))) {
      throw new AnnalsError('FORBIDDEN', 'only the portal that this engine has joined may call here')
    }
    await work()
  } finally {
    node.calls.end()
  }
}

function fingerprintOf(request: FastifyRequest): string | undefined {
  const socket = request.raw.socket as TLSSocket
  return socket.encrypted ? plainFingerprint(socket.getPeerCertificate()) : undefined
}
