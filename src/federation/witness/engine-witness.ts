// An engine as the witness of its portal's log: it is asked over mutual TLS.

import type { Engine } from '../engine.ts'
import type { EngineClient } from '../engine-client.ts'
import { nodeKeysOf } from '../node-keys.ts'
import type { WitnessPeer } from './witness-peer.ts'

/** An engine as a witness. */
export function engineWitness(
  engine: Engine,
  client: Pick<EngineClient, 'addCheckpoint' | 'witnessed'>,
): WitnessPeer {
  return {
    name: engine.hostName,
    keys: nodeKeysOf(engine).witness,
    addCheckpoint: (body) => client.addCheckpoint(body),
    latest: (originHash) => client.witnessed(originHash),
  }
}
