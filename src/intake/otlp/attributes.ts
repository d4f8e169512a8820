// Attributes as flat names and texts, some of which are taken for what they mean, and the rest is kept as it is.

import { AnnalsError } from '../../errors.ts'
import { detailDepth, flatNameCharacters } from '../../limits.ts'
import { flatten } from '../flatten.ts'
import type { KeyValue, Value } from './value.ts'

/** A name and its text. */
export type Pair = readonly [name: string, text: string]

/** The attributes of one thing. */
export class Attributes {
  readonly #pairs: readonly Pair[]
  readonly #firstOf = new Map<string, number>()
  readonly #taken = new Set<number>()

  constructor(attributes: readonly KeyValue[]) {
    this.#pairs = flattenAll(attributes)
    for (const [k, [name]] of this.#pairs.entries()) if (!this.#firstOf.has(name)) this.#firstOf.set(name, k)
  }

  /** The text of a name, which is then not among the rest. `isGood` may leave it there. */
  take(name: string, isGood: (text: string) => boolean = () => true): string | undefined {
    const at = this.#firstOf.get(name)
    const text = at === undefined ? undefined : this.#pairs[at]?.[1]
    if (at === undefined || text === undefined || !isGood(text)) return undefined
    this.#taken.add(at)
    return text
  }

  /** The texts of all names that begin so, under what follows, which are then not among the rest. */
  takeUnder(prefix: string): Record<string, string> {
    const names = [...this.#firstOf.keys()].filter((name) => name.startsWith(prefix))
    return Object.fromEntries(names.map((name) => [name.slice(prefix.length), this.take(name) ?? '']))
  }

  /** The text of a name, which stays. */
  peek(name: string): string | undefined {
    return this.#pairs[this.#firstOf.get(name) ?? -1]?.[1]
  }

  /** What was not taken, in order. */
  get rest(): readonly Pair[] {
    return this.#taken.size === 0 ? this.#pairs : this.#pairs.filter((_, k) => !this.#taken.has(k))
  }
}

// The same name may come several times. Names are bounded all together.
function flattenAll(attributes: readonly KeyValue[]): readonly Pair[] {
  let characters = 0
  return attributes.flatMap(([name, value]) => {
    const pairs = flattened(name, value)
    for (const [flat] of pairs) characters += flat.length
    if (characters > flatNameCharacters) throw tooLong(`they have more than ${flatNameCharacters} characters`)
    return pairs
  })
}

function flattened(name: string, value: Value): readonly Pair[] {
  try {
    return flatten({ [name]: shallow(value, 1) })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw tooLong(error.message)
  }
}

function tooLong(problem: string): AnnalsError {
  return new AnnalsError('INVALID_EVENT', `the names of attributes cannot be kept: ${problem}`, {
    field: 'attributes',
  })
}

// What is nested deeper than details may be is kept as its JSON.
function shallow(value: Value, depth: number): Value {
  if (typeof value !== 'object' || value === null) return value
  if (depth >= detailDepth) return JSON.stringify(value)
  if (isList(value)) return value.map((each) => shallow(each, depth + 1))
  const object: Record<string, Value> = Object.create(null)
  for (const name of Object.keys(value)) object[name] = shallow(value[name] ?? null, depth + 1)
  return object
}

function isList(value: readonly Value[] | { readonly [name: string]: Value }): value is readonly Value[] {
  return Array.isArray(value)
}
