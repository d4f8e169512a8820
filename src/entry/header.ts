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

const form = /^\[([^|\]]+)\|(?:([^|\]]*)\|)?([0-9]{1,9})\|([^\]]*)\]/

/** Reads a message's header; undefined where the message does not begin with one. */
export function readHeader(message: string | Uint8Array): Header | undefined {
  const found = form.exec(typeof message === 'string' ? message : decodeText(firstBracket(message)))
  if (found === null) return undefined
  const [, component = '', category = '', code = '', actor = ''] = found
  return { component, category: category === '' ? undefined : category, code, actor }
}

function firstBracket(message: Uint8Array): Uint8Array {
  return message[0] === 0x5b ? message.subarray(0, message.indexOf(0x5d) + 1) : new Uint8Array()
}

/** The header, as a message begins with it. */
export function renderHeader({ component, category, code, actor }: Header): string {
  return `[${component}|${category === undefined ? '' : `${category}|`}${code}|${actor}]`
}
