// A portal on a loopback port, for tests: the real HTTP face with doubles behind it.

import type { AddressInfo } from 'node:net'
import { AnnalsError, type ErrorCode } from '../../errors.ts'
import { engineSetOf } from '../../federation/engine-set.ts'
import type { FoundEngine } from '../../federation/engines.ts'
import { EngineFailure, unreachable } from '../../federation/failure.ts'
import { createPortalApp } from '../app.ts'
import type { HttpBounds } from '../bounds.ts'
import type { BreakReason, HttpMetrics } from '../metrics.ts'
import { Manifests } from '../manifests.ts'
import type { Authenticator, Authorization, Portal } from '../portal.ts'
import type { AuditLog } from '../../log/audit-log.ts'
import { Intake } from '../../intake/intake.ts'
import type { Loss } from '../../intake/losses.ts'
import type { Principal } from '../../identity/principal.ts'
import { noRights } from '../../identity/rights.ts'
import { rightsOf } from '../../identity/scope.ts'
import { OAuthError } from '../../identity/oauth-error.ts'
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
export interface PortalServer<L extends AuditLog = LogDouble> extends AsyncDisposable {
  readonly port: number
  readonly log: L
  readonly metrics: MetricsDouble
  /** What was logged for the operator. */
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[]
  /** Events that were not recorded, and counted. */
  readonly losses: readonly Loss[]
  /** Connections that the server has. */
  readonly connections: () => number
  /** Whether the node is ready. */
  readonly state: { isReady: boolean }
}

/** Starts a portal, with engines or without. */
export async function startPortal(
  bounds: Partial<HttpBounds> = {},
  engines: Portal['engines'] = noEngines,
): Promise<PortalServer> {
  return await startPortalWith(new LogDouble(), bounds, engines)
}

/** The same with a log of the caller's own, which is closed with it. */
export async function startPortalWith<L extends AuditLog>(
  log: L,
  bounds: Partial<HttpBounds> = {},
  engines: Portal['engines'] = noEngines,
): Promise<PortalServer<L>> {
  const metrics = new MetricsDouble()
  const logged: PortalServer['logged'] = []
  const state = { isReady: true }
  const losses: Loss[] = []
  const intake = intakeOf(log, losses)
  const note = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, fields, message })
  const app = createPortalApp({
    log,
    identity,
    recording: { authenticate: (claim) => identity.authenticate(claim), intake },
    authorization,
    challenge: { basic: true, resourceMetadata: () => 'https://portal/metadata' },
    engines,
    witness: { addCheckpoint: async () => ({ verdict: 'unknown' }), latest: async () => undefined, keys: [] },
    publicUrl: () => 'https://portal',
    manifests: new Manifests(),
    registryPosition: () => Promise.resolve(undefined),
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
    losses,
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

function intakeOf(log: AuditLog, counted: Loss[]): Intake {
  const metrics = { recorded: () => undefined, lost: () => undefined }
  const losses = { add: (loss: Loss) => void counted.push(loss) }
  return new Intake({ log, hostName: 'portal-01', component: 'Portal', metrics, losses })
}

// Answers with what it was asked, and refuses what the body names.
const authorization: Authorization = {
  async token({ authorization, contentType, body }, source) {
    if (body === 'wrong-client') throw new OAuthError('invalid_client', 'as the test wants', true)
    if (body === 'wrong-scope') throw new OAuthError('invalid_scope', 'as the test wants')
    if (body === 'busy')
      throw new AnnalsError('TOO_MANY_REQUESTS', 'too many tokens', { retryAfterSeconds: 7 })
    if (body === 'fault') throw new Error('a secret of ours')
    return { authorization, contentType, body, source }
  },
  introspect: () => Promise.resolve({ active: false }),
  revoke: () => Promise.resolve(),
  jwks: () => ({ keys: [] }),
  metadata: () => ({ issuer: 'https://portal/oauth2/default' }),
  resourceMetadata: () => ({ resource: 'https://portal/audit-trail/api' }),
}

/** Engines that are connected, by host name, and cannot be reached. */
export function unreachableEngines(...hostNames: readonly string[]): Portal['engines'] {
  const find = async (name: string): Promise<FoundEngine> => {
    const asked = name.toLowerCase()
    const found = hostNames.filter((hostName) => hostName === asked || hostName.startsWith(`${asked}.`))
    const [hostName] = found
    if (hostName === undefined || found.length > 1) return await noEngines.find(name)
    return {
      hostName,
      log: 'log',
      fix: () => Promise.reject(unreachable(hostName, new EngineFailure('refused'))),
      published: () => Promise.reject(unreachable(hostName, new EngineFailure('refused'))),
      checkpoint: () => Promise.reject(unreachable(hostName, new EngineFailure('refused'))),
      keys: () => Promise.reject(unreachable(hostName, new EngineFailure('refused'))),
    }
  }
  return { ...noEngines, find, findLog: find }
}

const findNone = (name: string) =>
  Promise.reject(new AnnalsError('UNKNOWN_ENGINE', 'no engine of this name is connected', { engine: name }))

const noEngines: Portal['engines'] = {
  find: findNone,
  findLog: findNone,
  fixAll: () => Promise.resolve(engineSetOf([])),
  fixSet: () => Promise.resolve(undefined),
}

const basic = { scheme: 'Basic', session: 'session-1' } as const
const readsAll = {
  reads: 'all',
  records: { components: 'any', codes: 'any', ownCodes: false },
} as const

const shopBounds = { components: ['Shop'], codes: [[40_000, 40_999]], ownCodes: false } as const

// A token that is called like its scopes; `expired` is none.
function bearerOf(scope: string): Principal {
  if (scope === 'expired')
    throw new AnnalsError('UNAUTHENTICATED', 'the access token is not valid', {
      bearer: { error: 'invalid_token' },
    })
  return { name: 'client:siem', session: 'jti', scheme: 'Bearer', rights: rightsOf([scope], shopBounds) }
}

const identity: Authenticator = {
  noteRefusedJoin: () => Promise.resolve(),
  async authenticate({ authorization }) {
    if (authorization === admin) return { ...basic, name: 'admin', rights: readsAll }
    if (authorization === reader) return { ...basic, name: 'reader', rights: noRights }
    const [, scope] = /^Bearer (.*)$/.exec(authorization ?? '') ?? []
    if (scope !== undefined) return bearerOf(scope)
    if (authorization === 'Basic busy') {
      throw new AnnalsError('TOO_MANY_REQUESTS', 'too many logins at once', { retryAfterSeconds: 7 })
    }
    throw new AnnalsError('UNAUTHENTICATED', 'valid credentials are needed')
  },
}
