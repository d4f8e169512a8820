// What the tests of the suite share: what they are told, and how they ask.

import assert from 'node:assert/strict'
import { type AuditLine, readLines } from './audit-line.ts'
import { refusal } from './refusal.ts'
import { type Answer, type Ask, ask, type Credentials, type Server } from './wire.ts'

/** An entry that is known to be in the log. */
export interface KnownEntry {
  /** Its recorded time, microseconds since the epoch. */
  readonly time: number
  /** What stands behind the structured data. */
  readonly message: Buffer
}

/** What the suite is told. */
export interface Target extends Server {
  /** An account with administrator rights, used by nobody else. */
  readonly reader: Credentials
  /** An account without. */
  readonly user: Credentials
  /** The instance's time zone, an IANA name. */
  readonly timeZone: string
  /** What the log begins with, in order: at least 1,000 entries over at least 3 days, all in the past. */
  readonly known: readonly KnownEntry[]
}

/** The log of the portal (A1). */
export const portalPath = '/audit-trail/api/v1/portal/type/auditlog'

/** The logs of all connected engines (A3). */
export const enginesPath = '/audit-trail/api/v1/engines/type/auditlog'

/** The log of an engine (A2), which is not connected. */
export const enginePath = '/audit-trail/api/v1/engine/engine-01/type/auditlog'

/** An hour, in the unit of recorded times. */
export const microsPerHour = 3_600_000_000

/** A test: its title begins with the row that it proves. */
export type Test = readonly [title: string, prove: () => Promise<void>]

/** Asks the portal as the reader, and compares what comes with what is known. */
export class Prober {
  readonly target: Target
  readonly known: readonly KnownEntry[]
  /** The query of a window of a day that the known entries fill, and what it holds. */
  readonly day: { readonly query: string; readonly entries: readonly KnownEntry[] }

  constructor(target: Target) {
    this.target = target
    this.known = target.known
    const middle = entryAt(this.known, Math.floor(this.known.length / 2))
    const before = new Date(middle.time / 1000).toISOString().slice(0, 10)
    const end = Date.parse(`${before}T00:00:00Z`) * 1000
    this.day = {
      query: `before_date=${before}T00:00:00Z&elapsed_hours=24`,
      entries: this.within(end - 24 * microsPerHour, end),
    }
  }

  /** Asks without credentials, unless some are given. */
  ask(path: string, asked: Ask = {}): Promise<Answer> {
    return ask(this.target, path, asked)
  }

  /** Asks as the reader. */
  get(path: string, asked: Ask = {}): Promise<Answer> {
    return this.ask(path, { credentials: this.target.reader, ...asked })
  }

  /** Reads a window of the log, as the reader. An empty query is the whole log. */
  read(query: string, asked: Ask = {}): Promise<Answer> {
    return this.get(query === '' ? portalPath : `${portalPath}?${query}`, asked)
  }

  /** The same, demands that it succeeds, and returns the body. */
  async body(query: string): Promise<Buffer> {
    const answer = await this.read(query)
    assert.equal(answer.status, 200, answer.body.toString('utf8', 0, 500))
    return answer.body
  }

  /** The entry that a read left in the log (S7). */
  async entryOf(answer: Answer): Promise<AuditLine> {
    const lines = readLines(await this.body(''))
    const tag = String(answer.headers.etag)
    const found = lines.findLast(({ event }) => tag.endsWith(`.${event['from']}-${event['to']}"`))
    assert.ok(found !== undefined, 'the read is an entry')
    return found
  }

  /** The known entries of a half-open window. */
  within(start: number, end: number): KnownEntry[] {
    return this.known.filter(({ time }) => start <= time && time < end)
  }

  /** Demands that lines are these entries: their times, and their messages byte for byte. */
  sameEntries(lines: readonly AuditLine[], expected: readonly KnownEntry[]): void {
    assert.equal(lines.length, expected.length)
    for (const [index, { time, message }] of expected.entries()) {
      const line = entryAt(lines, index)
      assert.equal(line.time, time)
      assert.ok(line.message.equals(message), `${line.message.toString()} is not ${message.toString()}`)
    }
  }

  /** Demands that a query is refused, by the name of a parameter (W7). */
  async refuses(query: string, name: string): Promise<void> {
    const [element] = refusal(await this.read(query), 400, 'INVALID_PARAMETER')
    assert.ok(element?.['message']?.startsWith(`${name}: `), `${query}: ${element?.['message']}`)
  }
}

/** The positions that an answer holds, as its ETag names them. */
export function rangeOf({ headers }: Answer): { from: number; to: number } {
  const found = /\.(\d+)-(\d+)(?:-[a-z]+)?"$/.exec(String(headers.etag))
  assert.ok(found !== null, `${headers.etag} names no positions`)
  return { from: Number(found[1]), to: Number(found[2]) }
}

/** An answer's headers, without the moment of the answer, which is its own. */
export function withoutTimes({ rawHeaders }: Answer): string[] {
  const headers: string[] = []
  for (let k = 0; k < rawHeaders.length; k += 2) {
    if (!/^(date|annals-now|annals-proof)$/i.test(rawHeaders[k] ?? ''))
      headers.push(`${rawHeaders[k]}: ${rawHeaders[k + 1]}`)
  }
  return headers
}

/** The entry at an index, counted from the end where that is negative. Demands that there is one. */
export function entryAt<T>(entries: readonly T[], index: number): T {
  const entry = entries.at(index)
  assert.ok(entry !== undefined, `there is no entry ${index}`)
  return entry
}
