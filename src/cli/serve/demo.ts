// `annals serve --demo`: runs a portal and three engines with made-up activity, and says so.

import { existsSync } from 'node:fs'
import type { Configuration } from '../../config/configuration.ts'
import { readTlsFiles } from '../../config/tls-files.ts'
import { systemClock } from '../../ops/clock.ts'
import { createLogger } from '../../ops/logger.ts'
import { demoEngines, type RunningDemo, startDemo } from '../../server/demo.ts'
import { firstPassword, passwordFileOf } from '../first-password.ts'
import { startProgress } from '../progress.ts'
import { runNode } from '../run-node.ts'
import { curlLine, portalLines } from '../serve.ts'
import { shellWord } from '../shell-word.ts'
import { print, type Surroundings } from '../surroundings.ts'

/** Defaults that a demo has of its own. */
export const demoDefaults = { data: './annals-demo-data', hostName: 'portal' } as const

/** Runs a demo until it is told to stop. */
export async function serveDemo(surroundings: Surroundings, configuration: Configuration): Promise<void> {
  const { tls: files, syslog } = configuration
  const tls = files === undefined ? undefined : readTlsFiles(files, syslog.clientCaFile)
  const logger = createLogger(configuration.logLevel)
  using bar = startProgress(surroundings, 'making up a month of activity')
  await runNode(surroundings, logger, async () => {
    const demo = await startDemo({
      configuration,
      tls,
      logger,
      clock: systemClock(),
      begin: () => print(surroundings, ...banner(configuration)),
      firstPassword: (portal) => firstPassword(surroundings, portal),
      // What is printed next must not find the bar in its way.
      progress: (done, of) => (done < of ? bar.show(done, of) : bar[Symbol.dispose]()),
    })
    announce(surroundings, demo)
    return demo
  })
}

function banner({ data }: Configuration): string[] {
  const rule = '*'.repeat(72)
  return [
    rule,
    '*  THIS IS A DEMO. The people, and all that they did before it began,',
    '*  are made up. Use it to try things out, and keep nothing in it.',
    rule,
    '',
    `The demo's data is in ${data}. To begin anew, stop it and remove that.`,
    '',
  ]
}

function announce(surroundings: Surroundings, demo: RunningDemo): void {
  const { configuration, administrator, engines } = demo
  const file = passwordFileOf(configuration.data)
  print(
    surroundings,
    ...portalLines(demo),
    '',
    ...engines.map(
      ({ configuration: { hostName }, log }) => `  ${hostName}   ${log.id}, ${log.status().size} entries`,
    ),
    '',
    'The last 24 hours of the portal, of one engine, and of all engines:',
    '',
    ...['portal', `engine/${demoEngines[0]}`, 'engines'].map((node) => `  ${curlLine(demo, node, 24)}`),
    '',
    `curl asks for the password of "${administrator}"${existsSync(file) ? `, which is in ${file}` : ''}. How the engines are:`,
    '',
    `  annals engines list --data ${shellWord(configuration.data)}`,
    '',
    'This is a demo: its activity is made up.',
    '',
  )
}
