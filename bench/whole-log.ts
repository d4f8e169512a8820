// A client pulls the whole log: what a SIEM does when it is connected, and an auditor once a year. The peer is
// nginx with the very same bytes as one file.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { administrator, auditLogPath, startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { curlVersion, pull, transfer } from './curl.ts'
import { against, compare, measureInRounds } from './harness.ts'
import { logEndDate, makeLog } from './make-log.ts'
import { startNginx } from './peers/nginx.ts'
import { forgetPeakMemory, peakMemoryBytes } from './process-figures.ts'

/** Enough for 1 GiB, which is checked. */
export const lines = 2_960_000
const wantedBytes = 2 ** 30
const memoryBarMB = 150

/** The whole log of 1 GiB over loopback, one client, identity. */
export const wholeLog: Benchmark = {
  name: 'whole-log',
  title: 'the whole log of 1 GiB over loopback, one client, identity, against nginx with sendfile',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const data = await makeLog(context, {
    name: 'whole',
    lines: context.isQuick ? 5_000 : lines,
    spacingMicros: 500_000,
  })
  await using annals = await startAnnals(data)
  // The end lies in the past, so the answer is the same every time (contract R2).
  const url = `${annals.url}${auditLogPath}?before_date=${logEndDate}`
  const files = join(context.directory, 'nginx')
  await mkdir(files, { recursive: true })
  const copy = join(files, 'whole.log')
  const { bytes } = await transfer(url, { user: administrator, output: copy })
  if (!context.isQuick && bytes < wantedBytes) throw new Error(`the log has only ${bytes} bytes`)
  await using nginx = await startNginx(files)
  forgetPeakMemory(annals.pid)
  const measured = await measureInRounds(
    [
      { name: 'Annals', measure: pull(url, bytes, { user: administrator }) },
      { name: 'nginx, sendfile on', measure: pull(`${nginx.sendfileUrl}whole.log`, bytes) },
      { name: 'nginx, sendfile off', measure: pull(`${nginx.copyUrl}whole.log`, bytes) },
    ],
    { ...context, unit: 'MB/s' },
  )
  const [ours, sendfile, plain] = measured
  if (ours === undefined || sendfile === undefined || plain === undefined)
    throw new Error('a contestant is missing')
  const peakMB = peakMemoryBytes(annals.pid) / 1e6
  return {
    measured,
    comparisons: [
      compare('Annals / nginx with sendfile', ours, sendfile, { kind: 'at least', value: 1 }),
      compare('Annals / nginx without sendfile', ours, plain),
      against(`resident memory of Annals / ${memoryBarMB} MB`, [peakMB], memoryBarMB),
    ],
    notes: [
      `${bytes.toLocaleString('en-GB')} bytes in one answer, read warm; both served the same bytes. The client of both: ${await curlVersion()}, a connection each time.`,
      `Annals authenticated every request and made its own entry durable (fdatasync) before the head of the answer. Its resident memory at the most, over all rounds: ${peakMB.toFixed(0)} MB (must be ≤ ${memoryBarMB}).`,
    ],
  }
}
