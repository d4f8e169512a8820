// `annals serve`: runs a portal until it is told to stop.

import { Command } from 'commander'
import type { Configuration } from '../config/configuration.ts'
import { readTlsFiles } from '../config/tls-files.ts'
import { AnnalsError } from '../errors.ts'
import { closeTimeoutMs, signalEchoMs } from '../limits.ts'
import { systemClock } from '../ops/clock.ts'
import { createLogger, type Logger } from '../ops/logger.ts'
import { annalsVersion } from '../ops/version.ts'
import { type RunningPortal, startPortal } from '../server.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { firstPassword } from './first-password.ts'
import { shellWord } from './shell-word.ts'
import { print, type Surroundings } from './surroundings.ts'

const examples = `
The first start makes the data directory, the log with its key, and the account "admin" with a random password, which
is shown once on a terminal; without one it is written to DIRECTORY/admin-password. SIGTERM and SIGINT stop the portal:
answers under way may finish, and that it stopped is recorded. A second signal ends it at once.

/healthz says that the process runs, /readyz whether it takes requests, /metrics what it counts, /version what it is.

Examples:
  annals serve
  annals serve --data /var/lib/annals --host-name portal --time-zone Europe/Zurich
  annals serve --listen 0.0.0.0:8443 --tls-certificate-file portal.crt --tls-key-file portal.key
  ANNALS_ADMIN_PASSWORD_FILE=/run/secrets/admin annals serve --config /etc/annals.yaml`

/** Makes the command. */
export function serveCommand(surroundings: Surroundings): Command {
  const command = new Command('serve')
    .summary('run a portal')
    .description(
      'Runs a portal: records its activity in an audit log, and serves that log over the Audit Trail API.',
    )
    .addHelpText('after', examples)
    .action(() => serve(surroundings, configurationOf(command, surroundings)))
  return addConfigurationOptions(command)
}

async function serve(surroundings: Surroundings, configuration: Configuration): Promise<void> {
  const tls = configuration.tls === undefined ? undefined : readTlsFiles(configuration.tls)
  const logger = createLogger(configuration.logLevel)
  using signals = listenForSignals(surroundings)
  const portal = await startPortal({
    configuration,
    tls,
    logger,
    clock: systemClock(),
    firstPassword: () => firstPassword(surroundings, configuration),
  })
  announce(surroundings, portal)
  const end = await Promise.race([signals.first, portal.failed.then((reason) => ({ reason }))])
  if (typeof end === 'string') logger.info({ signal: end }, 'stopping')
  await stopWithin(portal, surroundings, logger)
  if (typeof end === 'string') return
  throw new AnnalsError('STORAGE_FAILED', 'the audit log cannot be written any more', { cause: end.reason })
}

// The first signal stops the portal, even if it has not yet started; a second one does not wait for anything. At a
// terminal one Ctrl-C comes several times: from the terminal itself, and passed on by npm and by the launcher.
function listenForSignals(surroundings: Surroundings): Disposable & { first: Promise<'SIGINT' | 'SIGTERM'> } {
  const first = Promise.withResolvers<'SIGINT' | 'SIGTERM'>()
  let firstAt: number | undefined
  const listening = surroundings.onSignal((signal) => {
    const now = performance.now()
    firstAt ??= now
    if (now === firstAt) first.resolve(signal)
    else if (now - firstAt > signalEchoMs) surroundings.exit(signal === 'SIGINT' ? 130 : 143)
  })
  return { first: first.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() }
}

// A disk that does not answer any more must not keep a supervisor waiting for ever. What is acknowledged is durable.
async function stopWithin(portal: RunningPortal, surroundings: Surroundings, logger: Logger): Promise<void> {
  const timeoutMs = portal.configuration.stopTimeoutSeconds * 1000 + closeTimeoutMs
  const timer = setTimeout(() => {
    logger.fatal('the portal did not stop in time, and is ended')
    surroundings.exit(1)
  }, timeoutMs)
  try {
    await portal.stop()
  } finally {
    clearTimeout(timer)
  }
}

function announce(surroundings: Surroundings, portal: RunningPortal): void {
  const { configuration, log } = portal
  const { publicUrl, data, timeZone } = configuration
  print(
    surroundings,
    `Annals ${annalsVersion()} runs.`,
    '',
    `  address     ${addressOf(configuration)}${addressOf(configuration) === publicUrl ? '' : `, public URL ${publicUrl}`}`,
    `  log         ${log.id}, ${log.status().size} entries`,
    `  public key  ${Buffer.from(log.publicKey).toString('base64')} (Ed25519)`,
    `  data        ${data}`,
    `  time zone   ${timeZone}`,
    '',
    'The audit log of the last hour:',
    '',
    `  ${curlLine(portal)}`,
    '',
  )
}

/** A command that works as pasted, on this machine. */
export function curlLine({
  configuration,
  administrator,
}: Pick<RunningPortal, 'configuration' | 'administrator'>): string {
  const { tls } = configuration
  const url = `${addressOf(configuration)}/audit-trail/api/v1/portal/type/auditlog?elapsed_hours=1`
  const words = ['curl', ...(tls === undefined ? [] : ['--cacert', tls.certificateFile]), '-u', administrator]
  return `${words.map(shellWord).join(' ')} '${url}'`
}

// The name in a certificate is that of the public URL; without TLS the address itself always works from here.
function addressOf({ tls, publicUrl, listen: { host, port } }: Configuration): string {
  if (tls !== undefined) return publicUrl
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return new URL(`http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`).origin
}
