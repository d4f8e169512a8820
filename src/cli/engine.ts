// `annals engine`: runs an engine until it is told to stop.

import { Command } from 'commander'
import type { Configuration } from '../config/configuration.ts'
import { formatListen } from '../config/listen.ts'
import { settingsOf } from '../config/setting.ts'
import { readTlsFiles } from '../config/tls-files.ts'
import { AnnalsError } from '../errors.ts'
import { type JoinToken, parseToken } from '../federation/join-token.ts'
import { systemClock } from '../ops/clock.ts'
import { createLogger } from '../ops/logger.ts'
import { annalsVersion } from '../ops/version.ts'
import { demandNoDemo } from '../server/demo-directory.ts'
import { type RunningEngine, startEngine } from '../server/engine.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { readSecretFile } from './password-source.ts'
import { publicKeyLines } from './public-keys.ts'
import { runNode } from './run-node.ts'
import { localUrl } from './serve.ts'
import { print, type Surroundings } from './surroundings.ts'

const more = `
An engine joins its portal once, at a start with --join and --token-file, and ignores both from then on. The token comes
from "annals engines token" at the portal, and is good for one engine and 30 minutes. The portal then calls the
engine at --portal-listen; nobody else is let in there. --listen is for health and numbers: /healthz, /readyz, /metrics
and /version.

Examples:
  annals engine --host-name engine-01 --join https://audit.example.com --token-file engine-01.token
  annals engine --data /var/lib/annals --portal-listen 0.0.0.0:8444 --advertise engine-01.example.com:8444`

/** Makes the command. */
export function engineCommand(surroundings: Surroundings): Command {
  const command = new Command('engine')
    .summary('run an engine')
    .description('Runs an engine: records its activity in an audit log of its own, which its portal reads.')
    .addHelpText('after', more)
    .action(() => run(surroundings, configurationOf(command, surroundings, 'engine')))
  return addConfigurationOptions(
    command,
    settingsOf('engine').map(({ key }) => key),
    'engine',
  )
}

async function run(surroundings: Surroundings, configuration: Configuration): Promise<void> {
  await demandNoDemo(configuration.data)
  const { tls: files, syslog } = configuration
  const tls = files === undefined ? undefined : readTlsFiles(files, syslog.clientCaFile)
  const logger = createLogger(configuration.logLevel)
  const options = { configuration, tls, logger, clock: systemClock(), token: () => readToken(configuration) }
  await runNode(surroundings, logger, async () => {
    const engine = await startEngine(options)
    announce(surroundings, engine)
    return engine
  })
}

async function readToken({ tokenFile, join }: Configuration): Promise<JoinToken> {
  if (tokenFile !== undefined) return parseToken(await readSecretFile(tokenFile, 'token'))
  throw new AnnalsError(
    'INVALID_CONFIGURATION',
    `to join ${join} this engine needs a token: make one at the portal with "annals engines token", and name its file with --token-file`,
  )
}

function announce(surroundings: Surroundings, engine: RunningEngine): void {
  const { configuration, log, portal, portalListen } = engine
  const { data, listen, tls } = configuration
  const address = localUrl(listen)
  print(
    surroundings,
    `Annals ${annalsVersion()} runs as an engine.`,
    '',
    `  address     ${tls === undefined ? address : address.replace('http:', 'https:')}`,
    `  portal      ${portal === undefined ? 'none joined yet (--join, --token-file)' : `${portal.hostName}, joined at ${portal.url}`}`,
    `  listens     for its portal at ${formatListen(portalListen)}`,
    `  log         ${log.id}, ${log.status().size} entries`,
    ...publicKeyLines(log),
    `  data        ${data}`,
    '',
  )
}
