// The reference of the command line, made from the commands' own help.

import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { exitCodes } from './exit-code.ts'
import { createProgram } from './program.ts'

/** The Markdown of `docs/reference/command-line.md`. */
export async function commandReference(): Promise<string> {
  const program = await createProgram(nowhere())
  const codes = Object.entries(exitCodes).map(([code, text]) => `| ${code} | ${text} |`)
  return [head, ...codes, '', ...leaves(program).flatMap(section)].join('\n')
}

const head = `# Command line

Results go to standard output, everything else to standard error. A command that fails says so in one line that begins with
\`annals:\`; \`--verbose\` says more. Commands that print data have \`--json\`.

| exit code | meaning |
|---|---|`

function leaves(command: Command): Command[] {
  return command.commands.filter((sub) => sub.name() !== 'help').flatMap((sub) => [sub, ...leaves(sub)])
}

function section(command: Command): string[] {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 100 })
  command.outputHelp()
  return [`## annals ${path(command)}`, '', '```text', help.trimEnd(), '```', '']
}

function path(command: Command): string {
  const { parent } = command
  return parent === null || parent.parent === null ? command.name() : `${path(parent)} ${command.name()}`
}

// Help is the same everywhere.
function nowhere(): Parameters<typeof createProgram>[0] {
  return {
    input: new PassThrough(),
    output: new PassThrough(),
    errors: new PassThrough(),
    environment: {},
    directory: '/',
    machineName: 'machine',
    user: 'nobody',
    onSignal: () => ({ [Symbol.dispose]: () => undefined }),
    onReload: () => ({ [Symbol.dispose]: () => undefined }),
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
  }
}
