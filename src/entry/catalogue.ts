// The audit codes that are known of the product, from its public documentation (`audit-codes.json`), and our own
// (`own-codes.ts`): what each means, and the template of its message.
//
// A code is looked up with its component, and may stand for two events: the documentation gives two of the Console's
// codes twice. Then the first is meant where one is wanted. An engine's template says its own name as component.

import codes from './audit-codes.json' with { type: 'json' }
import { ownCodes } from './own-codes.ts'

/** Where a code belongs. `Node` is whatever node of ours writes the entry. */
export type Family = 'Portal' | 'Engine' | 'Console' | 'Infinity' | 'Node'

/** One audit event of the catalogue. */
export interface AuditCode {
  readonly family: Family
  readonly category: string | undefined
  readonly code: number
  readonly description: string
  /** The whole message, with placeholders such as `{session id}`; undefined where the documentation has none. */
  readonly template: string | undefined
  /** The actor as the template has it: `{account}`, `*system`, …. */
  readonly actor: string | undefined
  /** How sure the template is: `documented`, or how it was completed. */
  readonly templateStatus: string
  readonly categoryStatus: string
  /** What is odd about it. */
  readonly note: string | undefined
}

/** The product's events, in the order of its documentation. */
export const productCodes: readonly AuditCode[] = codes.map((row) => ({
  family: row.component as Family,
  category: row.category ?? undefined,
  code: row.code,
  description: row.description,
  template: row.template ?? undefined,
  actor: row.actor ?? undefined,
  templateStatus: row.template_status,
  categoryStatus: row.category_status,
  note: row.note,
}))

/** All events: the product's, then ours. */
export const catalogue: readonly AuditCode[] = [
  ...productCodes,
  ...ownCodes.map(({ code, description, template }) => ({
    family: 'Node' as const,
    category: 'AUDIT',
    code,
    description,
    template,
    actor: undefined,
    templateStatus: 'ours',
    categoryStatus: 'ours',
    note: undefined,
  })),
]

const byKey = Map.groupBy(catalogue, ({ family, code }) => `${family} ${code}`)

/** The events of a component's code: none, one, or two. A component that is no other's name is an engine's. */
export function lookUp(component: string, code: number | string): readonly AuditCode[] {
  const family =
    component === 'Portal' || component === 'Console' || component === 'Infinity' ? component : 'Engine'
  return byKey.get(`${family} ${code}`) ?? byKey.get(`Node ${code}`) ?? []
}

const placeholder = /\{([^}]*)\}/g

/** The names of a template's placeholders as identifiers, each once, in their order. */
export function fieldsOf(template: string): string[] {
  return [...new Set(Array.from(template.matchAll(placeholder), ([, name = '']) => identifierOf(name)))]
}

/** A placeholder's name as an identifier: `session id` is `sessionId`, `0` is `arg0`. */
export function identifierOf(name: string): string {
  if (/^[0-9]+$/.test(name)) return `arg${name}`
  const [first = '', ...others] = name.split(/[ _]+/).map((word) => word.toLowerCase())
  return first + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

/** Puts fields, named as `fieldsOf` says, into a template. Throws a TypeError where one is missing. */
export function renderTemplate(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (_, name: string) => {
    const value = fields[identifierOf(name)]
    if (value === undefined)
      throw new TypeError(`the template "${template}" needs the field ${identifierOf(name)}`)
    return value
  })
}
