// Many engines in one process: each with a data directory, a log, listeners and a certificate of its own, as if it ran
// alone; only the machine is not large enough for a process each.

import { systemClock } from '../src/ops/clock.ts'
import { resolveConfiguration } from '../src/config/configuration.ts'
import { parseToken } from '../src/federation/join-token.ts'
import { createLogger } from '../src/ops/logger.ts'
import { type RunningEngine, startEngine } from '../src/server/engine.ts'
import { serveTask } from './helper-process.ts'

/** An engine to start. */
export interface FarmEngine {
  readonly hostName: string
  readonly data: string
  /** A secret. */
  readonly token: string
  /** What the portal is told of where the engine is; where it listens unless it is given. */
  readonly advertise?: string
}

/** The engines of one process, and where each listens for its portal. */
export interface FarmProtocol {
  readonly task: { readonly portalUrl: string; readonly engines: readonly FarmEngine[] }
  readonly reply: readonly { readonly hostName: string; readonly port: number }[]
}

serveTask<FarmProtocol>(async ({ portalUrl, engines }) => {
  const running: RunningEngine[] = []
  // One after the other: the portal takes them in one by one.
  for (const engine of engines) running.push(await start(portalUrl, engine))
  return {
    reply: running.map(({ configuration: { hostName }, portalListen: { port } }) => ({ hostName, port })),
    stop: async () => void (await Promise.all(running.map((engine) => engine.stop()))),
  }
})

function start(portalUrl: string, { hostName, data, token, advertise }: FarmEngine): Promise<RunningEngine> {
  const configuration = resolveConfiguration({
    flags: {
      data,
      hostName,
      listen: '127.0.0.1:0',
      portalListen: '127.0.0.1:0',
      join: portalUrl,
      ...(advertise === undefined ? {} : { advertise }),
    },
    file: undefined,
    environment: {},
    directory: data,
    machineName: hostName,
    role: 'engine',
  })
  const read = () => Promise.resolve(parseToken(token))
  return startEngine({
    configuration,
    tls: undefined,
    logger: createLogger('error'),
    clock: systemClock(),
    token: read,
  })
}
