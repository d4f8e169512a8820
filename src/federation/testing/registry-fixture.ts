// A portal's registry over a database of its own, and engines that join it as real ones do.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Drained, drain } from '../../database/outbox.ts'
import { RecorderDouble } from '../../database/testing/recorder-double.ts'
import { temporaryDatabase, type TemporaryDatabase } from '../../database/testing/temporary-database.ts'
import type { Micros } from '../../entry/event.ts'
import { logIdOf, originOf } from '../../log/description.ts'
import { noteKey, signatureTypes } from '../../tree/note-key.ts'
import { makeCertificate } from '../certificate.ts'
import {
  type JoinAnswer,
  type JoinedNode,
  type JoinRequest,
  macOf,
  parseAnswer,
  renderRequest,
} from '../enrolment.ts'
import { parseToken } from '../join-token.ts'
import type { Enrolled } from '../enrol.ts'
import { renderNodeKeys } from '../node-keys.ts'
import { Registry } from '../registry.ts'
import { witnessName } from '../witness/witness-keys.ts'

/** The portal's host name in tests. */
export const portalName = 'portal-01.example.com'

/** Who orders changes in tests. */
export const by = { actor: '*cli:root' }

/** A wall clock that stands still until it is told. */
export class WallClock {
  now: Micros = Date.UTC(2026, 0, 1) * 1000

  wallMicros(): Micros {
    return this.now
  }

  pass(micros: Micros): void {
    this.now += micros
  }
}

/** A registry, and all that it was given. */
export interface RegistryFixture extends AsyncDisposable {
  readonly database: TemporaryDatabase
  readonly clock: WallClock
  readonly recorder: RecorderDouble
  readonly registry: Registry
  readonly portal: JoinedNode
  /** Records what waits. */
  drain(): Promise<Drained>
  /** An engine that joins, with a token of its own unless one is given. */
  join(request: Partial<JoinRequest> & JoinedNode, token?: string): Promise<Joined>
}

/** What a join came to. */
export interface Joined extends Enrolled {
  readonly answer: JoinAnswer
}

/** Opens a registry without engines. */
export async function registryFixture(): Promise<RegistryFixture> {
  const [clock, recorder] = [new WallClock(), new RecorderDouble()]
  const database = await temporaryDatabase()
  const registry = new Registry({ database, clock, hostName: portalName, random: randomBytes })
  const portal = await node(portalName, clock.now)
  return {
    database,
    clock,
    recorder,
    registry,
    portal,
    drain: () => drain(database, recorder.record),
    async join(request, token) {
      const text = token ?? (await registry.makeToken({}, by)).token
      const { key, id } = parseToken(text)
      const body = renderRequest(requestOf(request, id))
      const enrolled = await registry.enrol(body, macOf(key, 'engine', body), portal)
      return { ...enrolled, answer: parseAnswer(key, enrolled.body, enrolled.mac, body) }
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** A node with a log's key and a certificate of its own, valid around 2026-01-01. */
export async function node(hostName: string, now: Micros = Date.UTC(2026, 0, 1) * 1000): Promise<JoinedNode> {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const key = Buffer.from(x, 'base64url')
  const { certificate } = await makeCertificate(hostName, now)
  const log = logIdOf(hostName, key)
  const keys = renderNodeKeys({
    log: [noteKey(originOf({ hostName, id: log }), signatureTypes.ed25519, key)],
    witness: [noteKey(witnessName(hostName), signatureTypes.ed25519Cosignature, randomBytes(32))],
  })
  return { hostName, log, logKey: key.toString('base64'), keys, certificate }
}

/** What a node asks for that wants to join as an engine. */
export function requestOf(node: Partial<JoinRequest> & JoinedNode, token: string): JoinRequest {
  return {
    address: `${node.hostName}:8443`,
    nonce: randomBytes(16).toString('base64url'),
    ...node,
    token,
  }
}
