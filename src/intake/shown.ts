// What a caller sent, as it is told again.

import { shownCharacters } from '../limits.ts'

/** The beginning of a text, with a mark where it was cut. */
export function shown(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}
