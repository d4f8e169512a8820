// `annals serve`: runs a portal until it is told to stop.

import { Command } from 'commander'
import type { Configuration } from '../config/configuration.ts'
import { formatListen, type Listen, reachedLocally } from '../config/listen.ts'
import { readTlsFiles } from '../config/tls-files.ts'
import { systemClock } from '../ops/clock.ts'
import { settingsOf } from '../config/setting.ts'
import { createLogger } from '../ops/logger.ts'
import { annalsVersion } from '../ops/version.ts'
import { demandNoDemo } from '../server/demo-directory.ts'
import { type RunningPortal, startPortal } from '../server/portal.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { firstPassword } from './first-password.ts'
import { publicKeyLines } from './public-keys.ts'
import { runNode } from './run-node.ts'
import { shellWord } from './shell-word.ts'
import { print, type Surroundings } from './surroundings.ts'

const examples = `
The first start makes the data directory, the log with its key, and the account "admin" with a random password, which
is shown once on a terminal; without one it is written to DIRECTORY/admin-password. SIGTERM and SIGINT stop the portal:
answers under way may finish, and that it stopped is recorded. A second signal ends it at once.

--demo runs a portal and three engines with a month of made-up activity, to try things out: for its data it takes
./annals-demo-data, and never the directory of a real node.

/healthz says that the process runs, /readyz whether it takes requests, /metrics what it counts, /version what it is.

Examples:
  annals serve
  annals serve --demo
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
    .option('--demo', 'run a demo instead: a portal and three engines, with made-up activity')
    .addHelpText('after', examples)
    .action(({ demo }: { demo?: true }) =>
      demo ? serveDemo(surroundings, command) : serve(surroundings, command),
    )
  return addConfigurationOptions(
    command,
    settingsOf('portal').map(({ key }) => key),
  )
}

// Loaded only here: portals that are none do without it.
async function serveDemo(surroundings: Surroundings, command: Command): Promise<void> {
  const demo = await import('./serve/demo.ts')
  await demo.serveDemo(surroundings, configurationOf(command, surroundings, 'portal', demo.demoDefaults))
}

async function serve(surroundings: Surroundings, command: Command): Promise<void> {
  const configuration = configurationOf(command, surroundings)
  await demandNoDemo(configuration.data)
  const { tls: files, syslog } = configuration
  const tls = files === undefined ? undefined : readTlsFiles(files, syslog.clientCaFile)
  const logger = createLogger(configuration.logLevel)
  const options = { configuration, tls, logger, clock: systemClock() }
  await runNode(surroundings, logger, async () => {
    const portal = await startPortal({
      ...options,
      firstPassword: () => firstPassword(surroundings, configuration),
    })
    announce(surroundings, portal)
    return portal
  })
}

function announce(surroundings: Surroundings, portal: RunningPortal): void {
  print(
    surroundings,
    ...portalLines(portal),
    '',
    'The audit log of the last hour:',
    '',
    `  ${curlLine(portal)}`,
    '',
  )
}

/** What there is to say of a portal that runs. */
export function portalLines({ configuration, log }: RunningPortal): string[] {
  const { publicUrl, data, timeZone } = configuration
  return [
    `Annals ${annalsVersion()} runs.`,
    '',
    `  address     ${addressOf(configuration)}${addressOf(configuration) === publicUrl ? '' : `, public URL ${publicUrl}`}`,
    `  log         ${log.id}, ${log.status().size} entries`,
    ...publicKeyLines(log),
    `  data        ${data}`,
    `  time zone   ${timeZone}`,
  ]
}

/** A command that works as pasted, on this machine: it reads the log of `node` (`portal`, `engine/NAME`, `engines`). */
export function curlLine(
  { configuration, administrator }: Pick<RunningPortal, 'configuration' | 'administrator'>,
  node = 'portal',
  hours = 1,
): string {
  const { tls } = configuration
  const url = `${addressOf(configuration)}/audit-trail/api/v1/${node}/type/auditlog?elapsed_hours=${hours}`
  const words = ['curl', ...(tls === undefined ? [] : ['--cacert', tls.certificateFile]), '-u', administrator]
  return `${words.map(shellWord).join(' ')} '${url}'`
}

// The name in a certificate is that of the public URL; without TLS the address itself always works from here.
function addressOf({ tls, publicUrl, listen }: Configuration): string {
  return tls === undefined ? localUrl(listen) : publicUrl
}

/** Where a listener without TLS is reached from this machine. */
export function localUrl(listen: Listen): string {
  return new URL(`http://${formatListen(reachedLocally(listen))}`).origin
}
