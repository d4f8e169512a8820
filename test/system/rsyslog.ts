// rsyslog as a sender: it takes in what is written to a socket of its own, and forwards it by the way that the tag names.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory, until } from './portal-process.ts'
import { type Daemon, findProgram, missing, run, startDaemon } from './sender-process.ts'
import type { SyslogPlaces } from './syslog-places.ts'

/** rsyslog that runs. */
export interface Rsyslog extends Daemon {
  /** Where to write what it is to forward. */
  readonly socket: string
}

/** The tags, and what rsyslog does with what has them. */
export const rsyslogWays = ['r-udp', 'r-forward', 'r-lines', 'r-counted', 'r-tls', 'r-socket'] as const

/** Starts it; undefined where this machine has none. */
export async function startRsyslog(context: TestContext, places: SyslogPlaces): Promise<Rsyslog | undefined> {
  const program = findProgram(context, 'rsyslogd')
  if (program === undefined) return undefined
  const driver = tlsDriver()
  if (driver === undefined) {
    missing(context, 'rsyslog speaks no TLS: neither rsyslog-openssl nor rsyslog-gnutls is installed')
    return undefined
  }
  const directory = temporaryDirectory(context)
  const socket = join(directory, 'in.sock')
  const file = join(directory, 'rsyslog.conf')
  writeFileSync(file, configuration(directory, socket, places, driver))
  const daemon = startDaemon(context, program, ['-n', '-f', file, '-i', join(directory, 'pid')], {
    TZ: 'UTC',
  })
  await until(() => {
    if (daemon.process.exitCode !== null) throw new Error(`rsyslog ended: ${daemon.output()}`)
    return existsSync(socket)
  })
  return { ...daemon, socket }
}

/** Has rsyslog read a configuration, and throws what it says against it; nothing is done where this machine has none. */
export function checkRsyslog(context: TestContext, configuration: string): void {
  const program = findProgram(context, 'rsyslogd')
  if (program === undefined) return
  const file = join(temporaryDirectory(context), 'rsyslog.conf')
  writeFileSync(file, configuration)
  run(program, ['-N1', '-f', file])
}

function tlsDriver(): 'ossl' | 'gtls' | undefined {
  const all = [
    '/usr/lib/x86_64-linux-gnu/rsyslog',
    '/usr/lib/aarch64-linux-gnu/rsyslog',
    '/usr/lib64/rsyslog',
  ]
  const modules = all.filter((path) => existsSync(path)).flatMap((path) => readdirSync(path))
  return modules.includes('lmnsd_ossl.so') ? 'ossl' : modules.includes('lmnsd_gtls.so') ? 'gtls' : undefined
}

// Control characters are forwarded as they are: what rsyslog does to them by default is its own affair.
function configuration(directory: string, socket: string, places: SyslogPlaces, driver: string): string {
  const forward = (tag: string, how: string) =>
    `if $programname == "${tag}" then action(type="omfwd" target="127.0.0.1" ${how})\n`
  const { udp, tcp, tls, ca, clientCertificate, clientKey } = places
  return `
global(
  workDirectory="${directory}"
  maxMessageSize="128k"
  localHostname="sender-01"
  parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriver="${driver}"
  defaultNetstreamDriverCAFile="${ca}"
  defaultNetstreamDriverCertFile="${clientCertificate}"
  defaultNetstreamDriverKeyFile="${clientKey}"
)
module(load="imuxsock" sysSock.use="off")
module(load="omuxsock")
input(type="imuxsock" socket="${socket}" parseTrusted="off" usePIDFromSystem="off" useSysTimeStamp="off")
$OMUxSockSocket ${places.socket}
${forward('r-udp', `port="${udp}" protocol="udp"`)}
${forward('r-forward', `port="${udp}" protocol="udp" template="RSYSLOG_ForwardFormat"`)}
${forward('r-lines', `port="${tcp}" protocol="tcp" template="RSYSLOG_ForwardFormat"`)}
${forward('r-counted', `port="${tcp}" protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"`)}
${forward(
  'r-tls',
  `port="${tls}" protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" ` +
    `streamDriver="${driver}" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost"`,
)}
if $programname == "r-socket" then :omuxsock:
`
}
