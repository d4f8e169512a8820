// JSON with numbers that JavaScript would read as other ones, such as the 64-bit ids of programs in other languages: they
// are kept as they are written.

/** Reads JSON. A whole number beyond ±2^53, and one that is too large for a double, is a text. Throws as `JSON.parse`. */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return suspect.test(text) ? JSON.parse(withQuotes(text)) : value
}

// Almost no text has such a number.
const suspect = /[:[,]\s*-?(?:[0-9]{16}|[0-9.]+[eE]\+?[0-9]{3})/

// Quotes around such numbers. By hand: telling `JSON.parse` of each value takes seconds for a few megabytes of them.
function withQuotes(text: string): string {
  let quoted = ''
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfText(text, at)
    else if (code === minus || isDigit(code)) {
      const end = endOfNumber(text, at)
      if (end - at >= leastLength && isRounded(text.slice(at, end))) {
        quoted += `${text.slice(copied, at)}"${text.slice(at, end)}"`
        copied = end
      }
      at = end - 1
    }
  }
  return quoted + text.slice(copied)
}

const [quote, backslash, minus] = [0x22, 0x5c, 0x2d]
const leastLength = '1e309'.length

function isRounded(written: string): boolean {
  const number = Number(written)
  return !Number.isFinite(number) || (/^-?[0-9]+$/.test(written) && !Number.isSafeInteger(number))
}

// The quote that ends it.
function endOfText(text: string, start: number): number {
  let at = start + 1
  for (; text.charCodeAt(at) !== quote; at++) if (text.charCodeAt(at) === backslash) at++
  return at
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (isDigit(text.charCodeAt(at)) || others.has(text.charCodeAt(at))) at++
  return at
}

const others: ReadonlySet<number> = new Set(Buffer.from('+-.eE'))

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
