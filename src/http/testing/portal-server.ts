// A portal on a loopback port, for tests: the real HTTP face with doubles behind it.

import type { AddressInfo } from 'node:net'
import { AnnalsError, type ErrorCode } from '../../errors.ts'
import { engineSetOf } from '../../federation/engine-set.ts'
import { createPortalApp } from '../app.ts'
import type { HttpBounds } from '../bounds.ts'
import type { BreakReason, HttpMetrics } from '../metrics.ts'
import type { Authenticator, Portal } from '../portal.ts'
import { LogDouble } from './log-double.ts'

/** The Authorization header of an administrator, and of an account that may not read. */
export const admin = `Basic ${Buffer.from('admin:secret').toString('base64')}`
export const reader = `Basic ${Buffer.from('reader:secret').toString('base64')}`

/** What was counted. */
export class MetricsDouble implements HttpMetrics {
  readonly answers: string[] = []
  readonly refusals: ErrorCode[] = []
  readonly breaks: BreakReason[] = []
  bytes = 0
  underWay = 0
  notRecorded = 0

  answered(route: string, status: number): void {
    this.answers.push(`${route} ${status}`)
  }

  refused(code: ErrorCode): void {
    this.refusals.push(code)
  }

  sent(bytes: number): void {
    this.bytes += bytes
  }

  bulk(change: 1 | -1): void {
    this.underWay += change
  }

  broken(reason: BreakReason): void {
    this.breaks.push(reason)
  }

  unrecorded(): void {
    this.notRecorded += 1
  }

  async render(): Promise<{ contentType: string; text: string }> {
    return { contentType: 'text/plain; version=0.0.4', text: 'annals_up 1\n' }
  }
}

/** A portal that listens. Dispose of it to close it; that asserts that nothing is left open. */
export interface PortalServer extends AsyncDisposable {
  readonly port: number
  readonly log: LogDouble
  readonly metrics: MetricsDouble
  /** What was logged for the operator. */
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[]
  /** Connections that the server has. */
  readonly connections: () => number
  /** Whether the node is ready. */
  readonly state: { isReady: boolean }
}

/** Starts a portal. */
export async function startPortal(bounds: Partial<HttpBounds> = {}): Promise<PortalServer> {
  const log = new LogDouble()
  const metrics = new MetricsDouble()
  const logged: PortalServer['logged'] = []
  const state = { isReady: true }
  const note = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, fields, message })
  const app = createPortalApp({
    log,
    identity,
    engines: noEngines,
    enrol: () => Promise.reject(new AnnalsError('JOIN_REFUSED', 'as the test wants')),
    timeZone: 'UTC',
    hostName: 'portal-01',
    component: 'Portal',
    metrics,
    logger: { warn: note('warn'), error: note('error') },
    isReady: () => state.isReady,
    health: () => ({ ready: state.isReady }),
    version: '1.2.3',
    bounds: { lingerMs: 50, ...bounds },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  let connections = 0
  app.server.on('connection', (socket) => {
    connections += 1
    socket.once('close', () => (connections -= 1))
  })
  return {
    port,
    log,
    metrics,
    logged,
    state,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      const closed = app.close()
      app.server.closeAllConnections()
      await closed
      await log.close()
    },
  }
}

const noEngines: Portal['engines'] = {
  find: (name) =>
    Promise.reject(
      new AnnalsError('UNKNOWN_ENGINE', 'no engine of this name is connected', { engine: name }),
    ),
  fixAll: () => Promise.resolve(engineSetOf([])),
  fixSet: () => Promise.resolve(undefined),
}

const identity: Authenticator = {
  noteRefusedJoin: () => Promise.resolve(),
  async authenticateBasic({ authorization }) {
    if (authorization === admin) return { name: 'admin', profile: 'main-administrator', session: 'session-1' }
    if (authorization === reader) return { name: 'reader', profile: 'user', session: 'session-2' }
    if (authorization === 'Basic busy') {
      throw new AnnalsError('TOO_MANY_REQUESTS', 'too many logins at once', { retryAfterSeconds: 7 })
    }
    throw new AnnalsError('UNAUTHENTICATED', 'valid credentials are needed')
  },
}
