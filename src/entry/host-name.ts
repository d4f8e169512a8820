// A node's name: it becomes part of the log's id, of its origin and of URLs, so it is a host name and nothing else.

import { hostNameCharacters } from '../limits.ts'

/** True for a host name of RFC 1123, section 2.1: labels of letters, digits and inner hyphens, joined by dots. */
export function isHostName(text: string): boolean {
  return text.length <= hostNameCharacters && text.split('.').every((label) => labelForm.test(label))
}

const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
