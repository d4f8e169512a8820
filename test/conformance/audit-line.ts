// A line of an audit log as the contract describes it (L1, L2), read by somebody who has only the contract.

/** One entry. */
export interface AuditLine {
  /** Without the newline. */
  readonly bytes: Buffer
  /** Microseconds since the epoch. */
  readonly time: number
  readonly code: string
  readonly position: number
  /** The parameters of `audit@32473`, `event@32473` and `detail@32473`. */
  readonly audit: Readonly<Record<string, string>>
  readonly event: Readonly<Record<string, string>>
  readonly detail: Readonly<Record<string, string>>
  /** What stands behind the structured data. */
  readonly message: Buffer
}

/** Splits a body into its lines (R1). Throws where the last one has no end. */
export function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const end = body.indexOf(0x0a, at)
    if (end === -1) throw new Error('the last line has no end')
    lines.push(body.subarray(at, end))
    at = end + 1
  }
  return lines
}

/** Reads a body's lines. Throws where one is not as the contract says. */
export function readLines(body: Buffer): AuditLine[] {
  return linesOf(body).map(readLine)
}

/** Reads one line, without its newline. */
export function readLine(bytes: Buffer): AuditLine {
  // Byte by byte, so that offsets into the text are offsets into the line.
  const text = bytes.toString('latin1')
  const head = /^<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) (?=\[audit@32473 v="1" log=")/.exec(text)
  if (head === null) throw new Error(`no line of an audit log: ${text.slice(0, 200)}`)
  const elements = new Map<string, Record<string, string>>()
  let at = head[0].length
  const element = /\[([^ \]="]+)((?: [^ \]="]+="(?:[^"\\\]]|\\.)*")*)\]/y
  for (;;) {
    element.lastIndex = at
    const found = element.exec(text)
    if (found === null) break
    elements.set(found[1] ?? '', readParameters(found[2] ?? ''))
    at = element.lastIndex
  }
  if (text[at] !== ' ') throw new Error(`no message behind the structured data: ${text.slice(0, 300)}`)
  const audit = elements.get('audit@32473') ?? {}
  return {
    bytes,
    time: microsOf(head[2] ?? ''),
    code: head[6] ?? '',
    position: Number(audit['pos']),
    audit,
    event: elements.get('event@32473') ?? {},
    detail: elements.get('detail@32473') ?? {},
    message: bytes.subarray(at + 1),
  }
}

/** Microseconds since the epoch of a time in UTC, `2026-01-31T14:00:00.123456Z`, or with an offset. */
export function microsOf(time: string): number {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(time)
  if (found === null) throw new Error(`no time with an offset: ${time}`)
  const [, seconds, fraction = '', offset] = found
  return Date.parse(`${seconds}${offset}`) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** A moment as `before_date` takes it, to the microsecond, in UTC. */
export function timeOf(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`
}

function readParameters(text: string): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/ ([^ =]+)="((?:[^"\\]|\\.)*)"/g)) {
    parameters[name] = Buffer.from(value.replace(/\\(["\\\]])/g, '$1'), 'latin1').toString()
  }
  return parameters
}
