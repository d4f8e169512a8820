// Reads the whole log through the API, as an auditor would, and holds every line against what was acknowledged.

import { request } from 'undici'
import { administrator, auditLogPath } from '../annals.ts'
import { basic } from '../request-cpu.ts'
import type { Ledger, Source } from './ledger.ts'
import { linesIn, syslogNumber } from './senders.ts'

/** What the log holds besides the soak's events. */
export interface ReadBack {
  readonly lines: number
  readonly bytes: number
  /** Events that the log's sums of losses (code 29071) say were refused or dropped. */
  readonly losses: number
  /** Lines that are no event of the soak: the node's own entries. */
  readonly others: number
}

/** Reads it all into the ledger. Throws where positions do not follow each other, or a line is none. */
export async function readBack(url: string, ledger: Ledger, syslog: Source): Promise<ReadBack> {
  const headers = { authorization: basic(administrator) }
  const answer = await request(`${url}${auditLogPath}`, { headers, bodyTimeout: 0, headersTimeout: 0 })
  if (answer.statusCode !== 200) throw new Error(`the log was answered with ${answer.statusCode}`)
  let [lines, bytes, losses, others] = [0, 0, 0, 0]
  for await (const line of linesIn(answer.body)) {
    const { position, id, via } = stampOf(line)
    if (position !== lines) throw new Error(`position ${position} follows ${lines - 1}`)
    lines += 1
    bytes += line.length + 1
    const number = via === 'syslog' ? syslogNumber(line, ledger.run) : undefined
    if (number !== undefined) syslog.seen(number, position)
    else if (!(via === 'http' && ledger.seenId(id, position))) others += 1
    if (via === 'self') losses += lossesIn(line)
  }
  return { lines, bytes, losses, others }
}

/** The events that a line says were not recorded, where it is a sum of losses. */
export function lossesIn(line: string): number {
  if (!/^<\d+>1 \S+ \S+ \S+ \S+ 29071 /.test(line)) return 0
  const n = / n="(\d+)"/.exec(line)?.[1]
  if (n === undefined) throw new Error(`a sum of losses without its number: ${line}`)
  return Number(n)
}

// The log's own element comes first, and nothing before it can hold a quotation mark after a blank and a name.
function stampOf(line: string): { position: number; id: string; via: string } {
  const found =
    /^<\d+>1 \S+ \S+ \S+ \S+ \S+ \[audit@32473 v="1" log="[^"]*" pos="(\d+)" id="([^"]+)" via="([a-z]+)"/.exec(
      line,
    )
  if (found === null) throw new Error(`a line is none: ${line.slice(0, 300)}`)
  return { position: Number(found[1]), id: found[2] ?? '', via: found[3] ?? '' }
}
