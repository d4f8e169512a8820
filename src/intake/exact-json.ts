// JSON with numbers that JavaScript would read as other ones, such as the 64-bit ids of programs in other languages: they
// are kept as they are written.

/** Reads JSON. A whole number beyond ±2^53, and one that is too large for a double, is a text. Throws as `JSON.parse`. */
export function parseExactly(text: string): unknown {
  return suspect.test(text) ? JSON.parse(text, asWritten) : JSON.parse(text)
}

// Almost no text has such a number, and looking at each value takes three times as long.
const suspect = /[:[,]\s*-?(?:[0-9]{16}|[0-9.]+[eE]\+?[0-9]{3})/

function asWritten(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const { source = String(value) } = context ?? {}
  return !Number.isFinite(value) || /^-?[0-9]+$/.test(source) ? source : value
}
