// A client pulls one engine's whole log through the portal. The peer is curl as the portal: with its certificate and
// key, straight from the same engine, so that what is measured is what the portal adds.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { administrator } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { runCommand } from './command.ts'
import { curlVersion, pull, transfer } from './curl.ts'
import { asPortal, engineLogs, engineLogPath, startFederation } from './federation.ts'
import { compare, measureInRounds } from './harness.ts'
import { logEndDate } from './make-log.ts'
import { forgetPeakMemory, peakMemoryBytes } from './process-figures.ts'

// Enough for 1 GiB, which is checked.
const lines = 2_960_000
const wantedBytes = 2 ** 30

/** One engine's 1 GiB log through the portal. */
export const engineLog: Benchmark = {
  name: 'engine-log',
  title: "one engine's log of 1 GiB through the portal, against curl straight from the same engine over TLS",
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const plan = { name: 'engine-whole', lines: context.isQuick ? 5_000 : lines, spacingMicros: 500_000 }
  const engines = await engineLogs(context, 1, plan)
  const [engine] = engines
  if (engine === undefined) throw new Error('there is no engine')
  const portalData = join(context.directory, 'portals', 'engine-log')
  await using federation = await startFederation({ portal: portalData, engines })
  const { portal, ports } = federation
  // The end lies in the past, so the answer is the same every time (contract R2).
  const url = `${portal.url}${engineLogPath(engine.hostName)}?before_date=${logEndDate}`
  const { bytes, from, to } = await extentOf(url)
  if (!context.isQuick && bytes < wantedBytes) throw new Error(`the log has only ${bytes} bytes`)
  const straight = `https://${engine.hostName}/audit-trail/inner/v1/entries?from=${from}&to=${to}`
  const options = asPortal(portalData, engine, ports.get(engine.hostName) ?? 0)
  await checkSame(context, url, straight, options)
  forgetPeakMemory(portal.pid)
  const measured = await measureInRounds(
    [
      { name: 'through the portal', measure: pull(url, bytes, { user: administrator }) },
      { name: 'curl straight from the engine', measure: pull(straight, bytes, { options }) },
    ],
    { ...context, unit: 'MB/s' },
  )
  const [ours, peer] = measured
  if (ours === undefined || peer === undefined) throw new Error('a contestant is missing')
  const peakMB = peakMemoryBytes(portal.pid) / 1e6
  return {
    measured,
    comparisons: [compare('through the portal / straight', ours, peer, { kind: 'at least', value: 0.4 })],
    notes: [
      `${bytes.toLocaleString('en-GB')} bytes in one answer, read warm, everything on this machine; both gave the same bytes (compared byte by byte). The client of both: ${await curlVersion()}, a connection each time; over mutual TLS 1.3 to the engine, over plain HTTP to the portal, which keeps its own TLS connections to the engine.`,
      `Through the portal every read is an entry of the engine and one of the portal, both durable (fdatasync) before the head of the answer; straight from the engine nothing is recorded. The portal's resident memory at the most, over all rounds: ${peakMB.toFixed(0)} MB.`,
    ],
  }
}

async function extentOf(url: string): Promise<{ bytes: number; from: number; to: number }> {
  const head = await runCommand('curl', ['--silent', '--fail', '--head', '--user', administrator, url])
  const [, from, to] = /^annals-positions: ([0-9]+)-([0-9]+)\r?$/im.exec(head) ?? []
  const [, bytes] = /^content-length: ([0-9]+)\r?$/im.exec(head) ?? []
  return { bytes: Number(bytes), from: Number(from), to: Number(to) }
}

async function checkSame(
  context: BenchContext,
  url: string,
  straight: string,
  options: readonly string[],
): Promise<void> {
  const [ours, theirs] = [
    join(context.directory, 'engine.portal'),
    join(context.directory, 'engine.straight'),
  ]
  await transfer(url, { user: administrator, output: ours })
  await transfer(straight, { options, output: theirs })
  await runCommand('cmp', [ours, theirs])
  await Promise.all([rm(ours), rm(theirs)])
}
