// `annals engines list`.

import { Command } from 'commander'
import type { Micros } from '../../entry/event.ts'
import { formatMicros } from '../../entry/time.ts'
import { type Engine, shownState } from '../../federation/engine.ts'
import { print, printJson, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { addEnginesOptions, isJson, openRegistry } from './open.ts'

const heading = [
  'ENGINE',
  'STATE',
  'SINCE',
  'LAST CONTACT',
  'ENTRIES',
  'VERSION',
  'CERTIFICATE UNTIL',
  'REASON',
]

/** Makes the command. */
export function enginesListCommand(surroundings: Surroundings): Command {
  const command = new Command('list')
    .summary('list the engines')
    .description('Lists the engines that have joined this portal. Times are in UTC.')
    .addHelpText(
      'after',
      '\nExamples:\n  annals engines list\n  annals engines list --json | jq -r \'.[] | select(.state == "UNREACHABLE").hostName\'',
    )
    .action(async () => {
      await using open = await openRegistry(command, surroundings)
      const engines = await open.registry.list()
      if (isJson(command)) printJson(surroundings, engines.map(summaryOf))
      else if (engines.length === 0)
        print(surroundings, 'No engine has joined: "annals engines token" lets one.')
      else print(surroundings, ...table(heading, engines.map(toRow)))
    })
  return addEnginesOptions(command)
}

/** What programs are told of each engine in a list. */
export function summaryOf(engine: Engine): object {
  const { hostName, unreachable, address, log, lastContact, described, certificate } = engine
  return {
    hostName,
    state: shownState(engine),
    since: formatMicros(sinceOf(engine)),
    reason: unreachable?.reason ?? null,
    address,
    log,
    logSize: described?.logSize ?? null,
    lastContact: orNull(lastContact),
    version: described?.version ?? null,
    certificateExpires: formatMicros(certificate.notAfter),
  }
}

/** Since when an engine is in the state that is shown. */
export function sinceOf({ unreachable, stateAt }: Engine): Micros {
  return unreachable?.since ?? stateAt
}

/** A time for programs. */
export function orNull(time: Micros | undefined): string | null {
  return time === undefined ? null : formatMicros(time)
}

function toRow(engine: Engine): string[] {
  const { hostName, lastContact, described, certificate, unreachable } = engine
  return [
    hostName,
    shownState(engine),
    minute(sinceOf(engine)),
    lastContact === undefined ? 'never' : minute(lastContact),
    described === undefined ? '-' : String(described.logSize),
    described?.version ?? '-',
    formatMicros(certificate.notAfter).slice(0, 10),
    unreachable?.reason ?? '',
  ]
}

function minute(time: Micros): string {
  return formatMicros(time).slice(0, 16).replace('T', ' ')
}
