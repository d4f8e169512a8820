// A gateway on a loopback port, for tests: the real HTTP face and real connections to an instance, with doubles behind
// them. Who calls is told by three tokens.

import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { InstanceSilent } from '../../agora/silence.ts'
import { unreachableInstance } from '../../agora/silence.ts'
import type { ScriptedInstance } from '../../agora/testing/scripted-instance.ts'
import { defaultUpstreamBounds, Upstream, type UpstreamBounds } from '../../agora/upstream.ts'
import type { FailedCall } from '../../identity/login-events.ts'
import { TokenRefused } from '../../identity/token-refused.ts'
import { createAgoraApp, type FaceOptions } from '../app.ts'
import type { AgoraNode } from '../agora-node.ts'
import type { HttpBounds } from '../bounds.ts'
import { LogDouble } from './log-double.ts'
import { MetricsDouble } from './portal-server.ts'

/** The Authorization header of a client of the instance, and of one of an instance of another region. */
export const client = 'Bearer own.instance.token'
export const foreigner = 'Bearer other.region.token'

/** A gateway that listens. */
export interface AgoraServer {
  readonly port: number
  readonly log: LogDouble
  readonly metrics: MetricsDouble
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[]
  /** Calls without a valid token. */
  readonly failures: FailedCall[]
  /** How the instance fell silent, and that it answered. */
  readonly noted: string[]
  readonly state: { isReady: boolean }
}

/** What differs from the usual. */
export interface AgoraServerOptions {
  readonly bounds?: Partial<HttpBounds>
  readonly upstream?: Partial<UpstreamBounds>
  readonly trusts?: (address: string) => boolean
}

/** Starts one in front of an instance. */
export async function startAgora(
  context: TestContext,
  instance: ScriptedInstance,
  { bounds = {}, upstream: different = {}, trusts }: AgoraServerOptions = {},
): Promise<AgoraServer> {
  const [log, metrics] = [new LogDouble(), new MetricsDouble()]
  const logged: AgoraServer['logged'] = []
  const [failures, noted, state] = [[] as FailedCall[], [] as string[], { isReady: true }]
  const note = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, fields, message })
  const upstream = new Upstream(instance.at, Buffer.allocUnsafeSlow(65_536), {
    ...defaultUpstreamBounds,
    ...different,
  })
  const options: FaceOptions<AgoraNode> = {
    log,
    instances: {
      async callerOf(token) {
        const isOfRegion = `Bearer ${token}` === client
        if (!isOfRegion && `Bearer ${token}` !== foreigner) throw new TokenRefused('token-signature')
        return { name: 'client:siem', session: 'jti-1', instance: 'acme', isOfRegion, upstream }
      },
      async noteSilent(name: string, silence: InstanceSilent) {
        noted.push(silence.reason)
        return unreachableInstance(name, silence)
      },
      noteAnswer: () => Promise.resolve(void noted.push('answer')),
    },
    failures: { add: (call) => Promise.resolve(void failures.push(call)) },
    challenge: { basic: false, resourceMetadata: () => undefined },
    hostName: 'agora-01',
    component: 'Agora',
    metrics,
    logger: { warn: note('warn'), error: note('error') },
    isReady: () => state.isReady,
    health: () => ({ ready: state.isReady }),
    version: '1.2.3',
    bounds: { lingerMs: 50, ...bounds },
    ...(trusts === undefined ? {} : { trusts }),
  }
  const app = createAgoraApp(options)
  await app.listen({ host: '127.0.0.1', port: 0 })
  context.after(async () => {
    const closed = app.close()
    app.server.closeAllConnections()
    await closed
    upstream[Symbol.dispose]()
    await log.close()
  })
  const { port } = app.server.address() as AddressInfo
  return { port, log, metrics, logged, failures, noted, state }
}
