// How any bytes become one line of printable text, and back (contract L3): each byte that is not part of a
// well-formed, printable UTF-8 character is written `#ooo`, three octal digits, and a `#` that stands before three
// octal digits as `#043`. So `unescape` gives back exactly what was escaped, for every byte string.
//
//   caf\xe9 (Latin-1)   caf#351          a tab b   a#011b          #123 as typed   #043123
//
// U+FEFF is escaped too: unescaped at the head of a message, RFC 5424 would have a reader drop it.
//
// A string stands for bytes that are no UTF-8 by lone surrogates, the byte b as U+DC00 + b (as Python's PEP 383 does),
// so that text read from bytes can go through strings without loss. Any other lone surrogate, which no bytes stand
// for, is written as the three bytes that UTF-8 would have for it.

const clean = /^[ -"$-~]*$/
const toEscape = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff]|#(?=[0-7]{3})/gu
const toEscapeOfKept = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff]/gu
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff]/u
const escapes = /#([0-3][0-7]{2})/g
const hasEscapes = /#[0-3][0-7]{2}/

/** Escapes text. */
export function escapeText(text: string): string {
  return clean.test(text) ? text : text.replace(toEscape, escapeCharacter)
}

/** Escapes bytes, whatever they hold. */
export function escapeBytes(bytes: Uint8Array): string {
  const latin1 = latin1Of(bytes)
  return clean.test(latin1) ? latin1 : escapeText(decodeText(bytes))
}

/**
 * Escapes what has been escaped before, by us or by rsyslog: `#ooo` is kept, and only what must not stand in a line
 * is escaped (L3, the last two forms of L5).
 */
export function escapeKept(text: string | Uint8Array): string {
  const decoded = typeof text === 'string' ? text : decodeText(text)
  return clean.test(decoded) ? decoded : decoded.replace(toEscapeOfKept, escapeCharacter)
}

/** The bytes that escaped text stands for. */
export function unescape(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  if (!hasEscapes.test(text)) return bytes
  const decoded = latin1Of(bytes).replace(escapes, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return Buffer.from(decoded, 'latin1')
}

/** Where the first character stands that no line may hold, or -1. */
export function indexOfUnprintable(text: string): number {
  return clean.test(text) ? -1 : text.search(unprintable)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as text; bytes that are no UTF-8 become lone surrogates. Escaping the one or the other gives the same. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return latin1Of(bytes).replace(pieces, decodePiece)
  }
}

// Table 3-7 of the Unicode Standard, in bytes: runs of well-formed characters, or one byte that is part of none.
const pieces = new RegExp(
  [
    '[\\x80-\\xff]',
    '[\\xc2-\\xdf][\\x80-\\xbf]',
    '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
    '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
    '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
    '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
    '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
    '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
  ]
    .toReversed()
    .join('|'),
  'g',
)

function decodePiece(piece: string): string {
  return piece.length === 1
    ? String.fromCharCode(0xdc00 + piece.charCodeAt(0))
    : Buffer.from(piece, 'latin1').toString()
}

// Everything that is escaped lies below U+10000.
function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x80) return octal(code)
  if (code < 0x800) return octal(0xc0 | (code >> 6)) + octal(0x80 | (code & 0x3f))
  if (code >= 0xdc80 && code <= 0xdcff) return octal(code & 0xff)
  return octal(0xe0 | (code >> 12)) + octal(0x80 | ((code >> 6) & 0x3f)) + octal(0x80 | (code & 0x3f))
}

function octal(byte: number): string {
  return `#${byte.toString(8).padStart(3, '0')}`
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
