// A benchmark's outcome as people read it: printed, and as its section of RESULTS.md. A section stands between
// two marks and is replaced as a whole, so that a run of one benchmark leaves the others' figures alone.

import { readFileSync, writeFileSync } from 'node:fs'
import type { Benchmark, Outcome } from './benchmark.ts'
import { type Comparison, formatFigure, isReached, type Spread, spreadOf } from './harness.ts'

/** How the figures came about. */
export interface Circumstances {
  readonly date: string
  readonly command: string
  readonly machine: string
  readonly rounds: number
}

const preface = `# What Annals reaches

Each section is written by the command that it names (\`npm run bench -- NAME\`), peer and Annals in the same run.
Ratios are medians over rounds in which both took turns; in brackets the least and the greatest. "Missed" stays
here as it was measured.
`

/** The outcome as a section in Markdown. */
export function renderSection(benchmark: Benchmark, outcome: Outcome, circumstances: Circumstances): string {
  const { date, command, machine, rounds } = circumstances
  return [
    `## ${benchmark.name}: ${benchmark.title}`,
    `${date}, \`${command}\`, ${rounds} rounds. ${machine}.`,
    formatTable(['measured', 'median', 'least – greatest', 'unit'], outcome.measured.map(measuredRow)),
    formatTable(
      ['ratio', 'median (least – greatest)', 'must be', 'reached'],
      outcome.comparisons.map(comparisonRow),
    ),
    outcome.notes.map((note) => `- ${note}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Puts a section into the file, in the place of the one of the same name, or behind the last. */
export function updateResults(file: string, name: string, section: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const text = readIfThere(file) ?? preface
  const marked = `${begin}\n\n${section}\n\n${end}`
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  const updated =
    from === -1 || to === -1
      ? `${text.trimEnd()}\n\n${marked}\n`
      : text.slice(0, from) + marked + text.slice(to + end.length)
  writeFileSync(file, updated)
}

/** A table in Markdown, its columns padded as the formatter pads them. Nothing where there are no rows. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  )
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...rows]
  return lines
    .map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n')
}

function measuredRow({ name, unit, figures }: Outcome['measured'][number]): string[] {
  const { median, min, max } = spreadOf(figures)
  return [name, formatFigure(median), `${formatFigure(min)} – ${formatFigure(max)}`, unit]
}

function comparisonRow(comparison: Comparison): string[] {
  const { title, ratio, bar } = comparison
  if (bar === undefined) return [title, formatSpread(ratio), '–', '–']
  const sign = bar.kind === 'at least' ? '≥' : '≤'
  return [title, formatSpread(ratio), `${sign} ${bar.value}`, isReached(comparison) ? 'yes' : '**missed**']
}

function formatSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
