// A portal with engines, all on this machine. The logs are made once and used again; who is connected to whom is
// forgotten before each run, so that every run begins with a portal that knows nobody.

import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../src/database/database.ts'
import { Registry } from '../src/federation/registry.ts'
import { dataLayout } from '../src/log/layout.ts'
import { systemClock } from '../src/ops/clock.ts'
import { type Annals, portalName, startAnnals } from './annals.ts'
import type { BenchContext } from './benchmark.ts'
import type { DelayProtocol } from './delay-proxies.ts'
import type { FarmEngine, FarmProtocol } from './engine-farm.ts'
import { startHelper } from './helper-process.ts'
import { type LogPlan, makeLog } from './make-log.ts'

/** What is to be started. */
export interface FederationPlan {
  /** The portal's data directory. */
  readonly portal: string
  readonly portalFlags?: readonly string[]
  readonly engines: readonly EngineLog[]
  /** How far away each engine is, there and back. Everything is on this machine where it is 0. */
  readonly roundTripMs?: number
  /** Engines that the portal is told are at this address instead of where they are. */
  readonly elsewhere?: { readonly hostNames: readonly string[]; readonly address: string }
}

/** An engine's data directory, with its log in it. */
export interface EngineLog {
  readonly hostName: string
  readonly data: string
}

/** A portal and its engines, all of which are connected. */
export interface Federation extends AsyncDisposable {
  readonly portal: Annals
  /** Where each engine listens for its portal, by host name. */
  readonly ports: ReadonlyMap<string, number>
}

/** The audit log of one engine (contract A2). */
export function engineLogPath(hostName: string): string {
  return `/audit-trail/api/v1/engine/${hostName}/type/auditlog`
}

/** The audit logs of all engines (contract A3). */
export const enginesLogPath = '/audit-trail/api/v1/engines/type/auditlog'

/** The engines of a federation are in so many processes, or in fewer. */
export const farmProcesses = 4

// As many as there are cores. Making a hundred logs is a matter of minutes.
const logsAtOnce = 2
const patienceMs = 120_000

/** Makes the logs of `count` engines, where they are not there, each as `plan` says but for the name. */
export async function engineLogs(
  context: BenchContext,
  count: number,
  plan: Omit<LogPlan, 'hostName'>,
): Promise<EngineLog[]> {
  context.say(`the logs of ${count} engines`)
  const quietly = { ...context, say: () => undefined }
  const logs: EngineLog[] = []
  const names = Array.from({ length: count }, (_, k) => `engine-${String(k + 1).padStart(3, '0')}`)
  const next = names.values()
  const make = async () => {
    for (const hostName of next) {
      const data = await makeLog(quietly, { ...plan, hostName, name: `${plan.name}-${hostName}` })
      logs.push({ hostName, data })
    }
  }
  await Promise.all(Array.from({ length: logsAtOnce }, make))
  return logs.sort((a, b) => (a.hostName < b.hostName ? -1 : 1))
}

/** Starts a portal and engines, lets them join, and returns once the portal has reached every engine that is there. */
export async function startFederation(plan: FederationPlan): Promise<Federation> {
  const { portal: data, portalFlags, engines, elsewhere } = plan
  await startOnce(data)
  await forget(data, ['annals.db', 'annals.db-wal', 'annals.db-shm'])
  for (const engine of engines) await forget(engine.data, ['portal.json', portFile])
  await using parts = new AsyncDisposableStack()
  const portal = parts.use(await startAnnals(data, portalFlags))
  await using database = await openDatabase(dataLayout(data).database)
  const registry = new Registry({ database, clock: systemClock(), hostName: portalName, random: randomBytes })
  const far = await farAway(parts, plan)
  const tasks = await farmTasks(registry, portal.url, engines, { ...far, ...named(elsewhere) })
  const farms = await Promise.all(
    tasks.map(async (task) => parts.use(await startHelper<FarmProtocol>('engine-farm.ts', task))),
  )
  const missing = new Set(elsewhere?.hostNames)
  await untilConnected(registry, engines.filter(({ hostName }) => !missing.has(hostName)).length)
  const ports = new Map(farms.flatMap(({ reply }) => reply).map(({ hostName, port }) => [hostName, port]))
  const all = parts.move()
  return { portal, ports, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** The options with which curl calls an engine as its portal does: both certificates, and the name in that of the engine. */
export function asPortal(portalData: string, { hostName, data }: EngineLog, port: number): string[] {
  const pair = join(dataLayout(portalData).tls, 'current.pem')
  const engine = join(dataLayout(data).tls, 'current.pem')
  const address = ['--connect-to', `${hostName}:443:127.0.0.1:${port}`]
  return ['--cert', pair, '--key', pair, '--cacert', engine, '--tlsv1.3', ...address]
}

// The file in which an engine keeps the port that it listens at for its portal.
const portFile = 'portal-port'

type Addresses = Readonly<Record<string, string>>

function named(elsewhere: FederationPlan['elsewhere']): Addresses {
  return Object.fromEntries(elsewhere?.hostNames.map((hostName) => [hostName, elsewhere.address]) ?? [])
}

// The first start of a portal makes its TLS certificate, and the first one of a new version compiles it: both hold memory
// until it stops, some 20 MB each. What is measured is a portal as it runs from then on.
async function startOnce(portalData: string): Promise<void> {
  await using _portal = await startAnnals(portalData)
}

async function forget(data: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(data, name), { recursive: true, force: true })
}

async function farAway(
  parts: AsyncDisposableStack,
  { engines, roundTripMs = 0 }: FederationPlan,
): Promise<Addresses> {
  if (roundTripMs === 0) return {}
  const task = { oneWayMs: roundTripMs / 2, portFiles: engines.map(({ data }) => join(data, portFile)) }
  const { reply } = parts.use(await startHelper<DelayProtocol>('delay-proxies.ts', task))
  return Object.fromEntries(engines.map(({ hostName }, k) => [hostName, `127.0.0.1:${reply[k]}`]))
}

async function farmTasks(
  registry: Registry,
  portalUrl: string,
  engines: readonly EngineLog[],
  addresses: Addresses,
): Promise<FarmProtocol['task'][]> {
  const each = Math.ceil(engines.length / farmProcesses)
  const tasks: FarmProtocol['task'][] = []
  for (let k = 0; k < engines.length; k += each) {
    const joining: FarmEngine[] = []
    for (const { hostName, data } of engines.slice(k, k + each)) {
      const { token } = await registry.makeToken({ hostName }, { actor: '*bench' })
      const advertise = addresses[hostName]
      joining.push({ hostName, data, token, ...(advertise === undefined ? {} : { advertise }) })
    }
    tasks.push({ portalUrl, engines: joining })
  }
  return tasks
}

async function untilConnected(registry: Registry, count: number): Promise<void> {
  for (const begin = performance.now(); ; await sleep(100)) {
    const connected = (await registry.connected()).filter(({ state }) => state === 'CONNECTED')
    if (connected.length === count) return
    if (performance.now() - begin > patienceMs)
      throw new Error(`only ${connected.length} of ${count} engines are connected`)
  }
}
