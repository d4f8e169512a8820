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
// for, is written as the three bytes that UTF-8 would have for it. Where such bytes together are a character, as nothing but
// a string that somebody made up says it (JSON's "\udcc3\udca4"), it is that character: the bytes are the same.

const clean = /^[ -"$-~]*$/
const cleanOfKept = /^[ -~]*$/
const toEscape = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff]|#(?=[0-7]{3})/u
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff]/u
const escapes = /#([0-3][0-7]{2})/g
const hasEscapes = /#[0-3][0-7]{2}/
const joinable = /[\udcc2-\udcf4][\udc80-\udcbf]/

/** Escapes text. */
export function escapeText(text: string): string {
  return clean.test(text) ? text : escapeWhole(joined(text))
}

function escapeWhole(text: string): string {
  return escapeFrom(text, text.search(toEscape), false)
}

function joined(text: string): string {
  return joinable.test(text) ? decodeText(unescape(escapeWhole(text))) : text
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
  const decoded = typeof text === 'string' ? joined(text) : decodeText(text)
  return cleanOfKept.test(decoded) ? decoded : escapeFrom(decoded, decoded.search(unprintable), true)
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
    return decodeLoosely(bytes)
  }
}

// By numbers, here and below: a sender may send a million of them, and a text for each takes a second.
function decodeLoosely(bytes: Uint8Array): string {
  // No character has more units than bytes.
  const units = new Uint16Array(bytes.length)
  let end = 0
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0
    const length = lengthOfCharacter(bytes, at)
    if (length === 0) units[end++] = 0xdc00 + first
    else if (length === 1) units[end++] = first
    else {
      let code = first & (0xff >> (length + 1))
      for (let k = 1; k < length; k++) code = (code << 6) | ((bytes[at + k] ?? 0) & 0x3f)
      if (code >= 0x10000) units[end++] = 0xd7c0 + (code >> 10)
      units[end++] = code >= 0x10000 ? 0xdc00 | (code & 0x3ff) : code
    }
    at += Math.max(length, 1)
  }
  return textOf(units, end)
}

// Table 3-7 of the Unicode Standard: the bytes of the well-formed character that begins at a place, or 0 where none does.
function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const second = bytes[at + 1] ?? 0
  if (second < (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80)) return 0
  if (second > (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf)) return 0
  for (let k = 2; k < length; k++) if (((bytes[at + k] ?? 0) & 0xc0) !== 0x80) return 0
  return length
}

// Of text where something is to be escaped, at `first` at the earliest; -1: nothing is.
function escapeFrom(text: string, first: number, isKept: boolean): string {
  if (first === -1) return text
  let escaped = text.slice(0, first)
  const units = new Uint16Array(unitsEach * Math.min(text.length - first, blockUnits + 1))
  for (let from = first; from < text.length;) {
    let to = Math.min(text.length, from + blockUnits)
    // Not between the halves of a character.
    if (isLow(text.charCodeAt(to))) to += 1
    escaped += textOf(units, escapeBlock(text, from, to, isKept, units))
    from = to
  }
  return escaped
}

// What is escaped in one go: a text of its own for each character would take a hundred times as long.
const blockUnits = 4_096
// What becomes of one unit at the most: three bytes, each `#ooo`.
const unitsEach = 12

// How many units it becomes.
function escapeBlock(text: string, from: number, to: number, isKept: boolean, units: Uint16Array): number {
  let end = 0
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === hash ? isKept || !isOctal(text, at + 1) : isPrintable(code)) units[end++] = code
    else if (isHigh(code) && isLow(text.charCodeAt(at + 1))) {
      units[end++] = code
      units[end++] = text.charCodeAt(++at)
    } else if (code < 0x80) end = putOctal(units, end, code)
    else if (code >= 0xdc80 && code <= 0xdcff) end = putOctal(units, end, code & 0xff)
    else {
      // Everything else that is escaped lies below U+10000.
      if (code >= 0x800) end = putOctal(units, end, 0xe0 | (code >> 12))
      end = putOctal(units, end, code >= 0x800 ? 0x80 | ((code >> 6) & 0x3f) : 0xc0 | (code >> 6))
      end = putOctal(units, end, 0x80 | (code & 0x3f))
    }
  }
  return end
}

const hash = 0x23

// The same as `unprintable`, of one unit; a surrogate is no character.
function isPrintable(code: number): boolean {
  if (code < 0x7f) return code >= 0x20
  return (
    code >= 0xa0 && (code < 0xd800 || code > 0xdfff) && code !== 0x2028 && code !== 0x2029 && code !== 0xfeff
  )
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

function isOctal(text: string, at: number): boolean {
  return isDigit(text.charCodeAt(at)) && isDigit(text.charCodeAt(at + 1)) && isDigit(text.charCodeAt(at + 2))
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x37
}

function putOctal(units: Uint16Array, end: number, byte: number): number {
  units[end] = hash
  units[end + 1] = 0x30 + (byte >> 6)
  units[end + 2] = 0x30 + ((byte >> 3) & 7)
  units[end + 3] = 0x30 + (byte & 7)
  return end + 4
}

// Text of ASCII takes one byte for each character, if it is made so.
function textOf(units: Uint16Array, end: number): string {
  let all = 0
  for (let k = 0; k < end; k++) all |= units[k] ?? 0
  return all < 0x80
    ? Buffer.from(units.subarray(0, end)).toString('latin1')
    : Buffer.from(units.buffer, 0, 2 * end).toString('utf16le')
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
