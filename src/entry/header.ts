// The header of a message in the product's form: `[component|category|code|actor] message` (contract L4). Only the
// first `[…]` is read: messages hold `|` and `[]` themselves. Some of the product's templates have no category:
// `[component|code|actor] message`.

import { decodeText } from './escape.ts'

/** What a message's header says. */
export interface Header {
  readonly component: string
  readonly category: string | undefined
  /** The audit code, in decimal. */
  readonly code: string
  /** What is left of the header: an account whose name holds `]` is cut short there. */
  readonly actor: string
}

/** Reads a message's header; undefined where the message does not begin with one. */
export function readHeader(message: string | Uint8Array): Header | undefined {
  return typeof message === 'string' ? headerOf(message) : headerOf(decodeText(firstBracket(message)))
}

// A hundred thousand times a second: scans, which make nothing but what they find.
function headerOf(text: string): Header | undefined {
  if (text.charCodeAt(0) !== 0x5b) return undefined
  const first = text.indexOf('|')
  const end = text.indexOf(']')
  const second = text.indexOf('|', first + 1)
  if (first < 2 || second === -1 || second > end) return undefined
  const component = text.slice(1, first)
  const third = text.indexOf('|', second + 1)
  if (third !== -1 && third < end && isCode(text, second + 1, third)) {
    const category = second === first + 1 ? undefined : text.slice(first + 1, second)
    return { component, category, code: text.slice(second + 1, third), actor: text.slice(third + 1, end) }
  }
  if (!isCode(text, first + 1, second)) return undefined
  const [code, actor] = [text.slice(first + 1, second), text.slice(second + 1, end)]
  return { component, category: undefined, code, actor }
}

function isCode(text: string, start: number, end: number): boolean {
  if (end === start || end - start > 9) return false
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return false
  }
  return true
}

function firstBracket(message: Uint8Array): Uint8Array {
  return message[0] === 0x5b ? message.subarray(0, message.indexOf(0x5d) + 1) : new Uint8Array()
}

/** The header, as a message begins with it: `readHeader` finds the same code in it, whatever the actor is called. */
export function renderHeader({ component, category, code, actor }: Header): string {
  // Without a category, an actor `29001|x` would be read as a code with its actor.
  const missing = /^[0-9]{1,9}\|/.test(actor) ? '|' : ''
  return `[${component}|${category === undefined ? missing : `${category}|`}${code}|${actor}]`
}
