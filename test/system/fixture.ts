// The portal's log of the fixtures, read by nothing of ours: its lines are `TIME HOST TAG: MESSAGE`, in order.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { microsOf } from '../conformance/audit-line.ts'
import type { KnownEntry } from '../conformance/prober.ts'

/** The file. */
export const portalFixture = join(import.meta.dirname, '../fixtures/portal.iso.log')

/** What its lines say: when, and the text behind the tag, byte for byte. */
export function fixtureEntries(file: string = portalFixture): KnownEntry[] {
  // Latin-1, so that a character is a byte.
  const lines = readFileSync(file, 'latin1').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [time = '', , tag = ''] = line.split(' ', 3)
    const start = line.indexOf(`${tag} `) + tag.length + 1
    return { time: microsOf(time), message: Buffer.from(line.slice(start), 'latin1') }
  })
}

/** Writes a log file of such lines, each some 900 bytes that compress badly, and returns its path. */
export function writeLargeLog(file: string, lines: number): string {
  const text: string[] = []
  for (let k = 0; k < lines; k++) {
    const time = new Date(Date.UTC(2025, 0, 1) + k * 1000).toISOString()
    const noise = createHash('shake256', { outputLength: 600 }).update(String(k)).digest('base64')
    text.push(`${time} portal-01 nxauditlog: [Portal|USER|20203|admin] ${noise}\n`)
  }
  writeFileSync(file, text.join(''))
  return file
}
