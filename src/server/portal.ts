// The composition root: the only file that names every part of a portal and puts them together. It starts them in an
// order in which a crash between any two steps leaves something that the next start takes up, and stops them in the
// opposite one.

import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Configuration, withPort } from './config/configuration.ts'
import type { TlsFiles } from './config/tls-files.ts'
import { type Database, openDatabase } from './database/database.ts'
import { drain } from './database/outbox.ts'
import type { AuditEvent } from './entry/event.ts'
import { draftOf } from './entry/line.ts'
import { selfEvent } from './entry/self-event.ts'
import { AnnalsError, isAnnalsError } from './errors.ts'
import { createApp } from './http/app.ts'
import { type Identity, openIdentity } from './identity/identity.ts'
import { idleCheckMs, lockRetryMs, lockWaitMs, outboxIntervalMs } from './limits.ts'
import type { AuditLog } from './log/audit-log.ts'
import { dataLayout } from './log/layout.ts'
import { lockData, readHolder } from './log/lock.ts'
import { type LogObserver, openLog, type OpenOptions } from './log/open.ts'
import { prepareDataDirectory } from './ops/data-directory.ts'
import { createHealth } from './ops/health.ts'
import type { Logger } from './ops/logger.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { annalsVersion } from './ops/version.ts'
import { type Disk, realDisk } from './store/disk.ts'

/** The component that a portal's own entries name. */
export const portalComponent = 'Portal'

/** The first administrator's login name. */
export const administratorName = 'admin'

/** What a portal is started with. */
export interface PortalOptions {
  readonly configuration: Configuration
  /** The certificate, where the configuration names one. */
  readonly tls: TlsFiles | undefined
  readonly logger: Logger
  readonly clock: { wallMicros(): number; monotonicMicros(): number }
  /**
   * Called at the first start: makes the first administrator's password known to whoever is to have it, and returns
   * it. Only then the account is made: a crash in between leaves a password too many, and not an account too few.
   */
  readonly firstPassword: () => Promise<string>
  /** Where the log is kept; for tests. */
  readonly disk?: Disk
}

/** A portal that runs. */
export interface RunningPortal {
  /** As it was given, with the port that it listens at. */
  readonly configuration: Configuration
  readonly log: Pick<AuditLog, 'id' | 'publicKey' | 'status'>
  /** The name of a main administrator. */
  readonly administrator: string
  /** Resolves, with the reason, when the log cannot be written any more: the portal must be stopped, and end. */
  readonly failed: Promise<unknown>
  /** Lets answers under way finish within the configured time, records that the portal stopped, and closes. */
  stop(): Promise<void>
}

/**
 * Starts a portal, and returns once it is ready. What is begun is noted in `parts`, and is ended in the opposite order:
 * when the portal stops, or at once where a later step of the start fails.
 */
