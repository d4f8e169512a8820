// What `src/tree` and `src/verify` ask of node:assert, in a browser.

/** Throws where a condition does not hold. */
export default function assert(condition: unknown, message = 'a broken invariant'): asserts condition {
  if (!condition) throw new Error(message)
}
