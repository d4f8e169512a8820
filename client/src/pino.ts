// A transport of pino: the lines that are audit events are recorded, all others are left to pino's other transports.
//
//   pino.transport({ target: 'annals-client/pino', options: { url, credentials } })
//
// It runs in pino's worker thread, so its options are plain data: no functions. What could not be recorded is a warning of
// the process. The default export is what pino's transports are.

import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { afterwards } from './afterwards.ts'
import { type AuditTrail, type AuditTrailOptions, openAuditTrail } from './audit-trail.ts'
import { pinoCloseMs, secondsMost } from './limits.ts'
import { eventOfLog, type LogMapping } from './log-event.ts'

/** What the transport can be told. */
export type PinoOptions = AuditTrailOptions & LogMapping

/** The stream that pino writes its lines to. With a spool, events are put on disk; else they wait in memory. */
export default function auditTransport(options: PinoOptions): Writable {
  return auditStream(openAuditTrail(options), options)
}

/** The same into an audit trail that is open: for pino without a worker thread. Its end closes the audit trail. */
export function auditStream(audit: AuditTrail, mapping: LogMapping = {}): Writable {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const take = (text: string): void => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) takeLine(audit, line, mapping)
  }
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _, done) {
      take(decoder.write(chunk))
      // Waits only while the server keeps up: a log is never held up by an audit trail that is away.
      void afterwards(audit.room(), done)
    },
    final(done) {
      take(`${decoder.end()}\n`)
      void afterwards(audit.close(pinoCloseMs), done)
    },
  })
}

function takeLine(audit: AuditTrail, line: string, mapping: LogMapping): void {
  const record = parse(line)
  if (record === undefined) return
  const { level, msg, time } = record
  const event = eventOfLog(
    record,
    {
      level: typeof level === 'string' || typeof level === 'number' ? level : undefined,
      text: msg,
      ...timeOf(time),
    },
    mapping,
  )
  if (event !== undefined) void audit.enqueueQuietly(event)
}

function timeOf(time: unknown): { readonly time?: Date } {
  if (typeof time !== 'number' && typeof time !== 'string') return {}
  // `unixTime` of pino counts seconds: as milliseconds they would be in 1970.
  const isSeconds = typeof time === 'number' && time < secondsMost
  const date = new Date(isSeconds ? time * 1000 : time)
  return Number.isNaN(date.getTime()) ? {} : { time: date }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
