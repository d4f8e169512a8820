// Where a JSON text is broken and why, for whoever wrote it. Pure; of the text itself nothing is repeated.

/** What is wrong with a text that `JSON.parse` has refused with `cause`. */
export function jsonProblem(text: string, cause: unknown): string {
  if (text.startsWith('\ufeff'))
    return 'it begins with a byte order mark, which JSON does not have (RFC 8259 section 8.1)'
  if (text.trim() === '') return 'it is empty'
  const { message } = cause instanceof Error ? cause : new Error()
  if (message.startsWith('Unexpected end') || message.startsWith('Unterminated string'))
    return 'it ends in the middle'
  const at = placeIn(text, message)
  if (at === undefined) return 'it is something else'
  if (at >= text.length) return 'it ends in the middle'
  const place = placeText(text, at)
  if (message.includes(' after JSON at ')) return `${place} it has ended, and something follows`
  // What is expected never holds a part of the text; what was found may.
  const [, expected] = /^(Expected .*) in JSON at position /.exec(message) ?? []
  return `${place} it is broken${expected === undefined ? '' : `: ${expected.toLowerCase()}`}`
}

// V8 tells either the position, or the character there with at most ten characters on either side of it.
function placeIn(text: string, message: string): number | undefined {
  const [, position] = / JSON at position ([0-9]+)/.exec(message) ?? []
  if (position !== undefined) return Number(position)
  const [, found, before, around, behind] =
    /^Unexpected token '(.+?)', (\.\.\.)?"(.*)"(\.\.\.)? is not valid JSON$/s.exec(message) ?? []
  if (found === undefined || around === undefined) return undefined
  const isWhole = before === undefined && behind === undefined
  const known = isWhole ? found : around
  let at = text.indexOf(known) + (isWhole ? 0 : contextCharacters)
  if (before === undefined && behind !== undefined) at = around.length - contextCharacters
  if (before !== undefined && behind === undefined) at = text.length - around.length + contextCharacters
  // Better nothing than another place.
  const isOnly = text.indexOf(known) === text.lastIndexOf(known)
  return isOnly && text.startsWith(found, at) ? at : undefined
}

const contextCharacters = 10

function placeText(text: string, at: number): string {
  const line = text.slice(0, at).split('\n').length
  const column = at - text.lastIndexOf('\n', at - 1)
  return line === 1 ? `at character ${at + 1}` : `in line ${line} at character ${column}`
}
