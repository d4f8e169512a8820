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

const byFamily = new Map(
  [...Map.groupBy(catalogue, ({ family }) => family)].map(([family, all]) => [
    family,
    Map.groupBy(all, ({ code }) => code),
  ]),
)

/** The events of a component's code: none, one, or two. A component that is no other's name is an engine's. */
export function lookUp(component: string, code: number | string): readonly AuditCode[] {
  const family =
    component === 'Portal' || component === 'Console' || component === 'Infinity' ? component : 'Engine'
  const number = Number(code)
  return byFamily.get(family)?.get(number) ?? byFamily.get('Node')?.get(number) ?? []
}

const placeholder = /\{([^}]*)\}/

/** The names of a template's placeholders as identifiers, each once, in their order. */
export function fieldsOf(template: string): readonly string[] {
  return partsOf(template).fields
}

/** A placeholder's name as an identifier: `session id` is `sessionId`, `0` is `arg0`. */
export function identifierOf(name: string): string {
  if (/^[0-9]+$/.test(name)) return `arg${name}`
  const [first = '', ...others] = name.split(/[ _]+/).map((word) => word.toLowerCase())
  return first + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

/** Puts fields, named as `fieldsOf` says, into a template. Throws a TypeError where one is missing. */
export function renderTemplate(template: string, fields: Readonly<Partial<Record<string, string>>>): string {
  const { texts, names } = partsOf(template)
  let rendered = texts[0] ?? ''
  for (let k = 0; k < names.length; k += 1) {
    const name = names[k] ?? ''
    const value = fields[name]
    if (value === undefined) throw new TypeError(`the template "${template}" needs the field ${name}`)
    rendered += value + (texts[k + 1] ?? '')
  }
  return rendered
}

/** A code's message behind its header, with placeholders; undefined where the documentation has none. */
export function textTemplateOf({ template }: AuditCode): string | undefined {
  return template === undefined ? undefined : partsOf(template).text
}

// A template as it is filled in: texts, and between them the identifiers of its placeholders.
interface Parts {
  readonly texts: readonly string[]
  readonly names: readonly string[]
  readonly fields: readonly string[]
  /** The template without the header that it begins with. */
  readonly text: string
}

// There are as many as the catalogue has, and each is taken apart once.
const taken = new Map<string, Parts>()

function partsOf(template: string): Parts {
  const known = taken.get(template)
  if (known !== undefined) return known
  const pieces = template.split(placeholder)
  const names = pieces.filter((_, k) => k % 2 === 1).map(identifierOf)
  const parts = {
    texts: pieces.filter((_, k) => k % 2 === 0),
    names,
    fields: [...new Set(names)],
    text: template.replace(/^\[[^\]]*\] /, ''),
  }
  taken.set(template, parts)
  return parts
}
