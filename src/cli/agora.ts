// `annals agora`: runs a regional gateway until it is told to stop.

import { Command } from 'commander'
import type { Configuration } from '../config/configuration.ts'
import { settingsOf } from '../config/setting.ts'
import { readTlsFiles } from '../config/tls-files.ts'
import { systemClock } from '../ops/clock.ts'
import { createLogger } from '../ops/logger.ts'
import { annalsVersion } from '../ops/version.ts'
import { type RunningAgora, startAgora } from '../server/agora.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { publicKeyLines } from './public-keys.ts'
import { runNode } from './run-node.ts'
import { localUrl } from './serve.ts'
import { print, type Surroundings } from './surroundings.ts'

const more = `
A gateway stands in front of the instances of its region, and finds out of the access token alone which one is meant. It
passes on the three paths of the Audit Trail API, with GET and HEAD, and nothing else; the instance verifies the token
again, and alone decides. HTTP Basic is refused. What the gateway refused, and why, is in an audit log of its own.

The instances are in a file, which is read again at SIGHUP:

  - name: acme                 # --instance-name of its portal
    region: eu                 # --region of its portal
    issuer: https://audit.acme.example/oauth2/default
    url: https://10.0.0.5:8443
    caFile: acme.crt           # the only authorities to trust there; or "pin", the SHA-256 of its certificate;
                               # without either, the usual authorities

Name the gateway at each portal with --trusted-proxies, so that entries tell the clients' own addresses.

Examples:
  annals agora --region eu --instances-file instances.yaml
  annals agora --region eu --instances-file instances.yaml --listen 0.0.0.0:443 --tls-certificate-file agora.crt --tls-key-file agora.key`

/** Makes the command. */
export function agoraCommand(surroundings: Surroundings): Command {
  const command = new Command('agora')
    .summary('run a regional gateway')
    .description('Runs a regional gateway in front of the portals of many instances.')
    .addHelpText('after', more)
    .action(() => run(surroundings, configurationOf(command, surroundings, 'agora')))
  return addConfigurationOptions(
    command,
    settingsOf('agora').map(({ key }) => key),
    'agora',
  )
}

async function run(surroundings: Surroundings, configuration: Configuration): Promise<void> {
  const tls = configuration.tls === undefined ? undefined : readTlsFiles(configuration.tls)
  const logger = createLogger(configuration.logLevel)
  await runNode(surroundings, logger, async () => {
    const agora = await startAgora({ configuration, tls, logger, clock: systemClock() })
    announce(surroundings, agora)
    return agora
  })
}

function announce(surroundings: Surroundings, { configuration, log, instances }: RunningAgora): void {
  const { data, listen, region, tls } = configuration
  const address = localUrl(listen)
  print(
    surroundings,
    `Annals ${annalsVersion()} runs as a gateway.`,
    '',
    `  address     ${tls === undefined ? address : address.replace('http:', 'https:')}`,
    `  region      ${region}, ${instances()} instances are listed`,
    `  log         ${log.id}, ${log.status().size} entries`,
    ...publicKeyLines(log),
    `  data        ${data}`,
    '',
  )
}
