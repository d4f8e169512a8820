// `annals check`: derives everything again from the log's text, and compares.

import { Command } from 'commander'
import { formatMicros } from '../entry/time.ts'
import { AnnalsError } from '../errors.ts'
import { type CheckReport, checkLog } from '../log/check.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { startProgress } from './progress.ts'
import { print, printJson, type Surroundings } from './surroundings.ts'

const more = `
Reads the whole log, changes nothing, and may run beside a portal. Faults of the text are damage (exit code 3). Faults
of what is derived from it, indexes and tiles, are said, and mended by the portal when it meets them.

Examples:
  annals check --data /var/lib/annals
  annals check --json | jq .root`

/** Makes the command. */
export function checkCommand(surroundings: Surroundings): Command {
  const command = new Command('check')
    .summary('check that the audit log is whole')
    .description(
      'Derives everything again from the text of the audit log, and compares it with what is stored.',
    )
    .addHelpText('after', more)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { data } = configurationOf(command, surroundings)
      using progress = startProgress(surroundings, 'checking')
      const report = await checkLog({ data, progress: (bytes, ofBytes) => progress.show(bytes, ofBytes) })
      progress[Symbol.dispose]()
      if (json) printJson(surroundings, toJson(report))
      else print(surroundings, ...toLines(report))
      const damage = report.faults.filter(({ of }) => of === 'text').length
      if (damage > 0) throw new AnnalsError('LOG_DAMAGED', 'the audit log is damaged')
    })
  return addConfigurationOptions(command, ['data']).option('--json', 'print JSON, for programs')
}

function toJson(report: CheckReport): object {
  const { log, origin, size, bytes, segments, firstTime, lastTime, root, head, faults, faultCount } = report
  return {
    log,
    origin,
    size,
    bytes,
    segments,
    firstTime: firstTime === undefined ? null : formatMicros(firstTime),
    lastTime: lastTime === undefined ? null : formatMicros(lastTime),
    root: rootText(root),
    headSize: head?.size ?? null,
    unfinishedBytes: report.unfinishedBytes,
    faultCount,
    faults,
  }
}

function toLines(report: CheckReport): string[] {
  const { log, size, bytes, segments, firstTime, lastTime, root, faults, faultCount, unfinishedBytes } =
    report
  const lines = [
    `log       ${log}`,
    `entries   ${size} (${bytes} bytes in ${segments} segments)`,
    ...(firstTime === undefined || lastTime === undefined
      ? []
      : [`recorded  ${formatMicros(firstTime)} to ${formatMicros(lastTime)}`]),
    `root      ${rootText(root)}`,
  ]
  if (unfinishedBytes > 0)
    lines.push(`unfinished ${unfinishedBytes} bytes at the end, which nobody was told are recorded`)
  lines.push(
    faultCount === 0
      ? 'No fault was found.'
      : `${faultCount} ${faultCount === 1 ? 'fault was' : 'faults were'} found:`,
  )
  for (const { of, message } of faults) lines.push(`  ${of === 'text' ? 'DAMAGE' : 'derived'}: ${message}`)
  if (faultCount > faults.length) lines.push(`  and ${faultCount - faults.length} more`)
  return lines
}

function rootText(root: CheckReport['root']): string {
  return Buffer.from(root, 'latin1').toString('base64')
}
