// `annals import`: history, from files that others wrote, into a log that has no entry yet (contract W9).
//
// Every file is read twice (three times where its year has to be found). The survey reads all of them, accounts for every line and makes every refusal, before
// anything is written. Then the log is built from the same lines beside its place, and appears by one rename.

import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { AuditEvent, Micros } from '../entry/event.ts'
import { parseForeign } from '../entry/foreign.ts'
import { draftOf } from '../entry/line.ts'
import { selfEvent } from '../entry/self-event.ts'
import { splitEvent } from '../entry/split.ts'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import { disorderLines, disorderMicros, disorderShare, namedLines } from '../limits.ts'
import { buildLog, demandNoLog, type LogBuilder } from '../log/build.ts'
import { eventOfLine } from './event-of-line.ts'
import { History, type HistoricTime } from './history.ts'
import { FirstYear, LineTimes } from './line-time.ts'
import { rawLines } from './raw-lines.ts'

/** What to import, and how. The caller holds the lock of the data directory (I5). */
export interface ImportOptions {
  readonly data: string
  /** In the order of their times. */
  readonly files: readonly string[]
  readonly hostName: string
  readonly component: string
  /** The zone of times without an offset, an IANA name. */
  readonly timeZone: string
  /** The year of the first line without one; by default found from when its file was last written. */
  readonly year?: number
  /** Import also where more than one line in a hundred is out of order by more than an hour. */
  readonly acceptDisorder?: boolean
  /** Who imports. */
  readonly actor: string
  readonly now: Micros
  /** Told of the bytes that were read, of all that will be. */
  readonly progress?: (bytes: number, ofBytes: number) => void
}

/** A line that could not be read and is kept whole. */
export interface RawLine {
  /** Counted from 1. */
  readonly number: number
  readonly reason: string
}

/** The account of one file: `lines` = `parsed` + `keptRaw` + `blank`. */
export interface FileAccount {
  readonly file: string
  readonly sha256: string
  readonly lines: number
  readonly parsed: number
  readonly keptRaw: number
  readonly blank: number
  /** Lines whose time is not their own, because the file steps back there or names a time to come. */
  readonly raised: number
  /** Of those, lines that were raised by more than an hour. */
  readonly disordered: number
  /** The first of the lines that were kept raw. */
  readonly rawLines: readonly RawLine[]
  /** The year that the first line without one was read in. */
  readonly year: number | undefined
  readonly firstTime: Micros | undefined
  readonly lastTime: Micros | undefined
}

/** The account of an import. */
export interface ImportAccount {
  readonly log: string
  readonly entries: number
  readonly bytes: number
  readonly files: readonly FileAccount[]
}

/**
 * Imports files. Throws LOG_EXISTS where the log has entries, and INVALID_INPUT where a file cannot be read, begins
 * before the one before it ended, or is out of order; nothing has been written then.
 */
export async function importFiles(options: ImportOptions): Promise<ImportAccount> {
  await demandNoLog(options.data)
  const ofBytes = (options.year === undefined ? 3 : 2) * (await bytesOf(options.files))
  let bytes = 0
  const read = (chunk: Uint8Array) => {
    bytes += chunk.length
    options.progress?.(bytes, ofBytes)
  }
  const surveys = await surveyAll(options, read)
  demandOrder(surveys, options)
  return await build(options, surveys, read)
}

interface Survey extends FileAccount {
  /** The first time that the file names and that is not to come. */
  readonly start: Micros | undefined
}

type Reader = (chunk: Uint8Array) => void

async function surveyAll(options: ImportOptions, read: Reader): Promise<Survey[]> {
  const surveys: Survey[] = []
  let times: LineTimes | undefined
  for (const file of options.files) {
    // A year that is given goes on from file to file; one that is found belongs to its file.
    const year = options.year ?? (await findYear(file, read))
    if (times === undefined || options.year === undefined) times = new LineTimes(options.timeZone, year ?? 0)
    const assumed = year === undefined ? undefined : times.year
    surveys.push(await survey(file, times, assumed, options, read))
  }
  return surveys
}

async function findYear(file: string, read: Reader): Promise<number | undefined> {
  const { mtime } = await stat(file)
  const first = new FirstYear(mtime)
  for await (const line of rawLines(file, read)) first.add(parseForeign(line))
  return first.year
}

async function survey(
  file: string,
  times: LineTimes,
  year: number | undefined,
  { now }: ImportOptions,
  read: Reader,
): Promise<Survey> {
  const digest = createHash('sha256')
  const count = { lines: 0, parsed: 0, keptRaw: 0, blank: 0, raised: 0, disordered: 0 }
  const raw: RawLine[] = []
  let history: History | undefined
  let start: Micros | undefined
  const hash = (chunk: Uint8Array) => {
    digest.update(chunk)
    read(chunk)
  }
  for await (const bytes of rawLines(file, hash)) {
    count.lines += 1
    const line = parseForeign(bytes)
    if (line.form === 'blank') {
      count.blank += 1
      continue
    }
    const own = times.of(line)
    const reason = line.form === 'unreadable' ? line.reason : typeof own === 'string' ? own : undefined
    if (reason !== undefined) {
      count.keptRaw += 1
      if (raw.length < namedLines) raw.push({ number: count.lines, reason })
      continue
    }
    count.parsed += 1
    if (typeof own !== 'number') continue
    if (history === undefined && own <= now) {
      start = own
      history = new History(own, now)
    }
    const { time, occurred } = history?.next(own) ?? { time: now, occurred: own }
    if (occurred === undefined) continue
    count.raised += 1
    if (time - occurred > disorderMicros) count.disordered += 1
  }
  return {
    file,
    sha256: digest.digest('hex'),
    ...count,
    rawLines: raw,
    year,
    start,
    firstTime: start,
    lastTime: history?.last,
  }
}

