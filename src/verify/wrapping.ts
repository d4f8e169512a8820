// The line of a log inside of what somebody else's system has made of it. What is taken off is exact: a line that is not the
// stored one, to the byte, has another hash.

import { parsePlace } from '../entry/line.ts'

const [carriageReturn, space, tab, quote, brace] = [0x0d, 0x20, 0x09, 0x22, 0x7b]

/**
 * The stored line in a line of an export: without blanks and a carriage return at its end; out of a JSON string; or the first
 * member of a JSON object that is a line of an audit log.
 */
export function unwrapped(bytes: Buffer, start: number, end: number): Buffer {
  let stop = end
  while (stop > start && isBlank(bytes[stop - 1])) stop -= 1
  const line = bytes.subarray(start, stop)
  if (line[0] !== quote && line[0] !== brace) return line
  return fromJson(line.toString()) ?? line
}

function isBlank(byte: number | undefined): boolean {
  return byte === carriageReturn || byte === space || byte === tab
}

function fromJson(text: string): Buffer | undefined {
  const value = parsed(text)
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : [value]
  for (const text of texts) {
    if (typeof text !== 'string') continue
    const line = Buffer.from(text)
    if (parsePlace(line, 0, line.length) !== undefined) return line
  }
  return undefined
}

// What is no JSON is not wrapped in any.
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
