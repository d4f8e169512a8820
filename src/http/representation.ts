// Which answer a request gets from a content: nothing new, all of it, a part of it, or no such part
// (RFC 9110 section 13.2.2: the conditions in their order). Pure.

import type { Asked } from './asked.ts'
import type { Content } from './content.ts'
import { entityTag, heldCoding } from './etag.ts'
import type { Coding } from './negotiate.ts'
import { parseRange, type Part } from './range.ts'

/** The answer that was chosen. */
export type Representation =
  | { readonly kind: 'not-modified'; readonly etag: string }
  | { readonly kind: 'whole'; readonly etag: string; readonly coding: Coding }
  | { readonly kind: 'part'; readonly etag: string; readonly part: Part }
  | { readonly kind: 'unsatisfiable' }

/**
 * Chooses. `rangeHolds` is false where an If-Range named something that this content is not: the Range is
 * then ignored.
 */
export function represent(asked: Asked, content: Content, rangeHolds: boolean): Representation {
  const coding = codingFor(asked, content)
  const held = heldCoding(asked.ifNoneMatch, content.tag, coding, asked.acceptance)
  if (held !== undefined) return { kind: 'not-modified', etag: entityTag(content.tag, held) }
  const etag = entityTag(content.tag, coding)
  const mayPart = rangeHolds && matches(asked.ifMatch, etag)
  const part = mayPart ? parseRange(asked.range, content.bytes) : undefined
  if (part === undefined) return { kind: 'whole', etag, coding }
  return part === 'unsatisfiable' ? { kind: 'unsatisfiable' } : { kind: 'part', etag, part }
}

// Nothing gets no smaller by being compressed.
function codingFor(asked: Asked, content: Content): Coding {
  return content.bytes === 0 && asked.acceptance.identity ? 'identity' : asked.coding
}

// An If-Match that fails ought to be 412, for which the contract has no code. Ignoring only the Range keeps
// what it is there for: nobody joins parts of two different answers.
function matches(ifMatch: string | undefined, etag: string): boolean {
  return ifMatch === undefined || ifMatch.trim() === '*' || ifMatch.includes(etag)
}
