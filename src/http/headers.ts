// Headers that many answers share, as the flat name-value lists that `writeHead` takes without a copy.

/** Those of every answer on a connection. */
export function everyAnswer(socket: object): readonly string[] {
  return 'encrypted' in socket ? everyAnswerOverTls : everyAnswerAtAll
}

// It is data, never a page, and nobody may guess another type, frame it, or make a page of another site load it.
const everyAnswerAtAll: readonly string[] = [
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy',
  'same-origin',
]

// A browser that came over TLS once comes over nothing else for a year (RFC 6797). Other hosts are none of our business.
const everyAnswerOverTls: readonly string[] = [
  ...everyAnswerAtAll,
  'Strict-Transport-Security',
  'max-age=31536000',
]

/** On what nobody may keep: refusals and states. */
export const neverStored: readonly string[] = ['Cache-Control', 'no-store']

/** On public documents that change now and then: keys, metadata. */
export const kept: readonly string[] = ['Cache-Control', 'public, max-age=300']

/** On answers of a log (R4): the caller alone may keep them, and asks each time whether they still hold. */
export const revalidated: readonly string[] = [
  'Cache-Control',
  'private, no-cache',
  'Vary',
  'Authorization, Accept-Encoding',
]
