// How the JSON lines of followed files are read: what an administrator wrote of them (`--follow-mapping-file`). A list of
//
//   - pattern: /var/log/app/*.json
//     fields:
//       code: $.event.code
//       actor: $.user
//       component: Engine-01
//     details: rest

import { dirname, resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import {
  type FileMapping,
  type MappedField,
  mappedFields,
  type MappedValue,
  parseJsonPath,
} from '../entry/file-mapping.ts'
import type { Problem } from './assignment.ts'
import { refusal } from './configuration.ts'
import { type EntryList, parseEntryList, readEntryList } from './entry-list.ts'

/** Reads a file of mappings. Throws INVALID_CONFIGURATION, which lists everything that is wrong. */
export function readFollowMappingsFile(path: string): readonly FileMapping[] {
  return complete(readEntryList(path, 'followMappingFile', mappingSchema), dirname(path))
}

/** Reads the text of such a file. `directory` is what relative patterns begin at. Throws INVALID_CONFIGURATION. */
export function parseFollowMappings(text: string, name: string, directory: string): readonly FileMapping[] {
  return complete(parseEntryList(text, name, mappingSchema), directory)
}

const expectedValue = 'a path such as $.user.name, or a text or number that is always the same'

const mappedValue = Type.Refine(
  Type.Union([Type.String(), Type.Number()], { expects: expectedValue }),
  (value: unknown) => mappedValueOf(String(value)) !== undefined,
)

// All of them, so that a key which is none is named.
const fields = Object.fromEntries(mappedFields.map((field) => [field, Type.Optional(mappedValue)])) as Record<
  MappedField,
  ReturnType<typeof Type.Optional<typeof mappedValue>>
>

const mappingSchema = Type.Object(
  {
    pattern: Type.String({ minLength: 1, expects: 'a pattern as those of --follow' }),
    fields: Type.Object(fields, {
      additionalProperties: false,
      expects: `a map of ${mappedFields.join(', ')}`,
    }),
    details: Type.Optional(
      Type.Union([Type.Literal('rest'), Type.Record(Type.String(), mappedValue)], {
        expects: '"rest", or a map of names and paths',
      }),
    ),
  },
  { additionalProperties: false },
)

type Written = Static<typeof mappingSchema>

function complete({ entries, problems }: EntryList<Written>, directory: string): readonly FileMapping[] {
  const missing = entries.flatMap(({ value, problem }): Problem[] =>
    (['code', 'actor'] as const)
      .filter((field) => value.fields[field] === undefined)
      .map((field) => problem(['fields'], `"${field}" is missing: without it no line can be read`)),
  )
  const found = [...problems, ...missing]
  if (found.length > 0) throw refusal(found)
  return entries.map(({ value }) => mappingOf(value, directory))
}

function mappingOf({ pattern, fields, details = {} }: Written, directory: string): FileMapping {
  return {
    pattern: resolve(directory, pattern),
    fields: valuesOf(fields),
    details: details === 'rest' ? details : valuesOf(details),
  }
}

function valuesOf(written: Readonly<Record<string, string | number>>): Record<string, MappedValue> {
  const values: Record<string, MappedValue> = {}
  for (const [name, value] of Object.entries(written)) {
    const mapped = mappedValueOf(String(value))
    if (mapped !== undefined) values[name] = mapped
  }
  return values
}

// `$$` at the beginning is a `$` of a text that is always the same.
function mappedValueOf(written: string): MappedValue | undefined {
  if (!written.startsWith('$')) return { constant: written }
  if (written.startsWith('$$')) return { constant: written.slice(1) }
  const path = parseJsonPath(written)
  return path === undefined ? undefined : { path }
}
