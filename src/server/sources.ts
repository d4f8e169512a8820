// What a node takes in from outside besides HTTP, as its configuration says: syslog, and files that are followed.

import { formatListen, type Listen } from '../config/listen.ts'
import { selfEvent } from '../entry/self-event.ts'
import { Intake } from '../intake/intake.ts'
import { Losses } from '../intake/losses.ts'
import { openSyslog, type SyslogListeners } from '../intake/syslog/open-syslog.ts'
import { openFollowedFiles } from './followed-files.ts'
import { type NodeBase, type NodeOptions, type Phases, warnUnrecorded } from './node.ts'

/** Opens the way in. What is lost is recorded at the latest when `parts` is disposed of. */
export function openIntake(
  parts: AsyncDisposableStack,
  { log, metrics, record }: NodeBase,
  { configuration: { hostName }, clock, logger }: NodeOptions,
  { component }: Pick<Phases, 'component'>,
): Intake {
  const losses = new Losses({ record, hostName, component, clock })
  parts.defer(() => losses.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  return new Intake({ log, hostName, component, metrics: metrics.intake, losses })
}

/**
 * Takes in syslog and followed files until `parts` is disposed of; each source is an entry. Throws INVALID_CONFIGURATION
 * where one cannot be opened.
 */
export async function openSources(
  parts: AsyncDisposableStack,
  node: NodeBase,
  options: NodeOptions,
  intake: Intake,
): Promise<void> {
  const { follow } = options.configuration
  const listeners = await openSyslogAsTold(parts, node, options, intake)
  if (listeners !== undefined) parts.use(listeners)
  const followed = await openFollowedFiles(parts, node, options, intake)
  if (followed !== undefined) node.metrics.watchFollowed(() => followed.status())
  const sources = [...(listeners === undefined ? [] : syslogSources(listeners)), ...follow]
  for (const source of sources) await recordSource(node, options, intake.component, source)
}

async function openSyslogAsTold(
  parts: AsyncDisposableStack,
  { metrics, record }: NodeBase,
  { configuration, tls, logger, clock }: NodeOptions,
  intake: Intake,
): Promise<SyslogListeners | undefined> {
  const { syslog, timeZone } = configuration
  const { socket, udp, tcp, allowBeyondLoopback } = syslog
  if (socket === undefined && udp === undefined && tcp === undefined && syslog.tls === undefined)
    return undefined
  const { hostName, component } = intake
  const refusals = new Losses({ code: 29076, record, hostName, component, clock })
  parts.defer(() => refusals.close().catch((error: unknown) => warnUnrecorded(logger, error)))
  return await openSyslog({
    turnedAway: (reason, source) => {
      metrics.intake.turnedAway(reason)
      refusals.add({ via: 'syslog', source, reason })
    },
    ...(socket === undefined ? {} : { socket }),
    ...(udp === undefined ? {} : { udp }),
    ...(tcp === undefined ? {} : { tcp }),
    ...(syslog.tls === undefined || tls === undefined ? {} : { tls: { ...syslog.tls, ...tls } }),
    allowBeyondLoopback,
    intake,
    logger,
    clock,
    timeZone,
  })
}

function syslogSources({ addresses: { socket, udp, tcp, tls } }: SyslogListeners): string[] {
  const at = (how: string, listen: Listen | undefined) =>
    listen === undefined ? [] : [`syslog over ${how} at ${formatListen(listen)}`]
  return [
    ...(socket === undefined ? [] : [`syslog at ${socket}`]),
    ...at('UDP', udp),
    ...at('TCP', tcp),
    ...at('TLS', tls),
  ]
}

// Where there is no room to record, events are taken in all the same as soon as there is some (I9).
async function recordSource(
  { record }: NodeBase,
  { configuration: { hostName }, logger }: NodeOptions,
  component: string,
  source: string,
): Promise<void> {
  logger.info({ source }, 'events are taken in')
  const event = selfEvent({ code: 29074, actor: '*system', hostName, component, fields: { source } })
  await record(event).catch((error: unknown) => warnUnrecorded(logger, error))
}
