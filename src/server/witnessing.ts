// A node and its peers witness each other: it cosigns for them, and has its own log's checkpoints cosigned. What it holds
// against one of them is said in `/metrics` and `/readyz`.

import { nodeKeysOf, logOriginOf, type KeyedNode, renderNodeKeys } from '../federation/node-keys.ts'
import type { JoinedPortal } from '../federation/portal-trust.ts'
import { askAtStart } from '../federation/witness/ask-at-start.ts'
import { WitnessExchange } from '../federation/witness/exchange.ts'
import { HttpWitnesses } from '../federation/witness/http-witness.ts'
import { openWitnessKeys } from '../federation/witness/witness-keys.ts'
import { type WitnessPeer, witnessPath } from '../federation/witness/witness-peer.ts'
import { WitnessState } from '../federation/witness/witness-state.ts'
import { Witness, type WitnessedLog } from '../federation/witness/witness.ts'
import type { AuditLog } from '../log/audit-log.ts'
import { dataLayout } from '../log/layout.ts'
import type { HeldCheckpoint } from '../log/open.ts'
import { realDisk } from '../store/disk.ts'
import type { NodeBase, NodeOptions } from './node.ts'
import type { NodePolicy } from './witness-policy.ts'

/** What a node witnesses. */
export interface Witnessing {
  /** The component that its entries name. */
  readonly component: string
  /** The nodes whose logs it cosigns for, */
  readonly peers: () => Promise<readonly KeyedNode[]>
  /** and what else an administrator has named. */
  readonly policy: NodePolicy
}

/** Opens the witness of a node. */
export async function openWitness(
  parts: AsyncDisposableStack,
  { metrics, record, warnOf }: NodeBase,
  { configuration: { data, hostName }, clock, logger }: NodeOptions,
  { component, peers, policy }: Witnessing,
): Promise<Witness> {
  const { witness: directory } = dataLayout(data)
  const witness = parts.use(
    await Witness.open({
      signers: await openWitnessKeys(realDisk, directory, hostName),
      state: await WitnessState.open(realDisk, directory),
      logOf: async (origin) => witnessed(await peers(), origin) ?? policy.logs.get(origin),
      seconds: () => Math.floor(clock.wallMicros() / 1_000_000),
      record,
      node: { hostName, component },
      logger,
      metrics: metrics.witness,
    }),
  )
  metrics.watchWitness(() => witness.evidence)
  warnOf(() => witness.warnings)
  return witness
}

function witnessed(peers: readonly KeyedNode[], origin: string): WitnessedLog | undefined {
  const peer = peers.find((each) => logOriginOf(each) === origin)
  return peer && { owner: peer.hostName, keys: nodeKeysOf(peer).log }
}

/** Has the log's checkpoints cosigned, from now on until the node stops, by `peers` and by those of the policy. */
export function beginExchange(
  parts: AsyncDisposableStack,
  { log, metrics }: NodeBase,
  { logger }: NodeOptions,
  policy: NodePolicy,
  peers: () => readonly WitnessPeer[],
): void {
  const others = otherWitnesses(parts, policy)
  const all = () => [...peers(), ...others]
  const exchange = parts.use(new WitnessExchange({ log, peers: all, logger, metrics: metrics.exchange }))
  metrics.watchWitnesses(() => exchange.lags())
  exchange.start()
}

/** What a node's log asks its witnesses when it is opened (`OpenOptions.askWitnesses`). */
export function askWitnessesOf(
  { logger }: Pick<NodeOptions, 'logger'>,
  policy: NodePolicy,
  peers: (parts: AsyncDisposableStack) => Promise<readonly WitnessPeer[]>,
): (origin: string) => Promise<readonly HeldCheckpoint[]> {
  return async (origin) => {
    await using parts = new AsyncDisposableStack()
    return await askAtStart([...(await peers(parts)), ...otherWitnesses(parts, policy)], origin, logger)
  }
}

/** The portal of an engine as the witness of its log. */
export function portalWitness(http: HttpWitnesses, { hostName, url, ...portal }: JoinedPortal): WitnessPeer {
  const keys = nodeKeysOf({ hostName, ...portal }).witness
  return http.peer({ name: hostName, url: `${url}${witnessPath}`, keys })
}

function otherWitnesses(parts: AsyncDisposableStack, { witnesses }: NodePolicy): WitnessPeer[] {
  if (witnesses.length === 0) return []
  const http = parts.use(new HttpWitnesses())
  return witnesses.map((witness) => http.peer(witness))
}

/** The keys of a node, as it tells them its peers (`federation/node-keys.ts`). */
export function toldKeys(log: Pick<AuditLog, 'keys'>, witness: Pick<Witness, 'keys'>): string {
  return renderNodeKeys({ log: log.keys, witness: witness.keys })
}
