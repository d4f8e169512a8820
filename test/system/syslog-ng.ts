// syslog-ng as a sender. Debian's package cannot be installed beside rsyslog: it is unpacked into a directory, with the
// libraries that it needs, which TEST_SYSLOG_NG names (`dpkg -x`).

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory, until } from './portal-process.ts'
import { type Daemon, findProgram, run, startDaemon } from './sender-process.ts'
import type { SyslogPlaces } from './syslog-places.ts'

/** syslog-ng that runs. */
export interface SyslogNg extends Daemon {
  /** Where to write what it is to forward. */
  readonly socket: string
}

/** The tags, and what syslog-ng does with what has them. */
export const syslogNgWays = ['n-udp', 'n-tcp', 'n-iso', 'n-syslog', 'n-tls', 'n-socket'] as const

/** Starts it; undefined where this machine has none. */
export async function startSyslogNg(
  context: TestContext,
  places: SyslogPlaces,
): Promise<SyslogNg | undefined> {
  const installed = findSyslogNg(context)
  if (installed === undefined) return undefined
  const { program, modules, environment } = installed
  const directory = temporaryDirectory(context)
  const socket = join(directory, 'in.sock')
  const file = join(directory, 'syslog-ng.conf')
  writeFileSync(file, configuration(socket, places))
  const own = ['--persist-file', 'persist', '--control', 'control', '--pidfile', 'pid'].map((arg) =>
    arg.startsWith('--') ? arg : join(directory, arg),
  )
  const args = ['-F', '--no-caps', '--stderr', '-f', file, ...own, ...modules]
  const daemon = startDaemon(context, program, args, { ...environment, TZ: 'UTC' })
  await until(() => {
    if (daemon.process.exitCode !== null) throw new Error(`syslog-ng ended: ${daemon.output()}`)
    return existsSync(socket)
  })
  return { ...daemon, socket }
}

/** Has it read a configuration, and throws what it says against it; nothing is done where this machine has none. */
export function checkSyslogNg(context: TestContext, configuration: string): void {
  const installed = findSyslogNg(context)
  if (installed === undefined) return
  const { program, modules, environment } = installed
  const file = join(temporaryDirectory(context), 'syslog-ng.conf')
  writeFileSync(file, `@version: 3.35\n${configuration}`)
  run(program, ['--syntax-only', '--no-caps', '-f', file, ...modules], { environment })
}

function findSyslogNg(context: TestContext) {
  const root = process.env['TEST_SYSLOG_NG'] ?? '/'
  const program = findProgram(context, 'syslog-ng', [join(root, 'usr/sbin')])
  if (program === undefined) return undefined
  const modules = modulesOf(root)
  return {
    program,
    modules: modules === undefined ? [] : ['--module-path', modules],
    environment: { LD_LIBRARY_PATH: librariesOf(root).join(':') },
  }
}

function modulesOf(root: string): string | undefined {
  const base = join(root, 'usr/lib/syslog-ng')
  const version = existsSync(base) ? readdirSync(base).find((name) => /^[0-9.]+$/.test(name)) : undefined
  return version === undefined ? undefined : join(base, version)
}

function librariesOf(root: string): string[] {
  const bases = [join(root, 'usr/lib'), join(root, 'lib')].filter((path) => existsSync(path))
  const nested = bases.flatMap((base) =>
    readdirSync(base)
      .filter((name) => name.endsWith('-linux-gnu') || name === 'syslog-ng')
      .map((name) => join(base, name)),
  )
  return [...bases, ...nested]
}

function configuration(
  socket: string,
  { udp, tcp, tls, socket: ours, ca, clientCertificate, clientKey }: SyslogPlaces,
): string {
  const ways = {
    'n-udp': `network("127.0.0.1" port(${udp}) transport("udp"))`,
    'n-tcp': `network("127.0.0.1" port(${tcp}) transport("tcp") persist-name("n-tcp"))`,
    'n-iso': `network("127.0.0.1" port(${tcp}) transport("tcp") persist-name("n-iso") ts-format(iso))`,
    'n-syslog': `syslog("127.0.0.1" port(${tcp}) transport("tcp") persist-name("n-syslog"))`,
    'n-tls':
      `syslog("localhost" ip-protocol(4) port(${tls}) transport("tls") tls(ca-file("${ca}") cert-file("${clientCertificate}") ` +
      `key-file("${clientKey}") peer-verify(required-trusted)))`,
    'n-socket': `unix-dgram("${ours}")`,
  }
  const paths = Object.entries(ways).map(
    ([tag, destination]) =>
      `log { source(in); filter { program("^${tag}$") }; destination { ${destination}; }; };`,
  )
  return `@version: 3.35
options { keep-hostname(yes); use-dns(no); dns-cache(no); log-msg-size(131072); stats-freq(0); };
source in { unix-dgram("${socket}"); };
${paths.join('\n')}
`
}