function demandOrder(surveys: readonly Survey[], options: ImportOptions): void {
  let before: Survey | undefined
  for (const each of surveys) {
    if (before?.lastTime !== undefined && each.start !== undefined && each.start < before.lastTime) {
      throw new AnnalsError(
        'INVALID_INPUT',
        `${each.file} begins at ${formatMicros(each.start)}, before ${before.file} ends at ` +
          `${formatMicros(before.lastTime)}; expected the files in the order of their times. Nothing was imported`,
      )
    }
    if (each.lastTime !== undefined) before = each
  }
  const parsed = surveys.reduce((sum, { parsed }) => sum + parsed, 0)
  const disordered = surveys.reduce((sum, { disordered }) => sum + disordered, 0)
  if (disordered <= Math.max(disorderLines, parsed * disorderShare) || options.acceptDisorder === true) return
  throw new AnnalsError(
    'INVALID_INPUT',
    `${disordered} of ${parsed} lines are earlier than the line before them by more than an hour; expected at most ` +
      'one in a hundred. Check --year and --time-zone, or say --accept-disorder. Nothing was imported',
  )
}

async function build(
  options: ImportOptions,
  surveys: readonly Survey[],
  read: Reader,
): Promise<ImportAccount> {
  const { data, hostName, actor, now } = options
  await using builder = await buildLog({ data, hostName, created: now })
  const start = surveys.find((each) => each.start !== undefined)?.start ?? now
  const history = new History(start, now)
  let times: LineTimes | undefined
  for (const surveyed of surveys) {
    if (times === undefined || options.year === undefined)
      times = new LineTimes(options.timeZone, surveyed.year ?? 0)
    await addFile(builder, surveyed, { times, history, context: { by: actor, hostName }, read })
  }
  await addAccount(builder, options, surveys, history)
  const { size, bytes } = await builder.finish()
  return { log: builder.description.id, entries: size, bytes, files: surveys }
}

interface FileWork {
  readonly times: LineTimes
  readonly history: History
  readonly context: { readonly by: string; readonly hostName: string }
  readonly read: Reader
}

async function addFile(builder: LogBuilder, surveyed: Survey, work: FileWork): Promise<void> {
  const digest = createHash('sha256')
  // At the head of a file there is no line before.
  if (surveyed.start !== undefined) work.history.next(surveyed.start)
  const hash = (chunk: Uint8Array) => {
    digest.update(chunk)
    work.read(chunk)
  }
  for await (const bytes of rawLines(surveyed.file, hash)) {
    const line = parseForeign(bytes)
    if (line.form === 'blank') continue
    const own = work.times.of(line)
    const problem = typeof own === 'string' ? own : undefined
    const times = work.history.next(typeof own === 'number' ? own : undefined)
    await add(builder, eventOfLine(line, bytes, work.context, problem), times)
  }
  if (digest.digest('hex') === surveyed.sha256) return
  throw new AnnalsError(
    'INVALID_INPUT',
    `${surveyed.file} was changed while it was read. Nothing was imported`,
  )
}

async function add(builder: LogBuilder, event: AuditEvent, { time, occurred }: HistoricTime): Promise<void> {
  const timed = occurred === undefined ? event : { ...event, occurred }
  const { id } = builder.description
  for (const part of splitEvent(timed, id)) await builder.add(draftOf(part, id), time)
}

// The import ends with an entry that names each file, its SHA-256 and its counts.
async function addAccount(
  builder: LogBuilder,
  { actor, hostName, component, now }: ImportOptions,
  surveys: readonly Survey[],
  history: History,
): Promise<void> {
  const sum = (count: (each: Survey) => number) =>
    String(surveys.reduce((total, each) => total + count(each), 0))
  const event = selfEvent({
    code: 29021,
    actor,
    by: actor,
    hostName,
    component,
    outcome: 'success',
    fields: {
      files: String(surveys.length),
      lines: sum((each) => each.lines),
      parsed: sum((each) => each.parsed),
      keptRaw: sum((each) => each.keptRaw),
      blank: sum((each) => each.blank),
      raised: sum((each) => each.raised),
      each: surveys.map(describeFile).join('; '),
    },
  })
  await add(builder, event, history.next(now))
}

function describeFile(each: Survey): string {
  const { file, sha256, lines, parsed, keptRaw, blank, raised } = each
  return `${file} sha256=${sha256} lines=${lines} parsed=${parsed} raw=${keptRaw} blank=${blank} raised=${raised}`
}

async function bytesOf(files: readonly string[]): Promise<number> {
  let bytes = 0
  for (const file of files) {
    const found = await stat(file).catch((cause: unknown) => {
      throw new AnnalsError('INVALID_INPUT', `${file} cannot be read: expected a file`, { cause })
    })
    if (!found.isFile())
      throw new AnnalsError('INVALID_INPUT', `${file} is not a file; expected one that can be read twice`)
    bytes += found.size
  }
  return bytes
}