export async function startPortal(options: PortalOptions): Promise<RunningPortal> {
  const { configuration, logger, clock } = options
  const { data, hostName } = configuration
  await using parts = new AsyncDisposableStack()
  const warnings = await prepareDataDirectory(data, (path) => realDisk.makeDirectory(path))
  for (const warning of [...warnings, ...(options.tls?.warnings ?? [])]) logger.warn(warning)
  // From here on this process is the only one that writes the log (I5).
  parts.use(await waitForLock(data))
  const metrics = parts.use(createMetrics(annalsVersion()))
  const failure = Promise.withResolvers<unknown>()
  const log = parts.use(await openLog(logOptions(options, metrics, failure.resolve)))
  metrics.watch(() => log.status())
  const health = createHealth(() => log.status().recording)
  const record = async (event: AuditEvent): Promise<void> => void (await log.record(draftOf(event, log.id)))
  // A crash before this: there is a log with its key, and perhaps its first entry. The next start finds both.
  await recordPhase(record, logger, hostName, '20001')
  parts.defer(() => recordPhase(record, logger, hostName, '20004'))
  const database = parts.use(await openDatabase(dataLayout(data).database))
  const identity = openIdentity({
    database,
    record,
    clock,
    hostName,
    options: { lockout: configuration.lockout, basicEnabled: configuration.basicAuthentication },
  })
  // Calls without valid credentials that were only counted become their entry (S7).
  parts.defer(() => identity.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  const administrator = await ensureAdministrator(identity, options.firstPassword)
  parts.use(drainOutbox(database, record, logger))
  const app = createApp({
    log,
    identity,
    timeZone: configuration.timeZone,
    hostName,
    component: portalComponent,
    metrics: metrics.http,
    logger,
    isReady: () => health.isReady(),
    health: () => health.report(),
    version: annalsVersion(),
    bounds: { answerStallMs: configuration.answerStallSeconds * 1000 },
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  })
  parts.defer(() => closeHttp(app, configuration.stopTimeoutSeconds * 1000))
  parts.defer(() => health.enter('stopping'))
  // A copy, because fastify writes into it.
  await app.listen({ ...configuration.listen }).catch((cause: unknown) => {
    throw cannotListen(configuration, cause)
  })
  await recordPhase(record, logger, hostName, '20002')
  health.enter('running')
  const all = parts.move()
  return {
    configuration: withPort(configuration, (app.server.address() as AddressInfo).port),
    log,
    administrator,
    failed: failure.promise,
    stop: () => all.disposeAsync(),
  }
}

function logOptions(
  { configuration, clock, logger, disk }: PortalOptions,
  metrics: Metrics,
  failed: (reason: unknown) => void,
): OpenOptions {
  const { data, hostName, minFreeBytes } = configuration
  const observer: LogObserver = {
    committed: (entries, diskMs) => metrics.log.committed(entries, diskMs),
    warn(message, error) {
      metrics.log.warned()
      logger.warn(error === undefined ? {} : { err: error }, message)
    },
    failed(error) {
      logger.fatal({ err: error }, 'the audit log cannot be written any more; this node ends')
      failed(error)
    },
  }
  const options = { data, hostName, component: portalComponent, clock, minFreeBytes, observer }
  return disk === undefined ? options : { ...options, disk }
}

// A command holds the lock only for as long as it takes to record its change. A server holds it for good.
async function waitForLock(data: string): Promise<Disposable> {
  const deadline = performance.now() + lockWaitMs
  for (;;) {
    try {
      return lockData(data, serveCommandName)
    } catch (error) {
      const isServer = readHolder(data)?.command === serveCommandName
      if (!isAnnalsError(error, 'LOG_LOCKED') || isServer || performance.now() >= deadline) throw error
    }
    await sleep(lockRetryMs)
  }
}

/** How a running server calls itself to whoever finds the data directory locked. */
export const serveCommandName = 'annals serve'

// Where there is no room to record, the portal runs all the same: reading goes on (I9).
async function recordPhase(
  record: (event: AuditEvent) => Promise<void>,
  logger: Logger,
  hostName: string,
  code: '20001' | '20002' | '20004',
): Promise<void> {
  try {
    await record(selfEvent({ code, actor: '*system', component: portalComponent, hostName }))
  } catch (error) {
    if (code !== '20004' && !isAnnalsError(error, 'STORAGE_FULL')) throw error
    warnUnrecorded(logger, error)
  }
}

function warnUnrecorded(logger: Logger, error: unknown): void {
  logger.warn({ err: error }, 'what the portal does could not be recorded')
}

// Any account will do: somebody could log in, or an administrator of the machine has made it on purpose.
async function ensureAdministrator(
  identity: Identity,
  firstPassword: () => Promise<string>,
): Promise<string> {
  const accounts = await identity.accounts.list()
  if (accounts.length === 0) {
    const account = {
      name: administratorName,
      profile: 'main-administrator',
      password: await firstPassword(),
    } as const
    await identity.accounts.add(account, { actor: '*system' })
    return administratorName
  }
  return accounts.find(({ profile }) => profile === 'main-administrator')?.name ?? administratorName
}

// Records what changes left in the outbox: at once, and then again and again, one after the other. Ends with what
// changed while the last answers were on their way.
function drainOutbox(
  database: Database,
  record: (event: AuditEvent) => Promise<void>,
  logger: Logger,
): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  let lastProblem: string | undefined
  const drainOnce = async (): Promise<void> => {
    const problem: unknown = await drain(database, record).then(
      ({ stoppedBy }) => stoppedBy,
      (error: unknown) => error,
    )
    const text = problem instanceof Error ? problem.message : undefined
    // Said once, and not five times a second.
    if (text !== undefined && text !== lastProblem)
      logger.warn({ err: problem }, 'changes wait to be recorded')
    lastProblem = text
  }
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await drainOnce()
      await sleep(outboxIntervalMs, undefined, { signal }).catch(() => undefined)
    }
    await drainOnce()
  }
  const running = loop()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}

// Closes idle connections at once, lets answers under way finish, and breaks off what is left when the time is up.
async function closeHttp(app: ReturnType<typeof createApp>, timeoutMs: number): Promise<void> {
  const deadline = setTimeout(() => app.server.closeAllConnections(), timeoutMs)
  // Those that become idle while others are still answered.
  const idle = setInterval(() => app.server.closeIdleConnections(), idleCheckMs)
  try {
    await app.close()
  } finally {
    clearTimeout(deadline)
    clearInterval(idle)
  }
}

function cannotListen({ listen: { host, port } }: Configuration, cause: unknown): AnnalsError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const why =
    code === 'EADDRINUSE'
      ? 'another program listens there already'
      : code === 'EACCES'
        ? 'this user may not listen there'
        : String(cause)
  return new AnnalsError(
    'INVALID_CONFIGURATION',
    `cannot listen at ${host} port ${port}: ${why} (--listen)`,
    { cause },
  )
}
