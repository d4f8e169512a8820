// The soak's account as people read it.

import { formatTable } from '../report.ts'
import { formatFigure } from '../harness.ts'
import type { MemorySample } from './killed-server.ts'
import type { SoakReport } from './run-soak.ts'

/** How the account came about. */
export interface SoakCircumstances {
  readonly minutes: number
  readonly machine: string
  readonly command: string
}

const columns = [
  ['sender', 'name'],
  ['sent', 'sent'],
  ['acknowledged', 'acknowledged'],
  ['of these, when sent again', 'acknowledgedAgain'],
  ['refused', 'refused'],
  ['never told', 'unknown'],
  ['of these, present', 'unknownPresent'],
  ['present', 'present'],
  ['doubled', 'doubled'],
  ['lost', 'lost'],
  ['misplaced', 'misplaced'],
] as const

/** The account in Markdown. */
export function renderSoak(report: SoakReport, { minutes, machine, command }: SoakCircumstances): string {
  const { accounts, faults, kills, log, tally } = report
  const rows = accounts.map((account) =>
    columns.map(([, name]) => {
      const value = account[name]
      return typeof value === 'number' ? value.toLocaleString('en-GB') : value
    }),
  )
  const seconds = minutes * 60
  return [
    `Soak of ${minutes} minutes, ${kills} times kill -9. \`${command}\`. ${machine}.`,
    formatTable(
      columns.map(([title]) => title),
      rows,
    ),
    [
      faults.length === 0
        ? '- All that was acknowledged is in the log exactly once, at the position that was answered.'
        : faults.map((fault) => `- **${fault}**`).join('\n'),
      '- Syslog over TCP has no acknowledgement: what is sent and not present was on its way when the server was killed.',
      `- The log: ${log.lines.toLocaleString('en-GB')} lines, ${formatFigure(log.bytes / 1e6)} MB, ${formatFigure(log.lines / seconds)} a second, kills and restarts included; ${log.others.toLocaleString('en-GB')} of them the node's own. \`annals check\`: ${report.check.split('\n').at(-1)}`,
      `- Answers that were no acknowledgement: ${list(tally)}. Losses that the log itself tells of: ${log.losses.toLocaleString('en-GB')}.`,
      `- Resident memory: ${describeMemory(report.memory)}`,
    ].join('\n'),
  ].join('\n\n')
}

/** The most memory of each life, and of its samples the last. */
export function memoryByLife(
  samples: readonly MemorySample[],
): { life: number; most: number; last: number }[] {
  return [...Map.groupBy(samples, ({ life }) => life)].map(([life, own]) => ({
    life,
    most: Math.max(...own.map(({ megabytes }) => megabytes)),
    last: own.at(-1)?.megabytes ?? 0,
  }))
}

function describeMemory(samples: readonly MemorySample[]): string {
  const lives = memoryByLife(samples)
  const most = Math.max(...lives.map(({ most }) => most))
  const series = lives.map(({ most }) => most.toFixed(0)).join(', ')
  return `at the most ${most.toFixed(0)} MB; the most of each life in MB: ${series}.`
}

function list(tally: ReadonlyMap<string, number>): string {
  if (tally.size === 0) return 'none'
  return Array.from(tally, ([what, count]) => `${what}: ${count.toLocaleString('en-GB')}`).join(', ')
}
