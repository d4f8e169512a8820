// Settings from the environment: `ANNALS_…`. A name that is none of ours is an error, because it is a typing error.

import { type Assignment, listSeparator, type Problem } from './assignment.ts'
import { type Setting, settings } from './setting.ts'
import { didYouMean } from './suggest.ts'

/** The variable that names the configuration file. */
export const fileVariable = 'ANNALS_CONFIG'

/** What an environment says. An empty variable says nothing, as in a compose file that passes one on unset. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = []
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('ANNALS_') || name === fileVariable || isServiceLink(name)) continue
    const setting = settings.find(({ variable }) => variable === name)
    if (setting === undefined) problems.push({ origin: name, message: unknownVariable(name) })
    else if (text !== undefined && text !== '')
      assignments.push({ setting, text: textOf(setting, text), origin: name, directory })
  }
  return { assignments, problems }
}

function textOf({ kind }: Setting, text: string): string {
  return kind === 'list' ? text.split(',').join(listSeparator) : text
}

function unknownVariable(name: string): string {
  const names = settings.map(({ variable }) => variable)
  if (names.includes(`${name}_FILE`)) return `secrets are given in files: set ${name}_FILE to a path`
  return `unknown environment variable${didYouMean(name, [...names, fileVariable])}`
}

// Kubernetes gives these to every container in the namespace of a service that is called "annals".
function isServiceLink(name: string): boolean {
  return /^ANNALS_(?:SERVICE_(?:HOST|PORT(?:_.+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/.test(
    name,
  )
}
