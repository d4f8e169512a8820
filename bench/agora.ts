// The whole log through the regional gateway, over TLS on both of its sides. The peer is the same client, straight from the
// portal over TLS: what the gateway adds is one more machine on the way, and here all three share two cores.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { accessToken, auditLogPath, type Annals, makeClient, program, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { answers, freePort, runCommand, startService } from './command.ts'
import { curlVersion, pull, transfer } from './curl.ts'
import { against, compare, measureInRounds } from './harness.ts'
import { logEndDate, makeLog } from './make-log.ts'
import { forgetPeakMemory, peakMemoryBytes } from './process-figures.ts'
import { lines as wholeLines } from './whole-log.ts'

const memoryBarMB = 150

/** The whole log of 1 GiB through the gateway over TLS, against straight from the portal over TLS. */
export const agora: Benchmark = {
  name: 'agora',
  title: 'the whole log of 1 GiB through the gateway over TLS, against straight from the portal over TLS',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = { name: 'whole', lines: context.isQuick ? 5_000 : wholeLines, spacingMicros: 500_000 }
  const data = await makeLog(context, plan)
  const certificate = await makeCertificate(context.directory)
  const flags = ['--tls-certificate-file', certificate.file, '--tls-key-file', certificate.keyFile]
  const options = ['--cacert', certificate.file]
  await using portal = await startAnnals(data, ['--access-token-seconds', '7200', ...flags], certificate.file)
  const client = await makeClient(data, `agora-${process.pid}`)
  const token = await accessToken(portal, client, options)
  await using gateway = await startAgora(context, portal, certificate.file, flags)
  // The end lies in the past, so the answer is the same every time (contract R2).
  const path = `${auditLogPath}?before_date=${logEndDate}`
  const asked = { options: [...options, '--header', `Authorization: Bearer ${token}`] }
  const { bytes } = await transfer(`${gateway.url}${path}`, asked)
  forgetPeakMemory(gateway.pid)
  const measured = await measureInRounds(
    [
      { name: 'through the gateway', measure: pull(`${gateway.url}${path}`, bytes, asked) },
      { name: 'straight from the portal', measure: pull(`${portal.url}${path}`, bytes, asked) },
    ],
    { ...context, unit: 'MB/s' },
  )
  const [through, straight] = measured
  if (through === undefined || straight === undefined) throw new Error('a contestant is missing')
  const peakMB = peakMemoryBytes(gateway.pid) / 1e6
  return {
    measured,
    comparisons: [
      compare('through the gateway / straight', through, straight, { kind: 'at least', value: 0.4 }),
      against(`resident memory of the gateway / ${memoryBarMB} MB`, [peakMB], memoryBarMB),
    ],
    notes: [
      `${bytes.toLocaleString('en-GB')} bytes in one answer, read warm, TLS on every connection; ${await curlVersion()}, a connection each time. The portal verified the token again, and made its own entry durable (fdatasync) before the head of the answer.`,
      `The gateway's resident memory at the most, over all rounds: ${peakMB.toFixed(0)} MB (must be ≤ ${memoryBarMB}).`,
    ],
  }
}

async function startAgora(
  context: BenchContext,
  portal: Annals,
  caFile: string,
  flags: readonly string[],
): Promise<Annals> {
  const data = join(context.directory, 'agora')
  await rm(data, { recursive: true, force: true })
  const instances = join(context.directory, 'instances.yaml')
  const instance = {
    name: 'bench',
    region: 'local',
    issuer: `${portal.url}/oauth2/default`,
    url: portal.url,
    caFile,
  }
  // JSON is YAML too.
  await writeFile(instances, JSON.stringify([instance]))
  const port = await freePort()
  const fixed = ['--data', data, '--host-name', 'agora', '--listen', `127.0.0.1:${port}`]
  const args = ['agora', ...fixed, '--instances-file', instances, ...flags]
  const url = `https://localhost:${port}`
  const service = await startService(process.execPath, [program, ...args], {
    isReady: () => answers(`${url}/readyz`, caFile),
  })
  return { url, pid: service.pid, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

interface Certificate {
  readonly file: string
  readonly keyFile: string
}

async function makeCertificate(directory: string): Promise<Certificate> {
  const place = join(directory, 'tls')
  await mkdir(place, { recursive: true, mode: 0o700 })
  const [file, keyFile] = [join(place, 'localhost.crt'), join(place, 'localhost.key')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const made = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-keyout',
    keyFile,
    '-out',
    file,
  ]
  await runCommand('openssl', [...made, ...names])
  return { file, keyFile }
}
