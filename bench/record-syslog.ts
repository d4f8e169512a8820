// Syslog over one TCP connection: how fast what a sender pours in is taken, made durable and written out. The peer is
// rsyslog, which writes a line and syncs; Annals also recognises, hashes and makes provable what it writes.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAnnals } from './annals.ts'
import { type BenchContext, type Benchmark, type Outcome, PeerMissing } from './benchmark.ts'
import { freePort, runCommand } from './command.ts'
import { compare, type Contestant, measureInRounds } from './harness.ts'
import { LineCounter } from './line-counter.ts'
import { startRsyslog } from './peers/rsyslog.ts'

const messageBytes = 200
// In every message once, and in every line that is made of it once.
const mark = '[Portal|LOGIN|20101|'

/** How a message is written: RFC 5424, or as rsyslog forwards it. */
export type SyslogForm = 'RFC 5424' | 'rsyslog'

/** Syslog over TCP, one connection, messages of 200 bytes, against rsyslog with a synced file. */
export const recordSyslog: Benchmark = {
  name: 'record-syslog',
  title: `syslog over one TCP connection, messages of ${messageBytes} bytes, against rsyslog with a synced file`,
  run,
}

async function run(context: BenchContext): Promise<Outcome> {
  const count = context.isQuick ? 20_000 : 300_000
  const data = join(context.directory, 'record-syslog')
  await rm(data, { recursive: true, force: true })
  const port = await freePort()
  await using _annals = await startAnnals(data, ['--syslog-tcp', `127.0.0.1:${port}`])
  await using rsyslog = await startRsyslog(context.directory)
  const pour = await compilePour(context)
  const segments = join(data, 'log', 'segments')
  const ours = { pour, port, count, counter: new LineCounter(segments, mark) }
  const theirs = { pour, port: rsyslog.port, count, counter: new LineCounter(rsyslog.file, mark) }
  const contestants: Contestant[] = []
  for (const form of ['RFC 5424', 'rsyslog'] as const) {
    const file = await writeMessages(context, form, count)
    contestants.push(
      { name: `Annals, ${form}`, measure: pouring({ ...ours, file }) },
      { name: `rsyslog, ${form}`, measure: pouring({ ...theirs, file }) },
    )
  }
  const measured = await measureInRounds(contestants, { ...context, unit: 'messages/s' })
  const [ours5424, theirs5424, oursForward, theirsForward] = measured
  if (!ours5424 || !theirs5424 || !oursForward || !theirsForward) throw new Error('a contestant is missing')
  const bar = { kind: 'at least', value: 1 } as const
  return {
    measured,
    comparisons: [
      compare('Annals / rsyslog, RFC 5424', ours5424, theirs5424, bar),
      compare("Annals / rsyslog, rsyslog's own form", oursForward, theirsForward, bar),
    ],
    notes: [
      `${count.toLocaleString('en-GB')} messages of ${messageBytes} bytes each time, ended by a newline each, from a program in C that sends as fast as it is let; from connecting until the last line stands in the file of the one or the log of the other.`,
      `Both sync what they write: Annals with fdatasync for each batch, rsyslog with fsync. ${await rsyslog.describe()}.`,
    ],
  }
}

/** Compiles the sender. */
export async function compilePour(context: Pick<BenchContext, 'directory'>): Promise<string> {
  const program = join(context.directory, 'pour')
  const source = fileURLToPath(new URL('peers/pour.c', import.meta.url))
  await runCommand('gcc', ['-O2', '-o', program, source]).catch((cause: unknown) => {
    throw new PeerMissing('the sender, which needs gcc, could not be compiled', { cause })
  })
  return program
}

/** Writes messages of one form into a file, and returns its path. */
export async function writeMessages(
  context: Pick<BenchContext, 'directory'>,
  form: SyslogForm,
  count: number,
): Promise<string> {
  const file = join(context.directory, `messages-${form.replaceAll(' ', '-')}.txt`)
  await writeFile(file, Array.from({ length: count }, (_, k) => `${messageAt(k, form)}\n`).join(''))
  return file
}

function messageAt(k: number, form: SyslogForm): string {
  const time = new Date(Date.UTC(2026, 0, 1) + k).toISOString().replace('Z', '000Z')
  const account = `account-${(k % 5_000).toString().padStart(4, '0')}`
  const head = {
    'RFC 5424': `<110>1 ${time} app-01.example.com portal 4711 20101 - `,
    rsyslog: `<110>${time} app-01.example.com portal[4711]: `,
  }[form]
  const text = `${head}${mark}${account}] User account logged with session id ${k.toString(16).padStart(32, '0')} `
  return text.padEnd(messageBytes, 'from the console of the product, as it was configured ')
}

interface Pouring {
  readonly pour: string
  readonly port: number
  readonly file: string
  readonly count: number
  readonly counter: LineCounter
}

function pouring({ pour, port, file, count, counter }: Pouring): () => Promise<number> {
  return async () => {
    const before = counter.look()
    const begin = performance.now()
    await Promise.all([runCommand(pour, ['127.0.0.1', `${port}`, file]), counter.until(before + count)])
    return count / ((performance.now() - begin) / 1000)
  }
}
