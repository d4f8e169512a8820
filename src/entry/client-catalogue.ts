// The catalogue as types of the client library, made from the catalogue: which fields an event of a code must have, and
// which component it is of.

import { type AuditCode, fieldsOf, productCodes, textTemplateOf } from './catalogue.ts'

/** The TypeScript of `client/src/catalogue.ts`. */
export function clientCatalogue(): string {
  const codes = [...Map.groupBy(productCodes, ({ code }) => code).values()].flatMap(only)
  codes.sort((one, other) => one.code - other.code)
  const named = codes.filter(({ family }) => family !== 'Engine')
  const templated = codes.filter(({ template }) => template !== undefined)
  return [
    head,
    'export interface Catalogue {',
    ...codes.flatMap(entry),
    '}',
    '',
    "/** The component of each code that is not an engine's. */",
    'export const componentOfCode: Readonly<Record<number, string>> = {',
    ...named.map(({ code, family }) => `  ${code}: '${family}',`),
    '}',
    '',
    '/** The codes that have a template, so that an event of theirs needs no message. */',
    'export const isTemplated: Readonly<Record<number, true>> = {',
    ...templated.map(({ code }) => `  ${code}: true,`),
    '}',
    '',
  ].join('\n')
}

const head = `// The audit codes as types. Generated from the server's catalogue: do not change it here (npm run docs).

import type { FieldValue } from './event.ts'

interface Worded {
  readonly actor: string
  readonly message: string
}

/** What an event of each code says, besides what any event may. */`

// Of a code that stands for two events, the first one that has a template is meant, as the server does it.
function only(rows: readonly AuditCode[]): readonly AuditCode[] {
  const [first] = rows
  if (first === undefined || rows.some(({ family }) => family !== first.family))
    throw new TypeError(`code ${first?.code} is of several components: the client finds codes by number`)
  return [first]
}

function entry(code: AuditCode): string[] {
  const component = code.family === 'Engine' ? 'string' : `'${code.family}'`
  const doc = `  /** ${code.description.replaceAll('*/', '* /').replaceAll('\n', ' ')} */`
  if (code.template === undefined)
    return [doc, `  ${code.code}: Worded & { readonly component?: ${component} }`]
  const fields = fieldLines(code)
  const given = code.actor?.includes('{') === true || code.actor === undefined
  return [
    doc,
    `  ${code.code}: {`,
    `    readonly component?: ${component}`,
    `    readonly actor${given ? '' : '?'}: string`,
    ...fields,
    '  }',
  ]
}

// What the server takes from elsewhere in the event may be left out. What stands in the header alone is the component's
// and the actor's.
function fieldLines(code: AuditCode): string[] {
  const names = fieldsOf(textTemplateOf(code) ?? '')
  if (names.length === 0) return ['    readonly fields?: Readonly<Record<string, never>>']
  const elsewhere = ['sessionId', 'engineName', ...(code.actor === '{account}' ? ['account'] : [])]
  const isNeeded = (name: string) => !elsewhere.includes(name)
  const lines = names.map((name) => `      readonly ${name}${isNeeded(name) ? '' : '?'}: FieldValue`)
  return [`    readonly fields${names.some(isNeeded) ? '' : '?'}: {`, ...lines, '    }']
}
