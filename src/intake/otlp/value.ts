// Values of attributes and bodies, whatever they were encoded in, in the words of JSON.

import type { Micros } from '../../entry/event.ts'

/**
 * A value as JSON has it. Integers that JavaScript has no number for are their decimal text, bytes are Base64, and numbers
 * that JSON has not are `NaN`, `Infinity` and `-Infinity`.
 */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }

/** A named value. */
export type KeyValue = readonly [name: string, value: Value]

/** An instant in nanoseconds as ours; undefined where it is 0, which says that it is not known. */
export function microsOf(nanos: bigint): Micros | undefined {
  return nanos === 0n ? undefined : Number(nanos / 1000n)
}

/** An integer as a value. */
export function integer(whole: bigint): Value {
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : String(whole)
}

/** A floating-point number as a value. */
export function real(number: number): Value {
  return Number.isFinite(number) ? number : String(number)
}

/** Named values as one value. A name such as `__proto__` is a name like any other. */
export function objectOf(pairs: readonly KeyValue[]): Value {
  const object: Record<string, Value> = Object.create(null)
  for (const [name, value] of pairs) object[name] = value
  return object
}
