// The Range header (RFC 9110 section 14): one range of bytes is honoured, everything else is ignored, as the
// RFC allows, so that a client gets the whole instead of an error.

/** A half-open run of an answer's bytes: start ≤ offset < end. */
export interface Part {
  readonly start: number
  readonly end: number
}

/**
 * The part of `bytes` bytes that a Range header asks for. Undefined: there is nothing to honour (no header,
 * another unit, several ranges, or not a range at all), and the answer is the whole. `unsatisfiable`: 416 (E8).
 */
export function parseRange(header: string | undefined, bytes: number): Part | 'unsatisfiable' | undefined {
  if (header === undefined) return undefined
  const equals = header.indexOf('=')
  if (header.slice(0, equals).toLowerCase() !== 'bytes') return undefined
  const specs = listMembers(header.slice(equals + 1))
  const spec = specs.length === 1 ? /^(\d*)-(\d*)$/.exec(specs[0] ?? '') : null
  if (spec === null) return undefined
  const [, first = '', last = ''] = spec
  if (first === '') return last === '' ? undefined : suffix(Number(last), bytes)
  return between(Number(first), last === '' ? Infinity : Number(last), bytes)
}

function listMembers(list: string): string[] {
  return list
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

function suffix(length: number, bytes: number): Part | 'unsatisfiable' {
  if (length === 0 || bytes === 0) return 'unsatisfiable'
  return { start: Math.max(0, bytes - length), end: bytes }
}

function between(first: number, last: number, bytes: number): Part | 'unsatisfiable' | undefined {
  if (last < first) return undefined
  if (first >= bytes) return 'unsatisfiable'
  return { start: first, end: Math.min(last + 1, bytes) }
}
