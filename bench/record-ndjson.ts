// Many events over one connection as newline-delimited JSON: how a collector hands over what it has gathered. The peer
// is the small endpoint in front of PostgreSQL again, which streams what comes into COPY, one transaction for all: straight
// into the table, and in the way that answers each event.

import { createReadStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startAnnals } from './annals.ts'
import type { BenchContext, Benchmark, Outcome } from './benchmark.ts'
import { runCommand } from './command.ts'
import { curlVersion } from './curl.ts'
import { compare, formatFigure, measureInRounds } from './harness.ts'
import { startPeer, startRecordingPostgres } from './record-one.ts'
import { eventJson, freshRun, recorderHeader, recordingFlags, recordingPath } from './recording.ts'

const rateBar = 60_000

/** Newline-delimited JSON over one connection, against COPY behind the same small endpoint. */
export const recordNdjson: Benchmark = {
  name: 'record-ndjson',
  title:
    'newline-delimited JSON over one connection, against PostgreSQL with COPY behind a small fastify endpoint',
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 5_000 : 200_000
  const data = join(context.directory, 'record-ndjson')
  await rm(data, { recursive: true, force: true })
  await using annals = await startAnnals(data, recordingFlags)
  await using postgres = await startRecordingPostgres(context)
  await using peer = await startPeer(postgres, 4)
  const authorization = await recorderHeader(annals, data)
  const ours = { url: `${annals.url}${recordingPath}`, authorization, count }
  const bulk = { url: `${peer.reply.url}/events/copy`, count }
  const each = { url: `${peer.reply.url}/events/ndjson`, count }
  const measured = await measureInRounds(
    [
      { name: 'Annals', measure: async () => count / (await postForAnswers(context, ours)) },
      {
        name: 'PostgreSQL, COPY, one answer',
        measure: async () => count / (await copyToPeer(context, bulk)),
      },
      {
        name: 'PostgreSQL, COPY, an answer for each event',
        measure: async () => count / (await postForAnswers(context, each)),
      },
    ],
    { ...context, unit: 'events/s' },
  )
  const [annalsRate, copied, answered] = measured
  if (annalsRate === undefined || copied === undefined || answered === undefined)
    throw new Error('a contestant is missing')
  const bar = { ...annalsRate, name: 'the bar', figures: annalsRate.figures.map(() => rateBar) }
  return {
    measured,
    comparisons: [
      // For comparison only: it neither answers each event nor recognises one that was there before.
      compare('Annals / PostgreSQL, one answer', annalsRate, copied),
      compare('Annals / PostgreSQL, an answer for each event', annalsRate, answered, {
        kind: 'at least',
        value: 1,
      }),
      compare(`Annals / ${formatFigure(rateBar)} events/s`, annalsRate, bar, { kind: 'at least', value: 1 }),
    ],
    notes: [
      `${count.toLocaleString('en-GB')} events of some 250 bytes each time, each with an id of its own; ${await curlVersion()} on the same machine, which sends a file as it is read, connecting included.`,
      'Annals answers each event with its id, position and time once it is durable (fdatasync), and goes on reading meanwhile. Both endpoints check the same fields of every event (id uuid primary key, time, code, actor, message, jsonb; no further index) and commit once, at the end. The first copies into the table and answers with a number; one event that was there before would refuse all. The second copies beside the table, inserts what is new, and answers each event, as Annals does.',
      `${await postgres.describe()}.`,
    ],
  }
}

/** What is sent. */
export interface NdjsonLoad {
  readonly url: string
  readonly authorization?: string
  readonly count: number
}

/** Sends events in one request: how many seconds it took. Throws where one of them is not answered as recorded anew. */
export async function postForAnswers(context: BenchContext, load: NdjsonLoad): Promise<number> {
  const { output, seconds } = await post(context, load)
  let recorded = 0
  for await (const line of createInterface({ input: createReadStream(output) })) {
    if (!line.includes('"new":true')) throw new Error(`an event was answered with ${line}`)
    recorded += 1
  }
  if (recorded !== load.count) throw new Error(`${recorded} of ${load.count} events were recorded`)
  return seconds
}

async function copyToPeer(context: BenchContext, load: NdjsonLoad): Promise<number> {
  const { output, seconds } = await post(context, load)
  const said = await runCommand('cat', [output])
  if (said !== JSON.stringify({ copied: load.count })) throw new Error(`the peer answered ${said}`)
  return seconds
}

async function post(
  context: BenchContext,
  { url, authorization, count }: NdjsonLoad,
): Promise<{ output: string; seconds: number }> {
  const [input, output] = [
    join(context.directory, 'events.ndjson'),
    join(context.directory, 'results.ndjson'),
  ]
  const run = freshRun()
  await writeFile(input, Array.from({ length: count }, (_, k) => `${eventJson(k, run)}\n`).join(''))
  // Not on the command line: it is a secret.
  const config = authorization === undefined ? '' : `header = "Authorization: ${authorization}"\n`
  const fixed = ['--silent', '--show-error', '--config', '-', '--upload-file', input, '--output', output]
  const headers = [
    '--request',
    'POST',
    '--header',
    'Content-Type: application/x-ndjson',
    '--header',
    'Expect:',
  ]
  const told = ['--write-out', '%{http_code} %{time_total}']
  const said = await runCommand('curl', [...fixed, ...headers, ...told, url], { input: config })
  const [status, seconds = 0] = said.split(' ').map(Number)
  if (status !== 200)
    throw new Error(`${url} answered ${status}: ${await runCommand('head', ['-c', '500', output])}`)
  return { output, seconds }
}
