// A YAML file that is a list of alike entries, such as the authorization servers that are trusted. Each entry has a
// schema, whose leaves say what they expect. What is wrong with any of them is found in one pass, each thing with its
// line (of one entry the first eight things, which is as many as typebox tells).

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Static, TObject } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import { trustListBytes } from '../limits.ts'
import type { Problem } from './assignment.ts'
import { didYouMean } from './suggest.ts'

/** An entry that fits the schema. */
export interface ListEntry<T> {
  readonly value: T
  /** Something that is wrong with what stands at these keys, which no schema can tell. */
  readonly problem: (keys: readonly (string | number)[], message: string) => Problem
}

/** What a list says: the entries that fit, and what is wrong with it. */
export interface EntryList<T> {
  readonly entries: readonly ListEntry<T>[]
  readonly problems: readonly Problem[]
}

/** Reads a list. `origin` is the setting that names the file. */
export function readEntryList<S extends TObject>(
  path: string,
  origin: string,
  schema: S,
): EntryList<Static<S>> {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= trustListBytes) return parseEntryList(bytes.toString(), basename(path), schema)
    throw new Error(`it is longer than ${trustListBytes} bytes`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { entries: [], problems: [{ origin, message: `${path} cannot be read: ${why}` }] }
  }
}

/** Reads the text of a list. `name` stands before the lines of problems. */
export function parseEntryList<S extends TObject>(
  text: string,
  name: string,
  schema: S,
): EntryList<Static<S>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const place = new Place(name, document, lines)
  if (document.errors.length > 0) {
    return { entries: [], problems: document.errors.map(({ message, pos }) => place.at(pos[0], message)) }
  }
  // Without aliases: a few lines of them can be a document of any size.
  const root: unknown = document.toJS({ maxAliasCount: 0 })
  if (root === null) return { entries: [], problems: [] }
  if (!isSeq(document.contents) || !Array.isArray(root))
    return { entries: [], problems: [place.at(0, 'the file is expected to be a list')] }
  return readEntries(root, place, schema)
}

function readEntries<S extends TObject>(
  values: readonly unknown[],
  place: Place,
  schema: S,
): EntryList<Static<S>> {
  const entries: ListEntry<Static<S>>[] = []
  const problems: Problem[] = []
  values.forEach((value, index) => {
    if (Check(schema, value)) {
      entries.push({ value, problem: (keys, message) => place.of([index, ...keys], message) })
    } else problems.push(...problemsOf(value, schema, (keys, message) => place.of([index, ...keys], message)))
  })
  return { entries, problems }
}

/** Where things stand in the file. */
class Place {
  readonly #name: string
  readonly #document: Document
  readonly #lines: LineCounter

  constructor(name: string, document: Document, lines: LineCounter) {
    this.#name = name
    this.#document = document
    this.#lines = lines
  }

  at(offset: number, message: string): Problem {
    const [firstLine = ''] = message.split('\n', 1)
    return { origin: `${this.#name}:${this.#lines.linePos(offset).line}`, message: firstLine }
  }

  /** What stands at these keys, or the nearest thing around it. */
  of(keys: readonly (string | number)[], message: string): Problem {
    const node = this.#document.getIn(keys, true)
    const range = typeof node === 'object' && node !== null && 'range' in node && (node.range as number[])
    if (range || keys.length === 0) return this.at(range ? (range[0] ?? 0) : 0, message)
    return this.of(keys.slice(0, -1), message)
  }
}

// A part of a schema, as JSON Schema writes it.
interface Part {
  readonly expects?: string
  readonly properties?: Readonly<Record<string, Part>>
  readonly items?: Part
}

function problemsOf(
  value: unknown,
  schema: TObject,
  problem: (keys: readonly (string | number)[], message: string) => Problem,
): Problem[] {
  return Errors(schema, value).flatMap((error) => {
    const keys = keysOf(error.instancePath)
    const part = partAt(schema, keys)
    if (error.keyword === 'required') {
      return error.params.requiredProperties.map((key) => problem(keys, `"${key}" is missing`))
    }
    if (error.keyword === 'additionalProperties') {
      const known = Object.keys(part?.properties ?? {})
      return error.params.additionalProperties.map((key) =>
        problem([...keys, key], `unknown key "${key}"${didYouMean(key, known)}`),
      )
    }
    // What typebox says of an unknown key besides.
    if (part === undefined) return []
    const name = keys.findLast((key) => typeof key === 'string')
    const what = name === undefined ? 'an entry' : `"${name}"`
    return [problem(keys, `${what} is expected to be ${part.expects ?? 'a map of keys and values'}`)]
  })
}

// A JSON Pointer (RFC 6901).
function keysOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')))
}

function partAt(part: Part | undefined, keys: readonly (string | number)[]): Part | undefined {
  return keys.reduce(
    (part: Part | undefined, key) => (typeof key === 'number' ? part?.items : part?.properties?.[key]),
    part,
  )
}
