// What the fields of an event are called in the JSON lines of an application's own log. A mapping is for the files that
// its pattern names. Types only: it is written in a YAML file (`--follow-mapping-file`).

/** Where a value comes from: one that is always the same, or a path into the line's object. */
export type MappedValue = { readonly constant: string } | { readonly path: JsonPath }

/** The steps of `$.user.name` or `$.tags[0]`. */
export type JsonPath = readonly (string | number)[]

/** The fields that a mapping may fill. */
export const mappedFields = [
  'code',
  'component',
  'category',
  'actor',
  'message',
  'occurred',
  'severity',
  'outcome',
  'sourceAddress',
  'session',
  'target',
  'hostName',
  'appName',
  'procId',
] as const

/** One of them. */
export type MappedField = (typeof mappedFields)[number]

/** How the JSON lines of some files are read. Without a code and an actor no line can be read. */
export interface FileMapping {
  /** A pattern as those of `--follow`, absolute. */
  readonly pattern: string
  readonly fields: Readonly<Partial<Record<MappedField, MappedValue>>>
  /** Further values to keep, by the name that each gets; `rest` keeps whatever no field has taken. */
  readonly details: Readonly<Record<string, MappedValue>> | 'rest'
}

/** Reads `$`, `$.a.b`, `$.a[0]`, `$["a b"]`; undefined where that is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined
  const steps: (string | number)[] = []
  const step = /\.([A-Za-z_@$][\w@$-]*)|\[(0|[1-9]\d{0,5})\]|\[("(?:[^"\\]|\\.)*")\]/y
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const found = step.exec(text)
    if (found === null) return undefined
    const [, name, index, quoted] = found
    const written = quoted === undefined ? name : unquoted(quoted)
    if (written === undefined && index === undefined) return undefined
    steps.push(written ?? Number(index))
  }
  return steps
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.hasOwn(value, step)
      ? (value as Readonly<Record<string | number, unknown>>)[step]
      : undefined
  }
  return value
}
