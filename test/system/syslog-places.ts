// A portal that takes in syslog by every way there is, and the certificates that its TLS needs.

import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { type PortalProcess, startPortal, storedLines, temporaryDirectory, until } from './portal-process.ts'
import { run } from './sender-process.ts'

/** Where it listens, and with what to come. */
export interface SyslogPlaces {
  readonly socket: string
  readonly udp: number
  readonly tcp: number
  readonly tls: number
  /** Files, PEM. The client's names `sender-01.example.org`. */
  readonly ca: string
  readonly clientCertificate: string
  readonly clientKey: string
}

/** The portal. */
export interface SyslogPortal {
  readonly portal: PortalProcess
  readonly places: SyslogPlaces
  /** Waits until so many entries hold a text, and returns their lines. */
  stored(text: string, count?: number): Promise<string[]>
}

/** Starts it. */
export async function startSyslogPortal(context: TestContext): Promise<SyslogPortal> {
  const directory = temporaryDirectory(context)
  const data = join(directory, 'data')
  const certificates = makeCertificates(directory)
  const { ca, clientCertificate, clientKey } = certificates
  const socket = join(directory, 'syslog.sock')
  const anyPort = '127.0.0.1:0'
  const args = Object.entries({
    'tls-certificate-file': certificates.certificate,
    'tls-key-file': certificates.key,
    'syslog-socket': socket,
    'syslog-udp': anyPort,
    'syslog-tcp': anyPort,
    'syslog-tls': anyPort,
    'syslog-client-ca-file': ca,
  }).flatMap(([name, value]) => [`--${name}`, value])
  const portal = await startPortal(context, { data, args, ca: readFileSync(ca, 'utf8') })
  const [udp, tcp, tls] = [portOf(data, 'UDP'), portOf(data, 'TCP'), portOf(data, 'TLS')]
  return {
    portal,
    places: { socket, udp, tcp, tls, ca, clientCertificate, clientKey },
    async stored(text, count = 1) {
      const found = () => storedLines(data).filter((line) => line.includes(text))
      await until(() => found().length >= count)
      return found()
    },
  }
}

// Where a node that is ready takes events in stands in its log.
function portOf(data: string, way: 'UDP' | 'TCP' | 'TLS'): number {
  const port = new RegExp(`syslog over ${way} at 127\\.0\\.0\\.1:(\\d+)`)
  return Number(storedLines(data).flatMap((line) => port.exec(line)?.[1] ?? []))
}

/** Makes a certificate authority, and certificates of it for the portal and for a sender. */
export function makeCertificates(directory: string) {
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => run('openssl', args)
  const ca = file('ca.pem')
  const newKey = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout']
  openssl('req', '-x509', ...newKey, file('ca.key'), '-subj', '/CN=Test authority', '-days', '30', '-out', ca)
  const make = (name: string, commonName: string, usage: string) => {
    const [key, request, extensions] = [file(`${name}.key`), file(`${name}.csr`), file(`${name}.ext`)]
    writeFileSync(extensions, `subjectAltName=DNS:${commonName},IP:127.0.0.1\nextendedKeyUsage=${usage}\n`)
    openssl('req', ...newKey, key, '-subj', `/CN=${commonName}`, '-out', request)
    const signer = ['-CA', ca, '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '30']
    openssl('x509', '-req', '-in', request, ...signer, '-extfile', extensions, '-out', file(`${name}.pem`))
  }
  make('node', 'localhost', 'serverAuth')
  make('client', 'sender-01.example.org', 'clientAuth')
  return {
    ca,
    certificate: file('node.pem'),
    key: file('node.key'),
    clientCertificate: file('client.pem'),
    clientKey: file('client.key'),
  }
}
