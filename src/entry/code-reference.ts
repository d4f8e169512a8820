// The reference of the audit codes, made from the catalogue.

import { catalogue, type AuditCode, type Family, fieldsOf } from './catalogue.ts'

const titles: Record<Family, string> = {
  Portal: 'Portal',
  Engine: 'Engine',
  Console: 'Console',
  Infinity: 'Infinity',
  Node: 'Annals itself (any node, category AUDIT)',
}

/** The Markdown of `docs/reference/codes.md`. */
export function codeReference(): string {
  const families = Map.groupBy(catalogue, ({ family }) => family)
  const sections = [...families].map(([family, codes]) => section(titles[family], codes))
  return [head, ...sections].join('\n')
}

const head = `# Audit codes

What is known of the product's codes, from its public documentation, and our own in the range 29000 to 29999, which it
leaves free. The key is component and code: two of the Console's codes stand for two events each. A template's
placeholders stand in braces, and beside it the \`fields\` that fill them in when an event is recorded;
\`account\` is the actor and \`sessionId\` the session unless they are given. An empty cell is not documented; "as documented" errors are kept as they are.
`

function section(title: string, codes: readonly AuditCode[]): string {
  const rows = codes.map(
    ({ code, category, description, template, templateStatus, note }) =>
      `| ${code} | ${cell(category)} | ${cell(description)} | ${template === undefined ? '' : `\`${cell(template)}\``} | ${fieldList(template)} | ${[
        templateStatus === 'documented' || templateStatus === 'ours' || template === undefined
          ? ''
          : templateStatus,
        cell(note),
      ]
        .filter((text) => text !== '')
        .join('; ')} |`,
  )
  return [
    `## ${title}`,
    '',
    '| code | category | event | template | fields | remark |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function fieldList(template: string | undefined): string {
  return template === undefined
    ? ''
    : fieldsOf(template)
        .map((name) => `\`${name}\``)
        .join(', ')
}

function cell(text: string | undefined): string {
  return (text ?? '').replaceAll('|', '\\|')
}
