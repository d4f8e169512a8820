// What an engine's routes for its portal work with, and the gate before them: only the portal that was joined may call,
// and it is known by the certificate that it shows.

import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { AnnalsError } from '../errors.ts'
import { plainFingerprint } from '../federation/certificate.ts'
import type { EngineSide } from '../federation/engine-side.ts'
import type { WitnessingNode } from './witnessing.ts'

/** An engine, as its portal sees it. */
export interface EngineNode extends WitnessingNode {
  readonly side: Pick<
    EngineSide,
    'isPortal' | 'describe' | 'hold' | 'learn' | 'learnKeys' | 'portalName' | 'portalLog'
  >
  /** The fingerprint that each connection showed: asking Node for it costs more than all the rest of a small question. */
  readonly shown: WeakMap<object, string | undefined>
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
    if (!(await node.side.isPortal(fingerprintOf(node, request)))) {
      throw new AnnalsError('FORBIDDEN', 'only the portal that this engine has joined may call here')
    }
    await work()
  } finally {
    node.calls.end()
  }
}

// A connection of TLS 1.3 shows one certificate, at its beginning.
function fingerprintOf({ shown }: EngineNode, request: FastifyRequest): string | undefined {
  const socket = request.raw.socket as TLSSocket
  if (!socket.encrypted) return undefined
  if (!shown.has(socket)) shown.set(socket, plainFingerprint(socket.getPeerCertificate()))
  return shown.get(socket)
}
