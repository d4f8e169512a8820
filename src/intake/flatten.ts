// Nested values as the flat names and texts of `[detail@32473 …]`: `{"disk": {"sizes": [1, 2]}}` is `disk.sizes.0` and
// `disk.sizes.1`. Texts stay as they are, numbers and booleans are written as JSON writes them, null is `null`, and what is
// empty is `{}` or `[]`: nothing is left out.

import { detailDepth, flatNameCharacters } from '../limits.ts'
import { shown } from './shown.ts'

/** A value as JSON has it, as far as it is looked at. */
export type Nested = unknown

/**
 * The flat names and texts of an object. Throws a RangeError where it is nested too deep, or where its flat names have more
 * characters than `limits.flatNameCharacters`: each name within a name is written out again.
 */
export function flatten(object: Readonly<Record<string, Nested>>): (readonly [string, string])[] {
  const flat: Flat = { pairs: [], characters: 0 }
  for (const name of Object.keys(object)) add(flat, name, object[name], 1)
  return flat.pairs
}

interface Flat {
  readonly pairs: (readonly [string, string])[]
  characters: number
}

function add(flat: Flat, name: string, value: Nested, depth: number): void {
  flat.characters += name.length
  if (flat.characters > flatNameCharacters)
    throw new RangeError(`its names, flattened, have more than ${flatNameCharacters} characters`)
  if (typeof value === 'string') return void flat.pairs.push([name, value])
  if (typeof value !== 'object' || value === null) return void flat.pairs.push([name, String(value)])
  const names = Object.keys(value)
  if (names.length === 0) return void flat.pairs.push([name, Array.isArray(value) ? '[]' : '{}'])
  if (depth >= detailDepth)
    throw new RangeError(`"${shown(name)}" is nested deeper than ${detailDepth} levels`)
  const parts = value as Readonly<Record<string, Nested>>
  for (const part of names) add(flat, `${name}.${part}`, parts[part], depth + 1)
}
