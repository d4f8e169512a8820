// Headers that many answers share, as the flat name-value lists that `writeHead` takes without a copy.

/** On every answer: it is data, never a page, and nobody may guess another type or frame it. */
export const everyAnswer: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
]

/** On what nobody may keep: refusals and states. */
export const neverStored: readonly string[] = ['Cache-Control', 'no-store']

/** On answers of a log (R4): the caller alone may keep them, and asks each time whether they still hold. */
export const revalidated: readonly string[] = [
  'Cache-Control',
  'private, no-cache',
  'Vary',
  'Authorization, Accept-Encoding',
]
