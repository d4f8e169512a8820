// The composition root of a regional gateway: the only file that names every part of one and puts them together.

import type { AddressInfo } from 'node:net'
import { Instances } from '../agora/instances.ts'
import { withPort } from '../config/configuration.ts'
import { readInstancesFile } from '../config/instances-file.ts'
import { AnnalsError, isUnrecordable } from '../errors.ts'
import { createAgoraApp } from '../http/app.ts'
import { Failures } from '../identity/failures.ts'
import type { FailedCall } from '../identity/login-events.ts'
import { callRefused } from '../identity/token-events.ts'
import { annalsVersion } from '../ops/version.ts'
import {
  closeHttp,
  listenAt,
  type NodeBase,
  type NodeOptions,
  openNode,
  recordPhase,
  type RunningNode,
  serverCommands,
  trustedProxies,
  warnUnrecorded,
} from './node.ts'

/** The component that a gateway's own entries name. */
export const agoraComponent = 'Agora'

/** A gateway that runs. */
export interface RunningAgora extends RunningNode {
  /** How many instances it serves. */
  readonly instances: () => number
}

const phases = { component: agoraComponent, actor: '*system' } as const

/** Starts a gateway, and returns once it is ready. */
export async function startAgora(options: NodeOptions): Promise<RunningAgora> {
  const { configuration, logger, clock } = options
  const { hostName, region, listen, stopTimeoutSeconds } = configuration
  const file = instancesFileOf(options)
  let list = readInstancesFile(file)
  await using parts = new AsyncDisposableStack()
  const node = await openNode(parts, options, agoraComponent, serverCommands.agora)
  const { log, metrics, health, record } = node
  await recordPhase(node, options, phases, '29065')
  parts.defer(() => recordPhase(node, options, phases, '29066', true))
  const place = { hostName, component: agoraComponent }
  const tell = (call: FailedCall) => callRefused(place, call)
  const failures = new Failures({ clock, record, ...place, tell })
  // Calls without valid credentials that were only counted become their entry (S7).
  parts.defer(() => failures.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  const instances = parts.use(new Instances({ region, clock, place, record: recorderOf(options, node) }))
  await instances.replace(list)
  const app = createAgoraApp({
    log,
    instances,
    failures,
    challenge: { basic: false, resourceMetadata: () => undefined },
    ...trustedProxies(configuration),
    hostName,
    component: agoraComponent,
    metrics: metrics.http,
    logger,
    isReady: () => health.isReady(),
    health: () => health.report(),
    version: annalsVersion(),
    bounds: { answerStallMs: configuration.answerStallSeconds * 1000 },
    ...(options.tls === undefined ? {} : { tls: { cert: options.tls.cert, key: options.tls.key } }),
  })
  parts.defer(() => closeHttp(app, stopTimeoutSeconds * 1000))
  parts.defer(() => health.enter('stopping'))
  await listenAt(app, listen, '--listen')
  health.enter('running')
  const all = parts.move()
  return {
    configuration: withPort(configuration, (app.server.address() as AddressInfo).port),
    instances: () => list.length,
    log,
    failed: node.failed,
    async reload() {
      const next = readInstancesFile(file)
      await instances.replace(next)
      list = next
      logger.info({ instances: list.map(({ name }) => name) }, 'the instances were read again')
    },
    stop: () => all.disposeAsync(),
  }
}

// What becomes of instances is no reason to refuse a call where there is no room to record it (I9).
function recorderOf({ logger }: NodeOptions, { record }: NodeBase): NodeBase['record'] {
  return (event) =>
    record(event).catch((error: unknown) => {
      if (!isUnrecordable(error)) throw error
      warnUnrecorded(logger, error)
    })
}

function instancesFileOf({ configuration: { instancesFile } }: NodeOptions): string {
  if (instancesFile !== undefined) return instancesFile
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    'a gateway needs to know its instances: name their file with --instances-file',
  )
}
