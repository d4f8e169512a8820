// `annals import`: history, from log files that others wrote, into a log that has no entry yet.

import { mkdir } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { formatMicros } from '../entry/time.ts'
import type { FileAccount, ImportAccount } from '../intake/import.ts'
import { importFiles } from '../intake/import.ts'
import { lockData } from '../log/lock.ts'
import { systemClock } from '../ops/clock.ts'
import { addConfigurationOptions, configurationOf } from './configuration-options.ts'
import { startProgress } from './progress.ts'
import { note, print, printJson, type Surroundings } from './surroundings.ts'

interface ImportFlags {
  readonly year?: number
  readonly timeZone?: string
  readonly acceptDisorder?: boolean
  readonly json?: boolean
}

/** Makes the command. */
export function importCommand(surroundings: Surroundings): Command {
  const command = new Command('import')
    .summary('import existing log files into an empty log')
    .description(
      'Imports log files that others wrote into a log that has no entry yet: before the first "annals serve", or ' +
        'into another data directory. RFC 5424, ISO and traditional syslog lines are read; a line in none of these ' +
        'forms is kept whole and marked. Each entry gets the time of its line. Nothing is written unless all of it ' +
        'can be.',
    )
    .argument('<FILE...>', 'log files, in the order of their times: the oldest first')
    .option(
      '--year <YEAR>',
      'the year of the first line without one ("Dec 24 14:00:00"); raised at each step from December to January ' +
        '(default: found from when the file was last written, and printed)',
      parseYear,
    )
    .option(
      '--accept-disorder',
      'import also where more than 1 % of the lines are earlier, by more than an hour, than the line before them',
    )
    .option('--json', 'print the account as JSON')
    .addHelpText('after', examples)
  addConfigurationOptions(command, ['data', 'hostName', 'timeZone'])
  return command.action(async (files: string[], flags: ImportFlags) => {
    await run(surroundings, command, files, flags)
  })
}

const examples = `
Without an offset, times are those of --time-zone, which for this command is the files'.

Examples:
  annals import --year 2025 --time-zone Europe/Zurich audit.log.2 audit.log.1 audit.log
  annals import portal.log && annals serve`

function parseYear(text: string): number {
  if (/^[0-9]{4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a year of four digits, such as 2025.')
}

async function run(
  surroundings: Surroundings,
  command: Command,
  files: readonly string[],
  flags: ImportFlags,
): Promise<void> {
  const { data, hostName, timeZone } = configurationOf(command, surroundings)
  await mkdir(data, { recursive: true, mode: 0o700 })
  using _lock = lockData(data, 'annals import')
  using bar = startProgress(surroundings, 'importing')
  const account = await importFiles({
    data,
    files,
    hostName,
    component: 'Portal',
    timeZone,
    ...(flags.year === undefined ? {} : { year: flags.year }),
    ...(flags.acceptDisorder === undefined ? {} : { acceptDisorder: flags.acceptDisorder }),
    actor: `*cli:${surroundings.user}`,
    now: systemClock().wallMicros(),
    progress: (bytes, ofBytes) => bar.show(bytes, ofBytes),
  })
  bar[Symbol.dispose]()
  if (flags.json === true) printJson(surroundings, jsonOf(account))
  else tell(surroundings, account)
}

function tell(surroundings: Surroundings, account: ImportAccount): void {
  for (const file of account.files) print(surroundings, ...describe(file))
  print(surroundings, `${account.entries} entries, ${account.bytes} bytes, in the log ${account.log}.`)
  if (account.files.some(({ keptRaw }) => keptRaw > 0)) {
    note(surroundings, 'lines that could not be read are kept whole, with the time of the line before them')
  }
}

function describe(file: FileAccount): string[] {
  const { lines, parsed, keptRaw, blank, raised, firstTime, lastTime, year } = file
  const described = [
    `${file.file}: ${lines} lines = ${parsed} parsed + ${keptRaw} kept raw + ${blank} blank; ${raised} raised in time`,
  ]
  if (firstTime !== undefined && lastTime !== undefined) {
    described.push(`  from ${formatMicros(firstTime)} to ${formatMicros(lastTime)}`)
  }
  if (year !== undefined) described.push(`  the first line without a year was read as one of ${year}`)
  for (const { number, reason } of file.rawLines) described.push(`  line ${number} kept raw: ${reason}`)
  if (keptRaw > file.rawLines.length)
    described.push(`  and ${keptRaw - file.rawLines.length} more lines kept raw`)
  return [...described, `  SHA-256 ${file.sha256}`]
}

function jsonOf({ log, entries, bytes, files }: ImportAccount): unknown {
  return {
    log,
    entries,
    bytes,
    files: files.map((file) => ({
      file: file.file,
      sha256: file.sha256,
      lines: file.lines,
      parsed: file.parsed,
      keptRaw: file.keptRaw,
      blank: file.blank,
      raised: file.raised,
      year: file.year ?? null,
      firstTime: file.firstTime === undefined ? null : formatMicros(file.firstTime),
      lastTime: file.lastTime === undefined ? null : formatMicros(file.lastTime),
      rawLines: file.rawLines,
    })),
  }
}
