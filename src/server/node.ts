// What nodes of every role have in common: how one starts, in an order in which a crash between any two steps leaves
// something that the next start takes up, and how its faces close.

import { isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { parseAddressRanges } from '../config/address-ranges.ts'
import { type Listen } from '../config/listen.ts'
import type { Configuration } from '../config/configuration.ts'
import type { TlsFiles } from '../config/tls-files.ts'
import type { AuditEvent } from '../entry/event.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { AnnalsError, isAnnalsError, isUnrecordable } from '../errors.ts'
import { acceptBacklog, idleCheckMs, lockRetryMs, lockWaitMs } from '../limits.ts'
import type { AuditLog } from '../log/audit-log.ts'
import { lockData, readHolder } from '../log/lock.ts'
import { type LogObserver, openLog, type OpenOptions } from '../log/open.ts'
import { tendKeys } from './tend-keys.ts'
import type { RecheckOptions } from '../log/recheck.ts'
import { prepareDataDirectory } from '../ops/data-directory.ts'
import { createHealth, type Health } from '../ops/health.ts'
import type { Logger } from '../ops/logger.ts'
import { createMetrics, type Metrics } from '../ops/metrics.ts'
import { annalsVersion } from '../ops/version.ts'
import { type Disk, realDisk } from '../store/disk.ts'

/** What a node is started with. */
export interface NodeOptions {
  readonly configuration: Configuration
  /** The certificate, where the configuration names one. */
  readonly tls: TlsFiles | undefined
  readonly logger: Logger
  readonly clock: { wallMicros(): number; monotonicMicros(): number }
  /** False where nobody is asked at the start what they hold of the log: nodes of one process that start one by one. */
  readonly asksWitnesses?: boolean
  /** Where the log is kept; for tests. */
  readonly disk?: Disk
}

/** A node that runs. */
export interface RunningNode {
  /** As it was given, with the port that it listens at. */
  readonly configuration: Configuration
  readonly log: Pick<AuditLog, 'id' | 'keys' | 'status'>
  /** Resolves, with the reason, when the log cannot be written any more: the node must be stopped, and end. */
  readonly failed: Promise<unknown>
  /**
   * Reads again what may change while the node runs; undefined where there is nothing of that kind. Throws where what
   * is read is wrong: then everything stays as it was.
   */
  readonly reload?: () => Promise<void>
  /** Lets answers under way finish within the configured time, records that the node stopped, and closes. */
  stop(): Promise<void>
}

/** What every role builds on. */
export interface NodeBase {
  readonly log: AuditLog
  readonly metrics: Metrics
  readonly health: Health
  readonly failed: Promise<unknown>
  /** Records an event; resolves once it is durable. */
  readonly record: (event: AuditEvent) => Promise<void>
  /** `/readyz` says from now on what `source` warns of. */
  readonly warnOf: (source: () => readonly string[]) => void
}

/** Codes of a node's own life. */
export interface Phases {
  /** The component and the actor that the entries name. */
  readonly component: string
  readonly actor: string
}

/**
 * Prepares the data directory, takes its lock as `command` (I5), and opens the log, of which `askWitnesses` says what others
 * hold. What is begun is noted in `parts`, and is ended in the opposite order: when the node stops, or at once where a later step of the start fails.
 */
export async function openNode(
  parts: AsyncDisposableStack,
  options: NodeOptions,
  component: string,
  command: string,
  askWitnesses?: OpenOptions['askWitnesses'],
): Promise<NodeBase> {
  const { configuration, logger } = options
  const { data } = configuration
  const warnings = await prepareDataDirectory(data, (path) => realDisk.makeDirectory(path))
  for (const warning of [...warnings, ...(options.tls?.warnings ?? [])]) logger.warn(warning)
  parts.use(await waitForLock(data, command))
  const metrics = parts.use(createMetrics(annalsVersion()))
  const failure = Promise.withResolvers<unknown>()
  const log = parts.use(
    await open(options, component, observerOf(options, metrics, failure.resolve), askWitnesses),
  )
  metrics.watch(() => log.status())
  parts.use(tendKeys(log, logger))
  const sources: (() => readonly string[])[] = []
  const health = createHealth(
    () => log.status().recording,
    () => sources.flatMap((each) => each()),
    () => log.status().recheck,
  )
  const warnOf = (source: () => readonly string[]): void => void sources.push(source)
  const record = async (event: AuditEvent): Promise<void> => void (await log.record(draftOf(event, log.id)))
  return { log, metrics, health, failed: failure.promise, record, warnOf }
}

function observerOf(
  { logger }: NodeOptions,
  metrics: Metrics,
  failed: (reason: unknown) => void,
): LogObserver {
  return {
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
}

function open(
  { configuration, clock, disk, asksWitnesses }: NodeOptions,
  component: string,
  observer: LogObserver,
  askWitnesses: OpenOptions['askWitnesses'],
): Promise<AuditLog> {
  const { data, hostName, minFreeBytes, recheckDays } = configuration
  return openLog({
    data,
    hostName,
    component,
    clock,
    minFreeBytes,
    observer,
    ...recheckOf(recheckDays),
    ...(disk === undefined ? {} : { disk }),
    ...(askWitnesses === undefined || asksWitnesses === false ? {} : { askWitnesses }),
  })
}

function recheckOf(days: number): { readonly recheck?: RecheckOptions } {
  return days === 0 ? {} : { recheck: { intervalMicros: days * 86_400 * 1_000_000 } }
}

/** How running servers call themselves to whoever finds the data directory locked. */
export const serverCommands = {
  portal: 'annals serve',
  engine: 'annals engine',
  agora: 'annals agora',
} as const

// A command holds the lock only for as long as it takes to record its change. A server holds it for good.
async function waitForLock(data: string, command: string): Promise<Disposable> {
  const deadline = performance.now() + lockWaitMs
  const servers: readonly string[] = Object.values(serverCommands)
  for (;;) {
    try {
      return lockData(data, command)
    } catch (error) {
      const isServer = servers.includes(readHolder(data)?.command ?? '')
      if (!isAnnalsError(error, 'LOG_LOCKED') || isServer || performance.now() >= deadline) throw error
    }
    await sleep(lockRetryMs)
  }
}

/**
 * Records a phase of the node's own life. Where there is no room to record, the node runs all the same: reading goes
 * on (I9). Where the node is stopping, whatever fails is only said.
 */
export async function recordPhase(
  { record }: NodeBase,
  { configuration: { hostName }, logger }: NodeOptions,
  { component, actor }: Phases,
  code: string,
  isLast = false,
): Promise<void> {
  try {
    await record(selfEvent({ code, actor, component, hostName }))
  } catch (error) {
    if (!isLast && !isUnrecordable(error)) throw error
    warnUnrecorded(logger, error)
  }
}

/** Says that something which should be an entry is none. */
export function warnUnrecorded(logger: Logger, error: unknown): void {
  logger.warn({ err: error }, 'what the node does could not be recorded')
}

/** Closes idle connections at once, lets answers under way finish, and breaks off what is left when the time is up. */
export async function closeHttp(app: FastifyInstance, timeoutMs: number): Promise<void> {
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

/** Listens. Throws INVALID_CONFIGURATION, naming the flag, where that cannot be done. */
export async function listenAt(app: FastifyInstance, { host, port }: Listen, flag: string): Promise<void> {
  // A copy, because fastify writes into it.
  await app.listen({ host, port, backlog: acceptBacklog }).catch((cause: unknown) => {
    throw new AnnalsError(
      'INVALID_CONFIGURATION',
      `cannot listen at ${host} port ${port}: ${whyNot(cause)} (${flag})`,
      { cause },
    )
  })
}

/** The proxies that a face believes, where the configuration names any. */
export function trustedProxies({ trustedProxies: text }: Pick<Configuration, 'trustedProxies'>): {
  readonly trusts?: (address: string) => boolean
} {
  if (text === undefined) return {}
  const proxies = parseAddressRanges(text)
  return { trusts: (address) => proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') }
}

function whyNot(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') return 'another program listens there already'
  return code === 'EACCES' ? 'this user may not listen there' : String(cause)
}
