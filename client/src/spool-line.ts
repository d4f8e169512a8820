// A line of a spool's file: `<CRC-32 in 8 hex digits> <n or s><JSON>`. `n` says that the event was never sent and may get
// another id. A line that a crash cut short does not fit its sum.

import { crc32 } from 'node:zlib'
import type { EncodedEvent } from './event.ts'

/** An event as it stands on disk. */
export type SpooledEvent = EncodedEvent

/** A line, with its newline. */
export function spoolLine({ line, hasOwnId }: Pick<EncodedEvent, 'line' | 'hasOwnId'>): string {
  const text = `${hasOwnId ? 'n' : 's'}${line}`
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}

/**
 * What a file holds: its events, and how many bytes of it are damaged. A last line without its end is no damage: it was
 * never said to be durable.
 */
export function readSpoolLines(file: Buffer): {
  readonly events: readonly SpooledEvent[]
  readonly badBytes: number
} {
  const events: SpooledEvent[] = []
  let badBytes = 0
  for (let start = 0; start < file.length;) {
    const newline = file.indexOf(0x0a, start)
    if (newline === -1) {
      // Only its end may be damaged.
      const event = parseLine(file.subarray(start, -1))
      if (event !== undefined) events.push(event)
      break
    }
    const event = parseLine(file.subarray(start, newline))
    if (event === undefined) badBytes += newline + 1 - start
    else events.push(event)
    start = newline + 1
  }
  return { events, badBytes }
}

function parseLine(bytes: Buffer): SpooledEvent | undefined {
  const text = bytes.subarray(9)
  const sum = bytes.toString('latin1', 0, 8)
  if (text.length < 2 || bytes[8] !== 0x20 || crc32(text).toString(16).padStart(8, '0') !== sum)
    return undefined
  const line = text.toString('utf8', 1)
  const id = idIn(line)
  return id === undefined ? undefined : { id, line, bytes: text.length - 1, hasOwnId: text[0] === 0x6e }
}

function idIn(line: string): string | undefined {
  const event = JSON.parse(line) as { readonly id?: unknown }
  return typeof event.id === 'string' ? event.id : undefined
}
