// An engine as its portal knows it, and which engine a name means (contract A2, E1).

import type { LogId, Micros } from '../entry/event.ts'
import { isHostName } from '../entry/host-name.ts'
import { AnnalsError } from '../errors.ts'
import type { Certificate } from './certificate.ts'

/**
 * What an administrator has made of an engine. CONNECTING: it has joined, or is to be connected again, and no call to
 * it has succeeded since. Both CONNECTING and CONNECTED engines are connected in the sense of the contract (A6).
 */
export type EngineState = 'CONNECTING' | 'CONNECTED' | 'DISCONNECTED'

/** An engine of the registry. */
export interface Engine {
  /** Of this join: an engine that joins anew is another one. */
  readonly id: number
  /** In lower case. */
  readonly hostName: string
  readonly state: EngineState
  /** When `state` last changed. */
  readonly stateAt: Micros
  readonly joinedAt: Micros
  /** Where it listens for its portal: `host:port` (`address.ts`). */
  readonly address: string
  readonly log: LogId
  /** Its log's public key: Ed25519, base64. */
  readonly logKey: string
  /** What it told of its log's keys and its witness's (`node-keys.ts`). */
  readonly keys: string | undefined
  /** The certificate that it shows. */
  readonly certificate: Certificate
  /** The one that it has announced: it shows either, until it shows this one. */
  readonly nextCertificate: Certificate | undefined
  /** The fingerprint of the portal's certificate that it trusts, and of the next one where it trusts that too. */
  readonly portalCertificate: string
  readonly nextPortalCertificate: string | undefined
  /** When it last answered. */
  readonly lastContact: Micros | undefined
  /** Since when it has not answered, and why; undefined while it does, and where it is DISCONNECTED. */
  readonly unreachable: Unreachable | undefined
  /** What it last said of itself; undefined where it has never answered. */
  readonly described: EngineDescription | undefined
}

/** An engine that does not answer. */
export interface Unreachable {
  readonly since: Micros
  readonly reason: string
}

/** What an engine says of itself. */
export interface EngineDescription {
  /** Entries in its log. */
  readonly logSize: number
  readonly logBytes: number
  /** Undefined where the log is empty. */
  readonly lastEntryAt: Micros | undefined
  readonly version: string
  /** Its clock minus the portal's. */
  readonly clockOffsetMicros: number
}

/** An engine's state for people: that of the public List Engines API, or that it does not answer. */
export function shownState({ state, unreachable }: Engine): EngineState | 'UNREACHABLE' {
  return unreachable === undefined ? state : 'UNREACHABLE'
}

/** True where an administrator has connected the engine and not disconnected it since (contract A6). */
export function isConnected({ state }: Pick<Engine, 'state'>): boolean {
  return state !== 'DISCONNECTED'
}

/**
 * All engines that a name can mean, in the order given (A2). The name may be in any case. The engine of exactly that
 * name comes before all others. Else a name without a dot means the engines whose first label it is, and a name with
 * dots the engine that is known by its first label alone.
 */
export function matchEngines<T extends { readonly hostName: string }>(
  engines: readonly T[],
  name: string,
): readonly T[] {
  // Before the case is changed: letters outside ASCII may become such inside.
  if (!isHostName(name)) return []
  const asked = name.toLowerCase()
  const exact = engines.filter(({ hostName }) => hostName === asked)
  if (exact.length > 0) return exact
  const label = firstLabel(asked)
  if (label !== asked) return engines.filter(({ hostName }) => hostName === label)
  return engines.filter(({ hostName }) => firstLabel(hostName) === asked)
}

/** The one engine that a name means. Throws UNKNOWN_ENGINE where it means none, or several, which are listed (E1). */
export function resolveEngine<T extends { readonly hostName: string }>(
  engines: readonly T[],
  name: string,
  absent = 'no engine of this name is connected',
): T {
  const [engine, ...others] = matchEngines(engines, name)
  if (engine === undefined) throw new AnnalsError('UNKNOWN_ENGINE', absent, { engine: name })
  if (others.length === 0) return engine
  const all = [engine, ...others].map(({ hostName }) => hostName).join(', ')
  throw new AnnalsError('UNKNOWN_ENGINE', `several engines have this short name, use the full one: ${all}`, {
    engine: name,
  })
}

function firstLabel(hostName: string): string {
  const [label = ''] = hostName.split('.', 1)
  return label
}
