// Text that a server sent, made fit to be read and shown: bounded, and without anything a terminal would obey.

import { fetchMessageCharacters } from '../../limits.ts'
import type { HttpBody } from './http-body.ts'
import { connectionSetback } from './setback.ts'

/** The first bytes of a body, as text. The rest is not read. Throws a `Setback`. */
export async function bodyText(body: HttpBody, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= maxBytes) break
    }
  } catch (error) {
    throw connectionSetback(error)
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString()
}

/** One line that can be shown on a terminal. */
export function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > fetchMessageCharacters ? `${line.slice(0, fetchMessageCharacters)}…` : line
}

/** What JSON a text is; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
