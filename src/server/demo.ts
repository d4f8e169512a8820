// The composition root of a demo: a portal and three engines in one process, each in a directory of its own below the
// demo's, with a month of made-up activity behind them. From there on everything is real: the engines join with
// tokens, and the portal reads them over mutual TLS.

import { join } from 'node:path'
import { type Configuration, withData } from '../config/configuration.ts'
import { formatListen, reachedLocally } from '../config/listen.ts'
import { AnnalsError } from '../errors.ts'
import { type JoinToken, parseToken } from '../federation/join-token.ts'
import { PortalTrust } from '../federation/portal-trust.ts'
import { realDisk } from '../store/disk.ts'
import { type DemoDirectory, openDemoDirectory } from './demo-directory.ts'
import { makeHistories, type NewNode } from './demo-history.ts'
import { type RunningEngine, startEngine } from './engine.ts'
import type { NodeOptions } from './node.ts'
import { type RunningPortal, startPortal } from './portal.ts'
import { portalComponent } from './portal-component.ts'

/** The host names of a demo's engines. */
export const demoEngines = ['engine-01', 'engine-02', 'engine-03'] as const

/** What a demo is started with: a portal's options, whose data directory is the demo's. */
export interface DemoOptions extends NodeOptions {
  /** Called once the directory is the demo's, before anything is made. */
  readonly begin: () => void
  /** Told how much of the history is made, at the first start. */
  readonly progress: (done: number, of: number) => void
  /** As `PortalOptions.firstPassword`; it is told the configuration that the portal has in the demo. */
  readonly firstPassword: (portal: Configuration) => Promise<string>
}

/** A demo that runs: its portal, and the engines. It has failed as soon as one of them has. */
export interface RunningDemo extends RunningPortal {
  /** In the order of `demoEngines`. */
  readonly engines: readonly RunningEngine[]
}

/**
 * Starts a demo, and returns once the engines have joined. The first start makes up the history; the next ones go on
 * with what is there. Throws what `openDemoDirectory`, `startPortal` and `startEngine` throw.
 */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const { configuration, logger, firstPassword } = options
  await using parts = new AsyncDisposableStack()
  const directory = parts.use(await openDemoDirectory(configuration.data))
  options.begin()
  for (const warning of directory.warnings) logger.warn(warning)
  await seed(options, directory)
  const engines = new Map<string, RunningEngine>()
  // Later than the portal, which may still be reading them.
  parts.defer(async () => void (await Promise.all([...engines.values()].map((engine) => engine.stop()))))
  // So that the portal finds them; those that have not joined have to find the portal.
  for (const name of demoEngines) {
    if (await hasJoined(configuration, name)) engines.set(name, await startOne(options, name))
  }
  const own = withData(configuration, join(configuration.data, portalDirectory))
  const portal = await startPortal({
    ...partOf(options, own),
    tls: options.tls,
    firstPassword: () => firstPassword(own),
  })
  parts.defer(() => portal.stop())
  for (const name of demoEngines) {
    if (!engines.has(name)) engines.set(name, await startOne(options, name, portal))
  }
  const all = parts.move()
  return {
    ...portal,
    engines: demoEngines.flatMap((name) => engines.get(name) ?? []),
    failed: Promise.race([portal, ...engines.values()].map(({ failed }) => failed)),
    stop: () => all.disposeAsync(),
  }
}

const portalDirectory = 'portal'

// A crash before the mark: all of it is made again. A crash behind it leaves nodes, which can deal with one.
async function seed(options: DemoOptions, directory: DemoDirectory): Promise<void> {
  if (directory.isSeeded) return
  await makeHistories(nodesOf(options.configuration), options.clock.wallMicros(), options.progress)
  await directory.markSeeded()
}

function nodesOf({ data, hostName }: Configuration): NewNode[] {
  const portal = { data: join(data, portalDirectory), hostName, component: portalComponent }
  return [
    { ...portal, activity: { kind: 'portal' } },
    ...demoEngines.map((name): NewNode => {
      const activity = { kind: 'engine', name } as const
      return { data: join(data, name), hostName: name, component: name, activity }
    }),
  ]
}

async function hasJoined({ data }: Configuration, engine: string): Promise<boolean> {
  return (await PortalTrust.open(realDisk, join(data, engine))).portal !== undefined
}

// The operator's log is one for all; each line says whose it is.
function partOf({ logger, clock, disk }: DemoOptions, configuration: Configuration): NodeOptions {
  const child = logger.child({ node: configuration.hostName })
  // Those that witness a node are not up yet when it is started, and all of them are of one process.
  const part = { configuration, tls: undefined, logger: child, clock, asksWitnesses: false }
  return disk === undefined ? part : { ...part, disk }
}

// `portal`: the one to join, where the engine has not joined.
async function startOne(
  options: DemoOptions,
  hostName: string,
  portal?: RunningPortal,
): Promise<RunningEngine> {
  const anyPort = { host: '127.0.0.1', port: 0 }
  const configuration = {
    ...withData(options.configuration, join(options.configuration.data, hostName)),
    hostName,
    listen: anyPort,
    portalListen: anyPort,
    isPublicUrlDerived: true,
    tls: undefined,
    advertise: undefined,
    join: portal && urlOf(portal.configuration),
    // Nobody reads an engine once the portal has stopped.
    stopTimeoutSeconds: 0,
  }
  return await startEngine({ ...partOf(options, configuration), token: () => tokenFor(hostName, portal) })
}

// Where the answer to an earlier start was lost, the engine asks as it did then, and is let in again.
async function tokenFor(hostName: string, portal: RunningPortal | undefined): Promise<JoinToken> {
  if (portal === undefined) throw new AnnalsError('INTERNAL', `${hostName} has joined, and asks for a token`)
  const { token } = await portal.makeToken({ hostName }, { actor: '*system' })
  return parseToken(token)
}

function urlOf({ listen, tls }: Configuration): string {
  return new URL(`${tls === undefined ? 'http' : 'https'}://${formatListen(reachedLocally(listen))}`).origin
}
